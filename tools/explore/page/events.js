/*
 * What happens: free memory, page faults and other events over time, and the last
 * events of the kernel's trace. Each state that arrives is a sample; counters only grow, so that
 * the difference of two samples is what happened between them.
 */
import {line, path, rect, text} from './shapes.js';
import {pagesText, spaceOf, title, toPage} from './model.js';

const KEPT = 240;        /* samples: a minute at four a second */
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
  samples.push({at: now, free: state.owners.free || 0, counters: state.counters});
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
    ...(low < high ? [text(LEFT - 6, y(low) + 4, frames(low), 'small soft',
                           {a: 'end'})] : []),
    path('M' + points.join('L'), 'series')];
}

/* What each sample adds to counters, as bars on each other. counted: FAULTS or
 * OTHERS. */
function barChart(samples, width, top, title, counted) {
  const w = width - LEFT - MARGIN, step = w / (KEPT - 1), shapes = [];
  const bars = samples.slice(1).map((s, i) => counted.map(([name]) =>
    Math.max(0, s.counters[name] - samples[i].counters[name])));
  const high = Math.max(4, ...bars.map(b => b.reduce((a, n) => a + n, 0)));
  let x = LEFT + w;

  shapes.push(text(MARGIN, top - 12, title, 'bold'),
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
  bars.forEach((b, i) => {
    const at = LEFT + (KEPT - bars.length + i - 1) * step;
    let y = top + CHART;
    b.forEach((n, k) => {
      const h = n / high * CHART;
      y -= h;
      if (n)
        shapes.push(rect(at, y, Math.max(2, step - 0.5), h, 'c-' + counted[k][1],
          {tip: `${n} × ${counted[k][2]}`}));
    });
  });
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

function eventRow(state, e, y, width, isNew) {
  const [words, a, b] = KINDS[e.kind] || [e.kind, 'a', 'b'];
  const space = spaceOf(state, e.pid), page = a === 'page';
  const at = page && space ? {pid: e.pid, page: toPage(e.a)} : undefined;
  const shapes = [];

  if (isNew)
    shapes.push(rect(MARGIN - 6, y, width - 2 * MARGIN + 12, ROW, 'wash change'));
  shapes.push(text(MARGIN + 78, y + 13, (e.ns / 1e9).toFixed(6), 'mono', {a: 'end'}),
    text(MARGIN + 90, y + 13, `CPU ${e.cpu}`, 'soft'),
    text(MARGIN + 136, y + 13, space ? title(space) : e.pid ? `[${e.pid}]` : '–', 'bold'),
    text(MARGIN + 250, y + 13, words),
    text(MARGIN + 530, y + 13, a && `${a} ${value(a, e.a)}`, at ? 'mono accent' : 'mono'),
    text(MARGIN + 690, y + 13, b && `${b} ${value(b, e.b)}`, 'mono soft'));
  if (at)
    shapes.push(rect(MARGIN - 6, y, width - 2 * MARGIN + 12, ROW, 'touch',
                     {at, tip: 'Click to see this page'}));
  return shapes;
}

/* options: width, since: events later than this (ns) are marked; pid: only of
 * this process; most: rows. Returns {w, h, shapes}. */
export function layout(state, samples, options) {
  const width = options.width, shapes = [];
  const list = state.events.filter(e => options.pid === undefined ||
    e.pid === options.pid).slice(-(options.most || 200)).reverse();
  let y = LIST_TOP;

  shapes.push(...freeChart(samples, state.ram.frames, width),
    ...barChart(samples, width, FAULTS_TOP, 'Page faults', FAULTS),
    ...barChart(samples, width, OTHERS_TOP, 'Forks, execs, shootdowns', OTHERS),
    ...counts(state, width, COUNTS_TOP),
    line(MARGIN, LIST_TOP - 14, width - MARGIN, LIST_TOP - 14, 'rule'));
  if (!list.length)
    shapes.push(text(MARGIN, y + 13, 'Nothing in the trace yet.', 'soft'));
  for (const e of list) {
    shapes.push(...eventRow(state, e, y, width,
                            options.since !== undefined && e.ns > options.since));
    y += ROW;
  }
  return {w: width, h: y + MARGIN, shapes};
}
