/*
 * Address spaces: one column each, high addresses on top.
 *
 *    kernel          |  0x40000000  [tramp] [tramp] [tramp]   <- the same height in
 *    [stacks]        |              [frame] [frame] [frame]      each column
 *    ~~~~~~~~        |  ~~~~~~~~ 256 GiB unused ~~~~~~~~
 *    [RAM   ]        |  0x107000    [stack] [stack] [stack]
 *
 * Processes have one scale together, so that the same address is at the same
 * height in all of them; the kernel has its own. The scale is made of pieces:
 * wherever a run of pages begins or ends in any column, a piece ends. Within a piece
 * the scale is even; a piece gets the more room the larger it is, but a thousand
 * times the pages are only a few times as high, and what nobody uses is folded.
 */
import {CLASS_NAMES, classWords} from './palette.js';
import {fit, group, line, path, rect, swatch, text, widthOf} from './shapes.js';
import {GUARD, KERNEL, SUPER, copiedWords, fitTitle, holders, pagesText, plural, runWords,
  spaceWords, title, toHex, totals} from './model.js';

const HEAD = 58;         /* height of a column's head */
const AXIS = 98, AXIS_GAP = 8; /* width of the addresses, at least; right of them */
const BAR = 46;          /* width of a column's bar */
const COLUMN_MIN = 122, COLUMN_MAX = 170;
const KERNEL_COLUMN = 150;
const LEFT = 8;
const FOLD = 22;         /* height of a folded gap */
const ROW = 15;          /* a label's height: the least that a region gets */
const PIECES = 140;      /* more than this, and columns are cut by regions alone */
const STACKS = 3;        /* of the kernel that are shown; the others are folded */
const GUARD_LEAST = 4;   /* height of a guard that can be told in a fold */
const GAP = 26;          /* between the kernel and the processes */

/* --- the scale --- */

const present = run => run.frame >= 0;

/*
 * Kernel stacks follow each other, each above a guard:
 *
 *    [stack][guard][stack][guard][stack][guard][12 more stacks, each above a guard]
 *
 * A few of them, the highest, say as much as a hundred; one region stands for the
 * others. Its runs know the regions that they are of.
 */
function foldStacks(regions) {
  const out = [];
  let group = [];
  const end = () => {
    const shown = group.length - 2 * STACKS, rest = group.slice(0, Math.max(0, shown));
    if (rest.length > 2)
      out.push(foldOf(rest), ...group.slice(shown));
    else
      out.push(...group);
    group = [];
  };

  for (const r of regions) {
    const stackish = r.what === 'stack' || r.what === 'guard';
    const last = group[group.length - 1];
    if (group.length && !(stackish && last.end === r.start))
      end();
    if (stackish)
      group.push(r);
    else
      out.push(r);
  }
  end();
  return out;
}

function foldOf(regions) {
  const stacks = regions.filter(r => r.what === 'stack');
  return {...stacks[0], start: regions[0].start, end: regions[regions.length - 1].end,
    what: `${stacks.length} more stacks`, stacks: stacks.length,
    runs: regions.flatMap(r => r.runs.map(run => ({...run, region: r})))};
}

/* Where regions and runs of a space begin and end, and which are there, as text. */
const extents = new WeakMap();

function extentOf(regions) {
  if (!extents.has(regions))
    extents.set(regions, regions.map(r => [r.start, r.end, Boolean(r.stacks),
      r.runs.map(run => [run.page, run.pages, present(run)])]).join());
  return extents.get(regions);
}

/* All of a space that the scale and the legend depend on, as text. */
export const looksOf = space =>
  (space.pid === KERNEL ? '' : extentOf(space.regions)) + kindsOf(space).text;

/* One of those columns that have the same scale: most of many processes do. */
const distinct = columns => [...new Map(columns.map(c => [extentOf(c.regions), c])).values()];

function cutsOf(columns, runs) {
  const cuts = new Set();
  for (const c of columns)
    for (const r of c.regions) {
      cuts.add(r.start).add(r.end);
      if (runs && !r.stacks)
        for (const run of r.runs)
          cuts.add(run.page);
    }
  return [...cuts].sort((a, b) => a - b);
}

/* The pieces, from low to high: {from, to, used, h}. */
function makePieces(columns) {
  let cuts = cutsOf(columns, true);
  if (cuts.length > PIECES)
    cuts = cutsOf(columns, false);
  const pieces = cuts.slice(1).map((to, i) =>
    ({from: cuts[i], to, used: false, there: false, whole: false}));
  const at = new Map(cuts.map((c, i) => [c, i]));
  for (const c of columns)
    for (const r of c.regions) {
      const first = at.get(r.start), end = at.get(r.end);
      for (let i = first; i < end; i++)
        pieces[i].used = true;
      if (end === first + 1)
        pieces[first].whole = true;
      for (const run of r.runs.filter(present))
        for (let i = at.get(run.page); i < end &&
             pieces[i].from < run.page + run.pages; i++)
          pieces[i].there = true;
    }
  for (const p of pieces) {
    const size = Math.log2(1 + p.to - p.from);
    p.h = !p.used ? FOLD : p.there ? ROW + 4.5 * (size - 1)
      : Math.max(p.whole ? ROW : 8, 6 + 2.5 * size);
  }
  return pieces;
}

/* Stretch what is used, or press it a little, to fill the height. */
function stretch(pieces, height) {
  const sum = pieces.reduce((n, p) => n + p.h, 0);
  const fixed = pieces.reduce((n, p) => n + (p.used ? 0 : p.h), 0);
  const most = sum - fixed > 0 ? (height - fixed) / (sum - fixed) : 1;
  const factor = Math.max(0.7, Math.min(1.9, most));
  for (const p of pieces)
    if (p.used)
      p.h = Math.max(Math.min(p.h, ROW), p.h * factor);
}

/* {pieces, h, key, y(page)}: y grows downwards, from `top`; scales of one key are the
 * same. */
function makeScale(columns, top, height) {
  const pieces = makePieces(columns);
  stretch(pieces, height);
  let y = top;
  for (const p of [...pieces].reverse()) {
    p.y = y;
    y += p.h;
  }
  const key = pieces.map(p => `${p.from} ${p.to} ${p.y}`).join();
  return {pieces, h: y - top, key, y: page => {
    let low = 0, high = pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (pieces[middle].from <= page)
        low = middle;
      else
        high = middle - 1;
    }
    const p = pieces[low];
    return p ? p.y + p.h * (1 - (page - p.from) / (p.to - p.from)) : top;
  }};
}

/* --- what is drawn --- */

/* The highest address is the longest. */
function axisWidth(columns) {
  const top = Math.max(0, ...columns.flatMap(c => c.regions.map(r => r.end)));
  return Math.max(AXIS, Math.ceil(widthOf(toHex(top), 'smallMono')) + AXIS_GAP);
}

function axis(end, scale, columns) {
  const shapes = [], starts = new Set();
  let last = -Infinity;

  for (const c of columns)
    for (const r of c.regions)
      starts.add(r.start).add(r.end);
  for (const p of [...scale.pieces].reverse()) {
    const top = p.y;
    if (starts.has(p.to) && top - last >= 12) {
      shapes.push(text(end - AXIS_GAP, top + 4, toHex(p.to), 'mono small soft',
                       {a: 'end'}));
      last = top;
    }
  }
  const low = scale.pieces[0];
  if (low && low.y + low.h - last >= 12)
    shapes.push(text(end - AXIS_GAP, low.y + low.h + 4, toHex(low.from),
                     'mono small soft', {a: 'end'}));
  return shapes;
}

function folds(x, width, scale) {
  return scale.pieces.filter(p => !p.used).flatMap(p => [
    path(`M${x} ${p.y + 4}h${width}M${x} ${p.y + p.h - 4}h${width}`, 'fold'),
    text(x + 2, p.y + p.h / 2 + 3.5, `${pagesText(p.to - p.from)} unused`,
         'small soft')]);
}

const CHANGE_MARK = {new: '+', gone: '−', moved: '≠', class: '~', split: '÷', rights: '!',
  got: 'W', lost: '×'};

function changes(x, scale, list) {
  return list.flatMap(c => {
    const top = scale.y(c.page + c.pages), h = scale.y(c.page) - top;
    return [rect(x - 3, top + 1, BAR + 6, Math.max(3, h - 2), 'changed', {still: true}),
      text(x - 6, top + h / 2 + 4, CHANGE_MARK[c.how], 'bold change', {a: 'end'})];
  });
}

/* How much of a region is there, in a line or, where there is no room, in two. */
function sizeWords(r, room) {
  const there = r.runs.filter(present).reduce((n, run) => n + run.pages, 0);
  const size = r.end - r.start, says = pagesText(there), of = `of ${pagesText(size)}`;

  if (r.stacks)
    return ['a guard under each'];
  if (there === size)
    return [says];
  const whole = `${says} ${of}`;
  return fit(whole, room, 'small') === whole ? [whole] : [says, of];
}

function regionShapes(x, width, scale, space, r) {
  const top = scale.y(r.end), h = scale.y(r.start) - top;
  const shapes = [], guard = !r.stacks && r.runs.every(run => run.flags & GUARD);

  for (const run of r.runs) {
    const y = scale.y(run.page + run.pages), runH = Math.max(2, scale.y(run.page) - y);
    if (run.flags & GUARD && r.stacks && runH < GUARD_LEAST)
      continue;
    const more = {at: {pid: space.pid, page: run.page, pages: run.pages},
      tip: runWords(space, run.region || r, run, run.page),
      ...run.cls === 'cow' && {tipMore: state => copiedWords(state, r, run, run.page, run.pages)}};
    if (run.flags & GUARD) {
      shapes.push(rect(x, y, BAR, runH, 'guard', more));
      continue;
    }
    shapes.push(...swatch(x, y, BAR, runH, run.cls, more));
    if (run.flags & SUPER)
      shapes.push(rect(x + 3, y + 2, BAR - 6, Math.max(1, runH - 4), 'super',
                       {still: true}));
  }
  if (!guard)
    shapes.push(rect(x, top, BAR, h, 'region', {still: true}));
  const room = width - BAR - 12, middle = top + h / 2;
  const label = r.what + (r.shared ? ' (shared)' : '') +
    (r.of && !guard && !r.stacks ? ' ' + r.of : '');
  if (h < 30) {
    const name = fit(label, room + 6), used = name.length * 6.4;
    shapes.push(text(x + BAR + 6, middle + 4, name));
    if (!guard && used + 30 <= room + 6)
      shapes.push(text(x + BAR + 10 + used, middle + 4, r.rights, 'mono small soft'));
  } else {
    shapes.push(text(x + BAR + 6, middle - 2, fit(label, room)),
                text(x + BAR + 6, middle + 11, guard ? '' : r.rights,
                     'mono small soft'));
    if (h >= 46)
      sizeWords(r, room).slice(0, h >= 66 ? 2 : 1).forEach((s, i) => shapes.push(
        text(x + BAR + 6, middle + 24 + 11 * i, s, 'small soft')));
  }
  return shapes;
}

function head(x, width, space, diff) {
  const t = totals(space), change = diff && diff.spaces.get(space.pid);
  const badge = !change ? '' : change.kind === 'new' ? '+ new'
    : change.kind === 'exec' ? '≠ exec' : change.changes.length ? '~' : '';
  const shapes = [text(x, 16, fitTitle(space, width - 10, 'big'),
                       'bold big', {at: {pid: space.pid},
                       tip: `${title(space)}\n${spaceWords(space)}`})];

  if (badge)
    shapes.push(text(x + 78, 31, badge, 'small bold change'));
  shapes.push(text(x, 31, `${plural(space.tables, 'table page')}`, 'small soft'));
  if (space.pid !== KERNEL)
    shapes.push(text(x, 44, fit(`${pagesText(t.there)}, ${
      plural(space.faults.total, 'fault')}`, width, 'small'), 'small soft'));
  if (!space.consistent)
    shapes.push(text(x, 55, '⚠ changed while read', 'small bad'));
  return shapes;
}

/* Columns as they were last made, by space: one of another message is another object,
 * unless the space is the same. */
const made = new WeakMap();

function column(x, width, scale, space, regions, options) {
  const change = options.diff && options.diff.spaces.get(space.pid);
  const picked = Boolean(options.pick && options.pick.pid === space.pid);
  const key = [x, width, picked, scale.key].join(), last = made.get(space);

  if (last && last.key === key && last.change === change)
    return last.shapes;
  const shapes = newColumn(x, width, scale, space, regions, {...options, change, picked});
  made.set(space, {key, change, shapes});
  return shapes;
}

function newColumn(x, width, scale, space, regions, {diff, change, picked}) {
  const shapes = [...head(x, width, space, diff)];

  for (const r of regions)
    shapes.push(...regionShapes(x, width, scale, space, r));
  if (change && change.kind !== 'new')
    shapes.push(...changes(x, scale, change.changes));
  if (picked)
    shapes.push(rect(x - 6, 2, width - 4, 18, 'picked', {r: 4, still: true}));
  return group('space' + space.pid, shapes, {label: title(space)});
}

/*
 * options: pick {pid, page}, diff, width, height: of what is to be filled; past: spaces
 * that have no column, but a say in the scale; most: there is room for so many
 * processes; from, to: the horizontal pixels that are looked at, so that of sixty columns only those are
 * made. Returns {w, h, shapes, columns}; columns are what marks() and the arrow
 * keys need.
 */
export function layout(state, options) {
  const height = (options.height || 600) - HEAD - 24;
  const kernel = state.spaces.find(s => s.pid === KERNEL);
  const users = state.spaces.filter(s => s.pid !== KERNEL)
    .map(space => ({space, regions: space.regions}));
  const past = (options.past || []).filter(s => s.pid !== KERNEL)
    .map(space => ({space, regions: space.regions}));
  const most = Math.max(users.length, options.most || 0), shapes = [], columns = [];
  let x = LEFT, h = 0;
  const place = (list, width, id, room, heeded = []) => {
    if (!list.length)
      return;
    const all = distinct([...list, ...heeded]), scale = makeScale(all, HEAD, height);
    x += axisWidth(all);
    const end = x + room * width;
    shapes.push(group(id, [...axis(x, scale, all), ...folds(x, room * width, scale)]));
    for (const {space, regions} of list) {
      columns.push({space, x, width, scale});
      if (options.from === undefined ||
          (x + width >= options.from && x <= options.to))
        shapes.push(column(x, width, scale, space, regions, options));
      x += width;
    }
    x = end;
    h = Math.max(h, scale.h);
  };

  if (kernel && !options.usersOnly) {
    place([{space: kernel, regions: foldStacks(kernel.regions)}], KERNEL_COLUMN,
          'axis0', 1);
    shapes.push(line(x + GAP / 2, 8, x + GAP / 2, HEAD + h, 'rule'));
    x += GAP;
  }
  const each = ((options.width || 1200) - x - axisWidth([...users, ...past]) - 2 * LEFT) / most;
  place(users, Math.floor(Math.max(COLUMN_MIN, Math.min(COLUMN_MAX, each))), 'axis1', most,
    past);
  return {w: x + LEFT, h: HEAD + h + 16, shapes, columns};
}

/* Where a frame is in all columns: outlines, and lines from one to the next. */
export function marks(laid, state, frame) {
  if (frame < 0)
    return [];
  const shapes = [];
  let last = null;

  for (const c of laid.columns)
    for (const h of holders(state, frame).filter(m => m.space.pid === c.space.pid)) {
      const y = c.scale.y(h.page + 1), tall = Math.max(5, c.scale.y(h.page) - y);
      const here = {x: c.x, y: y + tall / 2};
      if (last)
        shapes.push(path(`M${last.x + BAR} ${last.y}C${last.x + BAR + 30} ${last.y} ${
          here.x - 30} ${here.y} ${here.x} ${here.y}`, 'join', {still: true}));
      shapes.push(rect(c.x, y, BAR, tall, 'hit', {still: true}));
      last = here;
    }
  return shapes;
}

/* The page that is picked. */
export function pickMark(laid, pick) {
  const c = pick && laid.columns.find(k => k.space.pid === pick.pid);
  if (!c || pick.page === undefined)
    return [];
  const y = c.scale.y(pick.page + 1), h = Math.max(5, c.scale.y(pick.page) - y);
  return [rect(c.x - 2, y - 2, BAR + 4, h + 4, 'picked', {still: true})];
}

/* What an arrow key goes to: the next run up or down, or the same height in the
 * column beside. */
export function step(state, pick, key) {
  const spaces = state.spaces;
  let i = spaces.findIndex(s => s.pid === (pick && pick.pid));
  if (i < 0)
    return spaces.length ? {pid: spaces[0].pid,
      page: spaces[0].regions.length ? spaces[0].regions[0].start : undefined} : null;
  const runs = spaces[i].regions.flatMap(r => r.runs);
  let at = runs.findIndex(r => r.page <= pick.page && pick.page < r.page + r.pages);
  if (key === 'ArrowUp' || key === 'ArrowDown') {
    at = at < 0 ? 0 : at + (key === 'ArrowUp' ? 1 : -1);
    const run = runs[Math.max(0, Math.min(runs.length - 1, at))];
    return {pid: spaces[i].pid, page: run && run.page};
  }
  i = Math.max(0, Math.min(spaces.length - 1, i + (key === 'ArrowRight' ? 1 : -1)));
  const near = spaces[i].regions.flatMap(r => r.runs).reduce((best, r) =>
    !best || Math.abs(r.page - pick.page) < Math.abs(best.page - pick.page) ? r : best,
  null);
  return {pid: spaces[i].pid, page: near ? near.page : undefined};
}

/* --- what it all means --- */

/* The marks that changes have, in words. */
const CHANGE_WORDS = {new: 'new', moved: 'another frame', class: 'another class',
  gone: 'gone', split: 'superpage split or made', rights: 'other rights',
  got: 'got W', lost: 'lost W'};

/* {classes, flags, text of both} that a space has; kept, since most of them stay as they are. */
const kinds = new WeakMap();

function kindsOf(space) {
  if (!kinds.has(space)) {
    const runs = space.regions.flatMap(r => r.runs);
    const flags = runs.reduce((all, run) => all | run.flags, 0) & (SUPER | GUARD);
    const classes = new Set(runs.filter(r => !(r.flags & GUARD)).map(r => r.cls));
    kinds.set(space, {flags, classes, text: `${flags} ${[...classes].sort()}`});
  }
  return kinds.get(space);
}

/* What is in the drawing: [{sign(x, y), words}]; a sign is 16 by 15 pixels. options:
 * diff, usersOnly, past, as for layout(). */
export function legend(state, options) {
  const drawn = [...state.spaces, ...options.past || []]
    .filter(s => s.pid !== KERNEL || !options.usersOnly).map(kindsOf);
  const flags = drawn.reduce((all, k) => all | k.flags, 0);
  const items = CLASS_NAMES.filter(c => drawn.some(k => k.classes.has(c))).map(
    c => ({sign: (x, y) => swatch(x + 1, y + 1, 14, 13, c), words: classWords(c)}));
  const box = (c, x, y) => rect(x + 2, y + 2, 12, 11, c);

  if (flags & SUPER)
    items.push({words: 'superpage', sign: (x, y) => [box('region', x, y),
      rect(x + 4.5, y + 4.5, 7, 6, 'super')]});
  if (flags & GUARD)
    items.push({words: 'guard', sign: (x, y) => [box('guard', x, y)]});
  items.push({words: 'unused addresses', sign: (x, y) => [
    path(`M${x} ${y + 4}h16M${x} ${y + 11}h16`, 'fold')]});
  for (const [how, words] of options.diff ? Object.entries(CHANGE_WORDS) : [])
    items.push({words, sign: (x, y) => [text(x + 8, y + 12, CHANGE_MARK[how],
      'bold change', {a: 'middle'})]});
  return items;
}
