/*
 * What happens: free memory, page faults and other events over time, and the last
 * events of the kernel's trace. Each state that arrives is a sample; counters only grow, so that
 * the difference of two samples is what happened between them.
 */
import {group, line, path, rect, text} from './shapes.js';
import {pagesText, spaceOf, title, toPage} from './model.js';

const KEPT = 240;        /* samples: a minute at four a second */
const BLOCK = 30;        /* samples whose bars are one path */
const REBASE = 1000 * BLOCK;
const CHART = 92, LEFT = 70, ROW = 18, MARGIN = 12;

/* What an event is, in words: [what, what a is, what b is]. Names as in
 * kernel/sync/trace.h. */
const KINDS = {
  fault_zero: ['fault: a page of zeros came', 'page', 'frame'],
  fault_copy: ['fault: copied, since others had the frame too', 'page', 'frame'],
  fault_reuse: ['fault: alone with the frame, so W came back', 'page', 'frame'],
  fault_file: ['fault: a page of a file or of shared memory', 'page', 'frame'],
  fault_super: ['fault: a superpage', 'page', 'frame'],
  fault_refused: ['fault: not allowed', 'page', 'access'],
  fork: ['fork', 'child', ''],
  exec: ['exec: another program', 'entry', 'root'],
  exit: ['exit', 'status', ''],
  shootdown: ['other CPUs forget addresses', 'from', 'bytes'],
  mmap: ['mmap', 'from', 'bytes'],
  munmap: ['munmap', 'from', 'bytes'],
  split: ['a superpage became pages', 'page', ''],
  oom: ['out of memory: a process is ended', 'pid', ''],
};
export const eventWords = kind => KINDS[kind][0];
const PLAIN = new Set(['child', 'status', 'pid']);

/* The faults that are counted, and the class whose colour they have. */
const FAULTS = [['faults_zero', 'private', 'zeros'], ['faults_copy', 'cow', 'copied'],
  ['faults_file', 'cache', 'file'], ['faults_super', 'table', 'superpage']];
const OTHERS = [['forks', 'cow', 'forks'], ['execs', 'text', 'execs'],
  ['shootdowns', 'shared', 'TLB shootdowns']];

/* Where each part begins. */
const FAULTS_TOP = 164, OTHERS_TOP = 294, COUNTS_TOP = 418, LIST_TOP = 460;

/* Add a state to the samples, which are changed. now: ms. */
export function sample(samples, state, now) {
  const last = samples[samples.length - 1];

  samples.push({at: now, n: last ? last.n + 1 : 0, free: state.owners.free || 0,
    counters: state.counters, bars: {}});
  if (samples.length > KEPT)
    samples.splice(0, samples.length - KEPT);
}

function freeChart(samples, total, width) {
  const w = width - LEFT - MARGIN, top = 34;
  const values = samples.map(s => s.free);
  const high = Math.max(...values, 1), low = Math.min(...values);
  const room = Math.max(16, high - low), base = Math.max(0, low - room * 0.15);
  const y = v => top + CHART - (v - base) / (high + room * 0.1 - base) * CHART;
  const x = i => LEFT + i * w / (KEPT - 1);
  const start = KEPT - samples.length;
  const frames = n => n.toLocaleString('en');
  const points = values.map((v, i) => `${x(start + i).toFixed(1)} ${y(v).toFixed(1)}`);

  return [text(MARGIN, 22, 'Free memory, in frames', 'bold'),
    text(LEFT + w, 22, `${pagesText(values[values.length - 1])} of ${pagesText(total)}`,
         '', {a: 'end'}),
    rect(LEFT, top, w, CHART, 'panel'),
    text(LEFT - 6, y(high) + 4, frames(high), 'small soft', {a: 'end'}),
    text(LEFT - 6, y(low) + 4, low < high ? frames(low) : '', 'small soft', {a: 'end'}),
    path('M' + points.join('L'), 'series')];
}

/* What the bar of a sample says, or "". */
const barWords = (bar, counted) => bar.map((n, k) => n && `${n} × ${counted[k][2]}`)
  .filter(Boolean).join('\n');

/* The paths of a sample's bars, one for each that is counted; kept with it, as the bars
 * stay what they are while the chart moves on. */
function barPaths(s, bar, top, {x, wide, high}) {
  const key = `${x} ${wide} ${high}`, kept = s.bars[top];
  let y = top + CHART;

  if (kept && kept.key === key)
    return kept.paths;
  const paths = bar.map(n => {
    const h = n / high * CHART;
    y -= h;
    return n ? `M${x.toFixed(1)} ${y.toFixed(1)}h${wide}v${h.toFixed(1)}h-${wide}z` : '';
  });
  s.bars[top] = {key, paths};
  return paths;
}

/* All bars of a kind and of BLOCK samples are one path. Paths stay what they are, but
 * the first and the last of a kind: the group moves, by a sample's width. */
function barGroup(samples, bars, top, {step, high, right, counted}) {
  const wide = Math.max(2, step - 0.5).toFixed(1), blocks = new Map();
  const newest = samples[samples.length - 1].n, shapes = [];
  const base = newest - newest % REBASE; /* or numbers would be too large in days */

  bars.forEach((bar, i) => {
    const s = samples[i + 1], block = Math.floor(s.n / BLOCK);
    const x = (s.n - base) * step;
    if (!blocks.has(block))
      blocks.set(block, counted.map(() => ''));
    barPaths(s, bar, top, {x, wide, high}).forEach((d, k) => {
      blocks.get(block)[k] += d;
    });
  });
  for (const kinds of blocks.values())
    kinds.forEach((d, k) => shapes.push(path(d, 'c-' + counted[k][1])));
  return group('bars' + top, shapes, {
    transform: `translate(${(right - (newest - base + 1) * step).toFixed(1)} 0)`});
}

/* What each sample adds to counters, as bars on each other. counted: FAULTS or
 * OTHERS; whole: of a file, in which each bar has a title of its own. */
function barChart(samples, width, top, {title: head, counted, whole}) {
  const w = width - LEFT - MARGIN, step = w / (KEPT - 1), right = LEFT + w;
  const shapes = [];
  const bars = samples.slice(1).map((s, i) => counted.map(([name]) =>
    Math.max(0, s.counters[name] - samples[i].counters[name])));
  const sums = bars.map(b => b.reduce((a, n) => a + n, 0)), high = Math.max(4, ...sums);
  const barAt = x => bars[bars.length - 1 - Math.floor((right - x) / step)];
  let x = right;

  shapes.push(text(MARGIN, top - 12, head, 'bold'),
    rect(LEFT, top, w, CHART, 'panel'),
    text(LEFT - 6, top + 8, String(high), 'small soft', {a: 'end'}),
    text(LEFT - 6, top + CHART, '0', 'small soft', {a: 'end'}));
  counted.slice().reverse().forEach(([, cls, word]) => {
    x -= word.length * 6.2 + 8;
    shapes.push(text(x, top - 12, word));
    x -= 18;
    shapes.push(rect(x, top - 22, 13, 12, 'c-' + cls),
                rect(x, top - 22, 13, 12, 'frame'));
    x -= 10;
  });
  shapes.push(barGroup(samples, bars, top, {step, high, right, counted}));
  if (whole)
    sums.forEach((n, i) => {
      const h = n / high * CHART;
      if (n)
        shapes.push(rect(right - (bars.length - i) * step, top + CHART - h, step, h, 'clear',
          {tip: barWords(bars[i], counted)}));
    });
  else
    shapes.push(rect(LEFT, top, w, CHART, 'clear',
      {tipAt: at => barWords(barAt(at) || [], counted)}));
  return shapes;
}

function counts(state, width, top) {
  const c = state.counters;
  const all = [['faults', c.faults], ['copies', c.faults_copy], ['forks', c.forks],
    ['execs', c.execs], ['TLB shootdowns', c.shootdowns]];
  const step = (width - 2 * MARGIN) / all.length;

  return all.flatMap(([word, n], i) => [
    text(MARGIN + i * step, top, (n ?? 0).toLocaleString('en'), 'bold title mono'),
    text(MARGIN + i * step, top + 16, word, 'soft')]);
}

function value(kind, hex) {
  return PLAIN.has(kind) ? String(BigInt.asIntN(32, BigInt(hex))) : hex;
}

const keyOf = e => `${e.ns}/${e.cpu}/${e.kind}/${e.a}`;

/* An event in words: {when, words, who, aSays, bSays, at}; at: the page that it is
 * about, if its process is there. */
function told(state, e, names) {
  const [words, a, b] = KINDS[e.kind] || [e.kind, 'a', 'b'];
  const space = spaceOf(state, e.pid), page = a === 'page';

  return {words, when: (e.ns / 1e9).toFixed(6), who: space ? title(space)
    : !e.pid ? '–' : names && names.get(e.pid) || `[${e.pid}]`,
  at: page && space ? {pid: e.pid, page: toPage(e.a)} : undefined,
  aSays: a && `${a} ${value(a, e.a)}`, bSays: b && `${b} ${value(b, e.b)}`};
}

/* The shapes of a row, as if it were at the top. */
function rowShapes(state, e, width, isNew, {key, names}) {
  const {words, when, who, at, aSays, bSays} = told(state, e, names), shapes = [];

  if (keyOf(e) === key)
    shapes.push(rect(MARGIN - 6, 1, width - 2 * MARGIN + 12, ROW - 2, 'picked',
                     {r: 3, still: true}));
  if (isNew)
    shapes.push(rect(MARGIN - 6, 0, width - 2 * MARGIN + 12, ROW, 'wash change'));
  shapes.push(text(MARGIN + 72, 13, when, 'mono', {a: 'end'}),
    text(MARGIN + 78, 13, `CPU ${e.cpu}`, 'soft'),
    text(MARGIN + 117, 13, who, 'bold'), text(MARGIN + 240, 13, words),
    text(MARGIN + 492, 13, aSays, at ? 'mono accent' : 'mono'),
    text(MARGIN + 620, 13, bSays, 'mono soft'));
  if (at)
    shapes.push(rect(MARGIN - 6, 0, width - 2 * MARGIN + 12, ROW, 'touch',
                     {at, tip: 'Click to see this page'}));
  return shapes;
}

/* A row of the list: {y, h, x, w, e, key, at, says}; the last two are found out when
 * they are asked for: most rows are not seen. */
const eventRow = (state, e, y, names) => ({y, h: ROW, x: 0, w: 0, e, key: keyOf(e),
  get at() {
    return told(state, e, names).at;
  },
  get says() {
    const {words, when, who, aSays, bSays} = told(state, e, names);
    return [`${when} s, CPU ${e.cpu}, ${who}: ${words}`, aSays, bSays]
      .filter(Boolean).join('; ');
  }});

/* Give each row a slot, a number, and return rows and slots, [[slot, row]], in the
 * order of slots. slots: Map of keys to them, which is changed: a row that was there
 * keeps its own, so that its element need only be moved; another gets that of a row
 * that has gone, so that its element need only say something else. */
function placed(rows, slots) {
  const there = new Set(rows.map(r => r.key));
  let next = 0;

  for (const key of slots.keys())
    if (!there.has(key))
      slots.delete(key);
  const taken = new Set(slots.values());
  for (const {key} of rows)
    if (!slots.has(key)) {
      while (taken.has(next))
        next++;
      slots.set(key, next++);
    }
  return rows.map(row => [slots.get(row.key), row]).sort(([a], [b]) => a - b);
}

/* options: width, since: events later than this (ns) are marked; pid: only of
 * this process; most: rows; key: of the row that is picked; names: by pid, of
 * processes that have ended, too; from, to: the vertical pixels that are looked at:
 * rows elsewhere have no shapes in the drawing; whole: all have; slots: a Map, empty at
 * first, that is kept from one layout to the next. Returns {w, h, shapes, rows}. */
export function layout(state, samples, options) {
  const {width, since, whole, from, to} = options, shapes = [];
  const list = state.events.filter(e => options.pid === undefined ||
    e.pid === options.pid).slice(-(options.most || 200)).reverse();

  shapes.push(...freeChart(samples, state.ram.frames, width),
    ...barChart(samples, width, FAULTS_TOP, {title: 'Page faults', counted: FAULTS, whole}),
    ...barChart(samples, width, OTHERS_TOP, {title: 'Forks, execs, shootdowns',
      counted: OTHERS, whole}),
    ...counts(state, width, COUNTS_TOP),
    line(MARGIN, LIST_TOP - 14, width - MARGIN, LIST_TOP - 14, 'rule'));
  if (!list.length)
    shapes.push(text(MARGIN, LIST_TOP + 13, 'Nothing in the trace yet.', 'soft'));
  const rows = list.map((e, i) => eventRow(state, e, LIST_TOP + i * ROW, options.names));
  const seen = rows.filter(r => whole || (r.y + ROW >= from && r.y <= to));
  for (const [slot, {e, y}] of placed(seen, options.slots || new Map()))
    shapes.push(group('slot' + slot, rowShapes(state, e, width,
      since !== undefined && e.ns > since, options), {transform: `translate(0 ${y})`}));
  return {w: width, h: LIST_TOP + Math.max(1, rows.length) * ROW + MARGIN, shapes, rows};
}
