/*
 * What happens: free memory, page faults and other events over time, and the last
 * events of the kernel's trace. Each state of the machine is a sample; counters only grow, so that
 * the difference of two samples is what happened between them.
 */
import {group, line, lines, path, patterned, rect, swatch, text} from './shapes.js';
import {number, pagesText, spaceOf, title, toPage} from './model.js';

const KEPT = 240;        /* samples: a minute at four a second */
const BLOCK = 20;        /* samples: charts move by so many at once */
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
  fault_refused: ['fault: refused, an error', 'page', 'access'],
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

/* The faults that are counted, and the class whose colour and pattern they have; no two of
 * a chart have the same pattern. */
const FAULTS = [['faults_zero', 'private', 'zeros'], ['faults_copy', 'cow', 'copied'],
  ['faults_reuse', 'data', 'reused'], ['faults_file', 'cache', 'file'],
  ['faults_super', 'table', 'superpage'], ['faults_refused', 'reserved', 'refused']];
const FAULTS_SAY = 'Counted are pages that came; one fault may bring several, and a ' +
  'superpage is one. Reused and refused: faults.';
const OTHERS = [['forks', 'cow', 'forks'], ['execs', 'text', 'execs'],
  ['shootdowns', 'shared', 'TLB shootdowns']];

/* Where each part begins. */
const FAULTS_TOP = 164, OTHERS_TOP = 294, COUNTS_TOP = 418, LIST_TOP = 460;

/* Add a state to the samples, which are changed, and those that came with it, of the states
 * before. Who was told nothing for longer than the server remembers begins anew. */
export function sample(samples, state) {
  const come = [...state.samples, {free: state.owners.free || 0, counters: state.counters}];
  const first = state.seq - come.length + 1, last = samples[samples.length - 1];

  if (last && last.n < first - 1)
    samples.length = 0;
  come.forEach(({free, counters}, i) => {
    if (!samples.length || first + i > samples[samples.length - 1].n)
      samples.push({n: first + i, free, counters, drawn: {}});
  });
  if (samples.length > KEPT + 1) /* and one before them */
    samples.splice(0, samples.length - KEPT - 1);
}

/* Where samples are in a chart. It stays as it is while the newest fill its last block,
 * five seconds, and then moves by that: a browser paints no more than what was added. So
 * what is drawn has two parts, all that stays and that block.
 * {samples: those that are seen, after one more that they are compared with; from: n of
 * the first; part: of a sample, by n; step: pixels of one; base: the n that x() counts
 * from, or numbers would be too large in days; x: where one ends, by n; transform: of what
 * is drawn by that} */
function span(samples, width) {
  const {n} = samples[samples.length - 1], step = (width - LEFT - MARGIN) / KEPT;
  const last = n - n % BLOCK, from = last + BLOCK - KEPT, base = n - n % REBASE;

  return {samples: samples.filter(s => s.n >= from - 1), from, step, base,
    part: at => at < last ? 0 : 1, x: at => (at - base + 1) * step,
    transform: `translate(${(LEFT - (from - base) * step).toFixed(1)} 0)`};
}

/* What is drawn of a sample is kept with it as long as its scale is the same. */
function kept(s, chart, scale, make) {
  if (!s.drawn[chart] || s.drawn[chart].scale !== scale)
    s.drawn[chart] = {scale, of: make()};
  return s.drawn[chart].of;
}

/* The line of free memory; its second part begins with the end of the first. */
function freeLine({samples, part, x, step, base, transform}, y, range) {
  const parts = ['', ''], scale = `${range} ${step} ${base}`;
  let before = '';

  for (const s of samples) {
    const at = kept(s, 'free', scale,
                    () => `${x(s.n).toFixed(1)} ${y(s.free).toFixed(1)}`);
    parts[part(s.n)] += (parts[part(s.n)] ? '' : 'M' + (before || at)) + 'L' + at;
    before = at;
  }
  return group('free', parts.map(d => path(d, 'series')), {transform});
}

function freeChart(seen, total, width) {
  const w = width - LEFT - MARGIN, top = 34;
  const values = seen.samples.map(s => s.free);
  const high = Math.max(...values, 1), low = Math.min(...values);
  const room = Math.max(16, high - low), base = Math.max(0, low - room * 0.15);
  const y = v => top + CHART - (v - base) / (high + room * 0.1 - base) * CHART;

  return [text(MARGIN, 22, 'Free memory, in frames', 'bold'),
    text(LEFT + w, 22, `${pagesText(values[values.length - 1])} of ${pagesText(total)}`,
         '', {a: 'end'}),
    rect(LEFT, top, w, CHART, 'panel'),
    text(LEFT - 6, y(high) + 4, number(high), 'small soft', {a: 'end'}),
    text(LEFT - 6, y(low) + 4, low < high ? number(low) : '', 'small soft', {a: 'end'}),
    freeLine(seen, y, `${high} ${low}`)];
}

/* What the bar of a sample says, or "". */
const barWords = (bar, counted) => bar.map((n, k) => n && `${n} × ${counted[k][2]}`)
  .filter(Boolean).join('\n');

/* The paths of a sample's bars, one for each that is counted. */
function barPaths(bar, top, {x, wide, high}) {
  let y = top + CHART;

  return bar.map(n => {
    const h = n / high * CHART;
    y -= h;
    return n ? `M${x.toFixed(1)} ${y.toFixed(1)}h${wide}v${h.toFixed(1)}h-${wide}z` : '';
  });
}

/* All bars of a kind are one path in each part, and their pattern another. */
function barGroup({samples, part, step, x, base, transform}, bars, top, high, counted) {
  const wide = Math.max(2, step - 0.5).toFixed(1), scale = `${step} ${high} ${base}`;
  const parts = [counted.map(() => ''), counted.map(() => '')];

  bars.forEach((bar, i) => {
    const s = samples[i + 1];
    kept(s, top, scale, () => barPaths(bar, top, {x: x(s.n - 1), wide, high}))
      .forEach((d, k) => {
        parts[part(s.n)][k] += d;
      });
  });
  return group('bars' + top, parts.flatMap(
    kinds => kinds.flatMap((d, k) => patterned(path(d, 'c-' + counted[k][1]), counted[k][1]))),
    {transform});
}

/* What each sample adds to counters, as bars on each other. counted: FAULTS or
 * OTHERS; whole: of a file, in which each bar has a title of its own. */
function barChart(seen, width, top, {title: head, counted, whole}) {
  const {samples, from, step} = seen, w = width - LEFT - MARGIN, shapes = [];
  const bars = samples.slice(1).map((s, i) => counted.map(([name]) =>
    Math.max(0, s.counters[name] - samples[i].counters[name]) || 0)); /* not in old files */
  const sums = bars.map(b => b.reduce((a, n) => a + n, 0)), high = Math.max(4, ...sums);
  const barAt = x => bars[from - samples[0].n - 1 + Math.floor((x - LEFT) / step)];
  let x = LEFT + w;

  shapes.push(text(MARGIN, top - 12, head, 'bold'),
    rect(LEFT, top, w, CHART, 'panel'),
    text(LEFT - 6, top + 8, String(high), 'small soft', {a: 'end'}),
    text(LEFT - 6, top + CHART, '0', 'small soft', {a: 'end'}));
  counted.slice().reverse().forEach(([, cls, word]) => {
    x -= word.length * 6.2 + 8;
    shapes.push(text(x, top - 12, word));
    x -= 18;
    shapes.push(...swatch(x, top - 22, 14, 11, cls), /* too low for a class's letter */
                rect(x, top - 22, 14, 11, 'frame'));
    x -= 10;
  });
  shapes.push(barGroup(seen, bars, top, high, counted));
  if (whole)
    sums.forEach((n, i) => {
      const h = n / high * CHART;
      if (n)
        shapes.push(rect(LEFT + (samples[i + 1].n - from) * step, top + CHART - h, step, h,
          'clear', {tip: barWords(bars[i], counted)}));
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
    text(MARGIN + i * step, top, number(n ?? 0), 'bold title mono'),
    text(MARGIN + i * step, top + 16, word, 'soft')]);
}

function value(kind, hex) {
  return PLAIN.has(kind) ? String(BigInt.asIntN(32, BigInt(hex))) : hex;
}

const keyOf = e => `${e.ns}/${e.cpu}/${e.kind}/${e.a}`;

/* The exec by which a process has become another program since an event, if there is one. */
const execAfter = ({events}, e) =>
  events.find(x => x.kind === 'exec' && x.pid === e.pid && x.ns > e.ns);

/* An event in words: {when, cpu, words, who, aSays, bSays, at}; at: the page that it is
 * about, if its process is there and runs that program. */
function told(state, e, nameOf) {
  const [words, a, b] = KINDS[e.kind] || [e.kind, 'a', 'b'];
  const exec = execAfter(state, e), space = exec ? undefined : spaceOf(state, e.pid);
  const page = a === 'page';

  return {words, when: (e.ns / 1e9).toFixed(6), cpu: `CPU ${e.cpu}`,
    who: space ? title(space) : !e.pid ? '–' : nameOf && nameOf(e.pid, exec) || `[${e.pid}]`,
    at: page && space ? {pid: e.pid, page: toPage(e.a)} : undefined,
    aSays: a && `${a} ${value(a, e.a)}`, bSays: b && `${b} ${value(b, e.b)}`};
}

/* A row of the list: {y, h, x, w, e, key, at, says}; the last three are found out when
 * they are asked for: most rows are not seen. */
const eventRow = (state, e, y, nameOf) => ({y, h: ROW, x: 0, w: 0, e,
  get key() {
    return keyOf(e);
  },
  get at() {
    return told(state, e, nameOf).at;
  },
  get says() {
    const {words, when, cpu, who, aSays, bSays} = told(state, e, nameOf);
    return [`${when} s, ${cpu}, ${who}: ${words}`, aSays, bSays]
      .filter(Boolean).join('; ');
  }});

/* The columns of the list: what of told(), where, CSS classes; only: of which events. */
const COLUMNS = [
  {name: 'when', x: MARGIN - 8, w: 80, c: 'mono', a: 'end'},
  {name: 'cpu', x: MARGIN + 78, w: 39, c: 'soft'},
  {name: 'who', x: MARGIN + 117, w: 123, c: 'bold'},
  {name: 'words', x: MARGIN + 240, w: 252, c: ''},
  {name: 'aSays', x: MARGIN + 492, w: 128, c: 'mono accent', only: t => t.at},
  {name: 'aSays', x: MARGIN + 492, w: 128, c: 'mono', only: t => !t.at},
  {name: 'bSays', x: MARGIN + 620, w: 128, c: 'mono soft'},
];

/* The shapes of rows that follow each other. */
function rowShapes(state, rows, {width, since, key, nameOf}) {
  const x = MARGIN - 6, w = width - 2 * MARGIN + 12, y = rows[0].y;
  const all = rows.map(({e}) => told(state, e, nameOf)), marks = [], touches = [];

  rows.forEach((row, i) => {
    if (key && row.key === key)
      marks.push(rect(x, row.y + 1, w, ROW - 2, 'picked',
        {id: 'picked', r: 3, still: true}));
    if (since !== undefined && row.e.ns > since)
      marks.push(rect(x, row.y, w, ROW, 'wash change', {id: 'new' + i}));
    if (all[i].at)
      touches.push(rect(x, row.y, w, ROW, 'touch',
        {id: 'touch' + i, at: all[i].at, tip: 'Click to see this page'}));
  });
  const columns = COLUMNS.map(({name, only, ...column}) => ({...column,
    of: all.map(t => !only || only(t) ? t[name] || '' : '')}));
  return [...marks, lines('list', {x: 0, y, w: width, row: ROW, columns}), ...touches];
}

/* options: width, since: events later than this (ns) are marked; pid: only of
 * this process; most: rows; key: of the row that is picked; nameOf(pid, exec): of
 * a process that has ended, or before an exec; from, to: the vertical pixels that are
 * looked at: rows elsewhere have no shapes in the drawing; whole: all have. Returns {w,
 * h, shapes, rows}. */
export function layout(state, samples, options) {
  const {width, whole, from, to} = options, shapes = [], seen = span(samples, width);
  const list = state.events.filter(e => options.pid === undefined ||
    e.pid === options.pid).slice(-(options.most || 200)).reverse();

  shapes.push(...freeChart(seen, state.ram.frames, width),
    ...barChart(seen, width, FAULTS_TOP, {title: 'Page faults', counted: FAULTS, whole}),
    text(LEFT, FAULTS_TOP + CHART + 13, FAULTS_SAY, 'small soft'),
    ...barChart(seen, width, OTHERS_TOP, {title: 'Forks, execs, shootdowns',
      counted: OTHERS, whole}),
    ...counts(state, width, COUNTS_TOP),
    line(MARGIN, LIST_TOP - 14, width - MARGIN, LIST_TOP - 14, 'rule'));
  if (!list.length)
    shapes.push(text(MARGIN, LIST_TOP + 13, 'Nothing in the trace yet.', 'soft'));
  const rows = list.map((e, i) => eventRow(state, e, LIST_TOP + i * ROW, options.nameOf));
  const near = rows.filter(r => whole || (r.y + ROW >= from && r.y <= to));
  if (near.length)
    shapes.push(...rowShapes(state, near, options));
  return {w: width, h: LIST_TOP + Math.max(1, rows.length) * ROW + MARGIN, shapes, rows};
}
