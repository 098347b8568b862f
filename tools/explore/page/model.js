/*
 * The machine as the views see it: messages made into numbers, and what has
 * changed between two moments.
 *
 * Addresses come as text, since they may need 64 bits. Pages and frames are
 * numbers, address / 4096: with 57 bits of address these stay below 2^53.
 *
 *   space:  {pid, name, root, tables, consistent, faults, regions}
 *   region: {start, end, rights, what, shared, file, runs}     in pages
 *           of: a kernel stack's, or its guard's, process: "sh [2]"
 *   run:    {page, pages, cls, frame, flags}     frame: -1 if nothing is there
 */
import {fit} from './shapes.js';

export const SUPER = 1, DIRTY = 2, ACCESSED = 4, TRAPFRAME = 8, TRAMPOLINE = 16,
  DEVICE = 32, GUARD = 64, WRITABLE = 128;
const PAGE = 4096;
export const KERNEL = 0; /* the pid that stands for it */
export const ANY_PROCESS = 0; /* that stands for all others, where one is to stop */

export const toPage = hex => Number(BigInt(hex) >> 12n);
export const toHex = page => '0x' + (BigInt(page) * 4096n).toString(16);

/* "12 KiB" */
export function bytes(n) {
  for (const unit of ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']) {
    if (n < 1024 || unit === 'PiB')
      return (n < 10 && n % 1 ? n.toFixed(1) : Math.round(n)) + ' ' + unit;
    n /= 1024;
  }
}

export const pagesText = n => bytes(n * PAGE);
const numbers = new Intl.NumberFormat('en'); /* to make one takes longer than to use it */
export const number = n => numbers.format(n);
export const plural = (n, word, more = word + 's') => `${n} ${n === 1 ? word : more}`;

function parseRegion(r) {
  const start = toPage(r.start);
  return {...r, start, end: toPage(r.end),
    runs: r.runs.map(([first, pages, cls, pa, flags]) => ({
      page: start + first, pages, cls, flags, frame: pa === null ? -1 : toPage(pa)}))};
}

/* list: regions, and numbers: n of those that it had follow, or are left out if it is
 * negative. */
function parseRegions(list, had) {
  let at = 0;
  return list.flatMap(r => {
    if (typeof r !== 'number')
      return [parseRegion(r)];
    at += Math.abs(r);
    return r > 0 ? had.slice(at - r, at) : [];
  });
}

const EVENTS = 512; /* that are kept */
const parseEvent = ([ns, cpu, pid, kind, a, b]) => ({ns, cpu, pid, kind, a, b});

/* last: the model of the message before this one. A space that is the same is taken
 * over from it, as the very object: the message has its pid alone; so are regions of
 * another. So are events, unless they are of another boot: a message has new ones
 * alone. */
export function parseState(message, last) {
  const before = last && last.boots === message.boots ? last : null;
  const old = new Map((last ? last.spaces : []).map(s => [s.pid, s]));
  return {...message, start: toPage(message.ram.start),
    nframes: message.ram.frames,
    events: [...(before ? before.events : []), ...message.events.map(parseEvent)]
      .slice(-EVENTS),
    spaces: message.spaces.map(s => {
      const was = old.get(typeof s === 'number' ? s : s.pid);
      return typeof s === 'number' ? was
        : {...s, regions: parseRegions(s.regions, was ? was.regions : [])};
    })};
}

/*
 * The binary message: {seq, n, cls, order, maps, counts}: classes by index, order of the block
 * and count of mappings of each of n frames, and the count of frames of each class. Most
 * messages are never looked at, so what is in one is found out when it is asked for.
 */
class Frames {
  constructor(buffer) {
    this.view = new DataView(buffer);
    this.seq = this.view.getUint32(4, true);
    this.n = this.view.getUint32(8, true);
  }

  get cls() {
    return this.all.cls;
  }

  get order() {
    return this.all.order;
  }

  get maps() {
    return this.all.maps;
  }

  get counts() {
    return this.all.counts;
  }

  get all() {
    this.read = this.read || readFrames(this.view, this.n);
    return this.read;
  }
}

export const parseFrames = buffer => new Frames(buffer);

const LONG = 32; /* frames of a run: fill() is faster than a loop */

function readFrames(view, n) {
  const frames = {cls: new Uint8Array(n), order: new Uint8Array(n),
    maps: new Uint16Array(n), counts: new Uint32Array(256)};
  let at = 0;

  for (let i = 12; i + 8 <= view.byteLength && at < n; i += 8) {
    const end = Math.min(n, at + view.getUint32(i, true));
    const cls = view.getUint8(i + 4), order = view.getUint8(i + 5);
    const maps = view.getUint16(i + 6, true);
    frames.counts[cls] += end - at;
    if (end - at > LONG) {
      frames.cls.fill(cls, at, end);
      frames.order.fill(order, at, end);
      frames.maps.fill(maps, at, end);
      at = end;
    }
    for (; at < end; at++) {
      frames.cls[at] = cls;
      frames.order[at] = order;
      frames.maps[at] = maps;
    }
  }
  return frames;
}

export const spaceOf = (state, pid) => state.spaces.find(s => s.pid === pid);

/* The region that holds a page, and the run; either may be undefined. */
export function find(space, page) {
  const region = space && space.regions.find(r => r.start <= page && page < r.end);
  const run = region &&
    region.runs.find(r => r.page <= page && page < r.page + r.pages);
  return {region, run};
}

/* The frame behind a page, or -1. */
export function frameAt(space, page) {
  const {run} = find(space, page);
  return run && run.frame >= 0 ? run.frame + page - run.page : -1;
}

/* Each place where a frame is mapped, or some of several: [{space, region, run, page}],
 * page: of the first. The kernel's map of all RAM is left out: it has every frame. */
export function holders(state, frame, pages = 1) {
  const found = [];
  for (const space of state.spaces)
    for (const region of space.regions)
      for (const run of region.runs)
        if (run.frame >= 0 && run.frame < frame + pages &&
            frame < run.frame + run.pages && region.what !== 'RAM')
          found.push({space, region, run, page: run.page + frame - run.frame});
  return found;
}

/* What a process holds, in pages. */
export function totals(space) {
  const sum = {there: 0, shared: 0, promised: 0, superpages: 0};
  for (const region of space.regions)
    for (const run of region.runs) {
      sum.promised += run.flags & GUARD ? 0 : run.pages;
      if (run.frame < 0)
        continue;
      sum.there += run.pages;
      if (['cow', 'shared', 'cache', 'zero', 'text'].includes(run.cls))
        sum.shared += run.pages;
      if (run.flags & SUPER)
        sum.superpages += run.pages;
    }
  return sum;
}

/* Rights in words. */
const RIGHTS = {r: 'read', w: 'write', x: 'execute', u: 'user mode'};
const rightsWords = rights =>
  [...rights].filter(c => c !== '-').map(c => RIGHTS[c]).join(', ') || 'none';

/* A kernel stack, or the guard under one? */
const isStack = (space, region) => space.pid === KERNEL &&
  ['stack', 'guard'].includes(region.what);

/* Of an entry without W. */
const lacksW = region => `the entry lacks W${
  region.rights.includes('w') ? ', though the region may be written' : ''}`;

/* What a run says when it is asked; copiedWords() has more of one that is copied. */
export function runWords(space, region, run, page) {
  const lines = [`${toHex(page)} · ${region.what} of ${title(space)}`,
    `region ${toHex(region.start)} to ${toHex(region.end)}, ` +
      `${pagesText(region.end - region.start)}; may: ${rightsWords(region.rights)}`];
  const more = [];

  if (isStack(space, region))
    more.push(region.of ? `kernel stack of ${region.of}`
      : 'kernel stack of no process: of a thread of the kernel, or kept for the next');
  if (region.file)
    more.push(region.file > 0 ? `from the file with inode ${region.file}` : 'from a file');
  if (region.shared)
    more.push('shared with others, writes too');
  if (run.flags & GUARD)
    more.push(space.pid === KERNEL
      ? 'guard: a stack that overflows into it is a page fault, and the kernel says so'
      : 'guard: whoever comes here is stopped');
  else if (run.frame < 0)
    more.push('nothing is there yet: the first touch brings a page');
  if (run.frame >= 0)
    more.push(`class ${run.cls}`,
              `frame ${toHex(run.frame + page - run.page)}`);
  if (run.frame >= 0 && run.cls !== 'cow' && !(run.flags & WRITABLE) &&
      region.rights.includes('w'))
    more.push(lacksW(region));
  for (const [flag, words] of [[SUPER, 'part of a superpage'], [DIRTY, 'written'],
    [ACCESSED, 'touched'], [TRAPFRAME, 'the registers go here on a trap'],
    [TRAMPOLINE, 'the same frame in every table'], [DEVICE, 'a device']])
    if (run.flags & flag)
      more.push(words);
  lines.push(more.join('; '));
  if (run.pages > 1)
    lines.push(`${plural(run.pages, 'page')} alike, ${pagesText(run.pages)}`);
  return lines.join('\n');
}

/* How many processes have each of some frames: [least, most]. That changes only where
 * somebody's run begins or ends. */
function sharers(state, frame, pages) {
  const held = holders(state, frame, pages).filter(h => h.space.pid !== KERNEL);
  const changes = held.flatMap(({run}) => [run.frame, run.frame + run.pages])
    .filter(at => at > frame && at < frame + pages);
  const counts = [frame, ...changes].map(at => new Set(held
    .filter(({run}) => run.frame <= at && at < run.frame + run.pages)
    .map(h => h.space.pid)).size);
  return [Math.min(...counts), Math.max(...counts)];
}

/* Of pages that are copied when they are written: what their entries lack, and who shares
 * their frames. */
export function copiedWords(state, region, run, page, pages = 1) {
  const [least, most] = sharers(state, run.frame + page - run.page, pages);
  return `copy on write: ${lacksW(region)}; ${least < most ? `${least} to ` : ''}${
    plural(most, 'process has', 'processes have')} ${pages > 1 ? 'each' : 'the'} frame`;
}

/* As the guest's own `vmmap` says it. */
const faultsText = f => `page faults ${f.total}, refused ${f.refused}\n  zeros ${
  f.zero}, copied ${f.copy}, reused ${f.reuse}, files ${f.file}, superpages ${f.super}`;

/* What all of a space says when it is asked. */
export function spaceWords(space) {
  const t = totals(space);
  return [`root of its page table: ${space.root}`,
    `${pagesText(t.there)} there, of ${pagesText(t.promised)} promised`,
    `${pagesText(t.shared)} shared with others, or with the cache of files`,
    `${pagesText(t.superpages)} in superpages`, faultsText(space.faults)].join('\n');
}

const pidText = space => space.pid === KERNEL ? '' : ` [${space.pid}]`;
export const title = space => space.name + pidText(space);
/* The same in so many pixels: of two by one name the pids tell which is which. */
export const fitTitle = (space, width, kind) =>
  fit(space.name, width, kind, pidText(space));

/* --- two moments --- */

/* What can be compared, in order, each run with its region's rights: what is there and, of
 * a process, what is only promised, since that is all that an mmap changes at first. */
const compared = space => space.regions.flatMap(
  r => r.runs.map(run => ({...run, rights: r.rights})))
  .filter(r => r.frame >= 0 || space.pid !== KERNEL)
  .sort((a, b) => a.page - b.page);

/* What has become of a page. The marks that the machine sets by itself, accessed and dirty,
 * are no change: each page that is used gets them. */
const how = (was, is, page) => {
  if (!was || was.frame < 0 && is && is.frame >= 0)
    return 'new';
  if (!is || is.frame < 0 && was.frame >= 0)
    return 'gone';
  if (is.frame < 0)
    return was.rights !== is.rights ? 'rights' : '';
  if (was.frame + page - was.page !== is.frame + page - is.page)
    return 'moved'; /* another frame */
  if (was.cls !== is.cls)
    return 'class';
  if ((was.flags ^ is.flags) & SUPER)
    return 'split';
  if (was.rights !== is.rights)
    return 'rights';
  return !((was.flags ^ is.flags) & WRITABLE) ? '' : is.flags & WRITABLE ? 'got' : 'lost';
};

/* Of a run that is compared: its class, if it is there. */
const kindOf = run => !run ? undefined : run.flags & GUARD ? 'guard' : run.cls;

/* Is it a change of what is there, and not of promises alone? */
const NOT_THERE = [undefined, 'absent', 'guard'];
export const isThere = ({was, is}) => !NOT_THERE.includes(was) || !NOT_THERE.includes(is);

/* Pages that are not what they were: [{page, pages, how, was, is}]. */
function changesOf(before, after) {
  const was = compared(before), is = compared(after), out = [];
  const cuts = [...new Set([...was, ...is].flatMap(
    r => [r.page, r.page + r.pages]))].sort((a, b) => a - b);
  let i = 0, j = 0;

  for (let n = 0; n + 1 < cuts.length; n++) {
    const page = cuts[n], pages = cuts[n + 1] - page;
    while (i < was.length && was[i].page + was[i].pages <= page)
      i++;
    while (j < is.length && is[j].page + is[j].pages <= page)
      j++;
    const a = was[i] && was[i].page <= page ? was[i] : undefined;
    const b = is[j] && is[j].page <= page ? is[j] : undefined;
    const kind = (a || b) && how(a, b, page);
    if (kind)
      out.push({page, pages, how: kind, was: kindOf(a), is: kindOf(b)});
  }
  return out;
}

/* Has a process become another program, perhaps by the name that it had? Its table
 * is another one then, but may have the root that an earlier one has left. */
const execed = (was, is, before, after) => was.name !== is.name ||
  was.root !== is.root || after.events.some(
    e => e.kind === 'exec' && e.pid === is.pid && e.ns > before.ns);

/* before, after: {state, frames}. Map of pid to {kind, changes}, what else is
 * different in words, and the frames whose class is another one. */
export function difference(before, after) {
  const spaces = new Map();

  for (const s of after.state.spaces) {
    const was = spaceOf(before.state, s.pid);
    if (!was || execed(was, s, before.state, after.state)) {
      spaces.set(s.pid, {kind: was ? 'exec' : 'new', space: s,
        changes: changesOf(was || {regions: []}, s)});
    } else if (was !== s) {
      const changes = changesOf(was, s);
      if (changes.length || was.tables !== s.tables)
        spaces.set(s.pid, {kind: 'changed', space: s, changes});
    }
  }
  for (const s of before.state.spaces)
    if (!spaceOf(after.state, s.pid))
      spaces.set(s.pid, {kind: 'gone', space: s, changes: []});
  return {spaces, frames: changedFrames(before.frames, after.frames),
    words: differenceWords(before.state, after.state, spaces)};
}

function changedFrames(before, after) {
  if (!before || !after || before.n !== after.n)
    return null;
  if (before === after)
    return new Uint8Array(after.n);
  const {cls, maps} = before, is = after.maps;
  return after.cls.map((c, i) => Number(c !== cls[i] || maps[i] !== is[i]));
}

const HOW = {new: 'new', gone: 'gone', moved: 'in another frame',
  class: 'of another class', split: 'superpage split or made', rights: 'with other rights',
  got: 'got W: may be written now', lost: 'lost W: a write is a page fault now'};
const PROMISE = {...HOW, new: 'promised', gone: 'no longer promised'};
const GUARDED = {...HOW, new: 'new, as a guard', gone: 'no longer a guard'};

function howWords({how: kind, was, is}) {
  if (kind === 'class')
    return `${was} → ${is}`;
  if (kind === 'moved' && was === 'cow')
    return 'copied to a frame of its own';
  const only = kind === 'gone' ? was : is;
  return (only === 'absent' ? PROMISE : only === 'guard' ? GUARDED : HOW)[kind];
}

function differenceWords(before, after, spaces) {
  const lines = [];
  for (const {kind, space, changes} of spaces.values()) {
    const sums = {};
    for (const c of changes) {
      const key = howWords(c);
      sums[key] = (sums[key] || 0) + c.pages;
    }
    const text = Object.entries(sums).map(([k, n]) =>
      `${plural(n, 'page')} ${k}`).join(', ');
    lines.push(kind === 'new' ? `process ${title(space)} is new: ${text}`
      : kind === 'gone' ? `process ${title(space)} has ended`
      : kind === 'exec' ? `${title(space)} has executed a program: ${
        text || 'its table is another'}`
      : `${title(space)}: ${text || 'it has more or fewer tables'}`);
  }
  const owners = Object.keys(after.owners)
    .map(o => [o, after.owners[o] - (before.owners[o] || 0)])
    .filter(([, n]) => n !== 0)
    .map(([o, n]) => `${o} ${n > 0 ? '+' : '−'}${Math.abs(n)}`);
  if (owners.length)
    lines.push('frames: ' + owners.join(', '));
  return lines;
}
