/*
 * Physical memory: every frame a cell, in order of address, row by row. Where there
 * are more frames than the canvas has room for, the view shows as many as fit at
 * this size and scrolls; or, at the smallest size, a cell stands for several frames and
 * has the colour of the class that most people would look for: anything before free.
 * Patterns go on over cells that follow each other, so that small ones have them, too.
 */
import {classColour, classLetter, classPattern, classWords, freeClass, freeShade, patternTile}
  from './palette.js';
import {group, path, rect, swatch, text} from './shapes.js';
import {KERNEL, bytes, number, pagesText, plural, toHex} from './model.js';

const SMALLEST = 3;
export const SIZES = [SMALLEST, 4, 6, 9, 14, 20];

/*
 * How cells are laid out on a canvas of w by h pixels, of which there is at least one:
 * {cell, tall, per, cols, rows, n, first, height}; cell and tall: a cell's width and
 * height; per: frames for a cell; first: the first frame that is shown; height: of all
 * rows. options: size, of a cell, or 0: the largest that shows all; top: how far it is
 * scrolled, in pixels.
 */
export function layout(nframes, w, h, options = {}) {
  let cell = options.size || 0, per = 1;
  const across = () => Math.max(1, Math.floor(w / cell));

  if (!cell) {
    cell = Math.max(SMALLEST, Math.min(20, Math.floor(Math.sqrt(w * h / nframes))));
    while (cell > SMALLEST && Math.ceil(nframes / across()) * cell > h)
      cell--;
    const room = across() * Math.max(1, Math.floor(h / cell));
    while (nframes / per > room)
      per *= 2;
  }
  const cols = across(), n = Math.ceil(nframes / per);
  const all = Math.ceil(n / cols);
  /* Where all are shown, what is left of the height is used, too. */
  const tall = options.size ? cell
    : Math.max(cell, Math.min(2 * cell, Math.floor(h / all)));
  const rows = Math.min(all, Math.ceil(h / tall) + 1);
  const row = Math.max(0, Math.min(all - Math.floor(h / tall),
                                   Math.floor((options.top || 0) / tall)));
  return {cell, tall, per, cols, rows, n, first: row * cols * per, height: all * tall,
    nframes};
}

/* The frame at a place of the canvas, or -1. */
export function frameUnder(laid, x, y) {
  const col = Math.floor(x / laid.cell), row = Math.floor(y / laid.tall);
  const frame = laid.first + (row * laid.cols + col) * laid.per;
  return col >= 0 && col < laid.cols && row >= 0 && frame < laid.nframes ? frame : -1;
}

/* The place of a frame: {x, y}. */
export function placeOf(laid, frame) {
  const i = Math.floor((frame - laid.first) / laid.per);
  return {x: (i % laid.cols) * laid.cell, y: Math.floor(i / laid.cols) * laid.tall};
}

/* Of the frames from one to before another, the one whose class their cell shows: the
 * first of the greatest weight. weight: for each class, which one wins. */
function heaviest(cls, weight, from, end) {
  let best = from, most = weight[cls[from]];

  for (let f = from + 1; f < end; f++)
    if (weight[cls[f]] > most) {
      best = f;
      most = weight[cls[f]];
    }
  return best;
}

/* The class of each cell that is shown; 255: past the end. */
function cellClasses(laid, frames, weight) {
  const cells = new Uint8Array(laid.cols * laid.rows).fill(255), {cls} = frames;
  let f = laid.first;

  if (laid.per === 1) {
    cells.set(cls.subarray(f, f + cells.length));
    return cells;
  }
  for (let i = 0; i < cells.length && f < frames.n; i++) {
    const end = Math.min(frames.n, f + laid.per);
    cells[i] = cls[heaviest(cls, weight, f, end)];
    f = end;
  }
  return cells;
}

/* What the eye looks for wins: pages of processes, then the kernel's, then free. */
const ORDER = ['free', 'reserved', 'kernel', 'data', 'text', 'zero', 'slab', 'stack',
  'cache', 'pipe', 'table', 'private', 'shared', 'cow'];
const weights = classes => classes.map(c => ORDER.indexOf(c));

/* The frames of a cell, by one of them: from one to before another. */
function cellOf({per}, frames, frame) {
  const from = frame - frame % per;
  return {from, end: Math.min(frames.n, from + per)};
}

/* The one that gives a frame's cell its colour. */
export function shownOf(laid, frames, classes, frame) {
  const {from, end} = cellOf(laid, frames, frame);
  return heaviest(frames.cls, weights(classes), from, end);
}

const rgb = hex => [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));

/* A colour as a pixel of an image: red is the lowest byte. */
const packed = ([r, g, b]) => (255 << 24 | b << 16 | g << 8 | r) >>> 0;

/* What is on a canvas: {small, image, pixels, marked, looks}: a smaller canvas with
 * a pixel for each cell, its image, which of them are marked as changed, and all
 * else that the drawing depends on. */
const drawn = new WeakMap();

function drawnOn(canvas, cols, rows) {
  const last = drawn.get(canvas);
  if (last && last.image.width === cols && last.image.height === rows)
    return last;
  const image = new ImageData(cols, rows);
  const is = {small: new OffscreenCanvas(cols, rows).getContext('2d'), image,
    pixels: new Uint32Array(image.data.buffer), marked: new Uint8Array(cols * rows),
    looks: ''};
  drawn.set(canvas, is);
  return is;
}

/* Set a cell's pixel and mark; was it another? */
function setCell(on, i, pixel, mark) {
  const other = on.pixels[i] !== pixel || on.marked[i] !== mark;
  on.pixels[i] = pixel;
  on.marked[i] = mark;
  return other;
}

/* The rows that are to be drawn, [[first, behind the last]], of those that have
 * changed. A cell's mark covers a little of its neighbours. */
function bands(changed) {
  const list = [];

  changed.forEach((is, row) => {
    const last = list[list.length - 1], from = Math.max(0, row - 1);
    const to = Math.min(changed.length, row + 2);
    if (is && last && last[1] >= from)
      last[1] = to;
    else if (is)
      list.push([from, to]);
  });
  return list;
}

/*
 * Draw on a canvas what it does not show yet: all, or the rows in which a cell has
 * another colour or mark. options: dark, lit: name of the only class that is bright (or
 * none), changed: Uint8Array by frame, marked: frames. Returns how many rows it drew.
 */
export function paint(canvas, laid, frames, classes, options) {
  const {cols, rows, per} = laid, cells = cellClasses(laid, frames, weights(classes));
  const paper = options.dark ? [18, 22, 29] : [255, 255, 255];
  const free = classes.indexOf('free'), lit = classes.indexOf(options.lit);
  const shown = (colour, c) => lit < 0 || c === lit ? colour
    : colour.map((v, k) => Math.round(v * 0.15 + paper[k] * 0.85));
  const colours = classes.map((name, c) => packed(shown(rgb(classColour(name, options.dark)), c)));
  const shades = Array.from({length: 16}, (_, order) =>
    packed(shown(freeShade(order, options.dark), free)));
  const on = drawnOn(canvas, cols, rows), changed = new Uint8Array(rows);
  const notSame = changedCells(laid, frames, options.changed);
  const looks = JSON.stringify([canvas.width, canvas.height, laid, options.dark,
    options.lit, options.marked]);

  const {order} = frames;
  for (let i = 0; i < cells.length; i++) {
    const pixel = cells[i] === 255 ? 0
      : cells[i] === free ? shades[order[laid.first + i * per] & 15]
        : colours[cells[i]];
    if (setCell(on, i, pixel, notSame[i]))
      changed[Math.floor(i / cols)] = 1;
  }
  const todo = on.looks === looks ? bands(changed) : [[0, Infinity]];
  on.looks = looks;
  if (todo.length)
    on.small.putImageData(on.image, 0, 0);
  for (const [from, to] of todo)
    paintRows(canvas, from, to, {laid, on, cells, classes, options});
  return todo.reduce((n, [from, to]) => n + Math.min(to, rows) - from, 0);
}

/* Draw a part of the rows, and nothing beside it. */
function paintRows(canvas, from, to, {laid, on, cells, classes, options}) {
  const {cols, rows, cell, tall} = laid, g = canvas.getContext('2d');
  const top = from * tall, height = Math.min(canvas.height, to * tall) - top;

  g.save();
  g.beginPath();
  g.rect(0, top, canvas.width, height);
  g.clip();
  g.imageSmoothingEnabled = false;
  g.clearRect(0, top, canvas.width, height);
  g.drawImage(on.small.canvas, 0, 0, cols * cell, rows * tall);
  for (const [name, d] of patternPaths(laid, cells, classes, from, to, options.lit)) {
    g.fillStyle = patternTile(name);
    g.fill(new Path2D(d));
  }
  if (cell >= 6)
    grid(g, laid, options.dark);
  if (cell >= 14)
    letters(g, laid, cells, classes, from, to);
  marks(g, laid, on.marked, options);
  g.restore();
}

/* Where there are patterns, in the rows from one to before another: [[pattern, path]]. */
function patternPaths({cols, cell, tall}, cells, classes, from, to, lit) {
  const paths = new Map(), end = Math.min(to * cols, cells.length);
  const names = classes.map(c => !lit || c === lit ? classPattern(c) : '');

  for (let i = from * cols; i < end;) {
    const c = cells[i], first = i, rowEnd = Math.floor(i / cols + 1) * cols;
    while (i < rowEnd && cells[i] === c)
      i++;
    if (!names[c])
      continue;
    const part = `M${(first % cols) * cell} ${Math.floor(first / cols) * tall}h${
      (i - first) * cell}v${tall}h${(first - i) * cell}z`;
    if (!paths.has(names[c]))
      paths.set(names[c], []);
    paths.get(names[c]).push(part);
  }
  return [...paths].map(([name, parts]) => [name, parts.join('')]);
}

function grid(g, {cols, rows, cell, tall}, dark) {
  g.strokeStyle = dark ? '#12161d' : '#ffffff';
  g.lineWidth = 1;
  g.beginPath();
  for (let x = 0; x <= cols; x++) {
    g.moveTo(x * cell - 0.5, 0);
    g.lineTo(x * cell - 0.5, rows * tall);
  }
  for (let y = 0; y <= rows; y++) {
    g.moveTo(0, y * tall - 0.5);
    g.lineTo(cols * cell, y * tall - 0.5);
  }
  g.stroke();
}

/* Of the rows from one to before another. */
function letters(g, {cols, cell, tall}, cells, classes, from, to) {
  g.fillStyle = '#14181d';
  g.font = `600 ${cell - 4}px system-ui, sans-serif`;
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  cells.subarray(from * cols, Math.min(to * cols, cells.length)).forEach((c, at) => {
    const i = from * cols + at;
    if (c !== 255)
      g.fillText(classLetter(classes[c]), (i % cols + 0.5) * cell,
                 (Math.floor(i / cols) + 0.55) * tall);
  });
}

/* By cell, 1: it has a frame which is not as remembered. */
function changedCells({cols, rows, per, first}, frames, changed) {
  const cells = new Uint8Array(cols * rows);

  if (!changed)
    return cells;
  for (let i = 0; i < cells.length; i++)
    for (let f = first + i * per; f < Math.min(frames.n, first + (i + 1) * per); f++)
      if (changed[f]) {
        cells[i] = 1;
        break;
      }
  return cells;
}

/* The boxes of cells that are marked: [{x, y, w, h}]. */
const cellBoxes = ({cols, cell, tall}, marked) => [...marked.keys()]
  .filter(i => marked[i]).map(i => ({x: (i % cols) * cell,
    y: Math.floor(i / cols) * tall, w: cell - 1, h: tall - 1}));

/* Boxes around marked frames that are shown: [{x, y, w, h}]; small cells get larger ones. */
function markBoxes(laid, marked) {
  const {rows, cell, tall, first} = laid, grow = Math.max(0, 5 - cell / 2);

  return (marked || []).map(f => ({f, at: placeOf(laid, f)}))
    .filter(({f, at}) => f >= first && at.y < rows * tall)
    .map(({at}) => ({x: at.x - grow, y: at.y - grow, w: cell + 2 * grow - 1,
      h: tall + 2 * grow - 1}));
}

/* Frames that are not as remembered, and those that are picked. */
function marks(g, laid, changed, options) {
  g.strokeStyle = options.dark ? '#f58fe0' : '#a5118a';
  g.lineWidth = Math.max(1.5, laid.cell / 6);
  if (options.changed)
    for (const {x, y, w, h} of cellBoxes(laid, changed))
      g.strokeRect(x, y, w, h);
  g.strokeStyle = options.dark ? '#ffffff' : '#000000';
  g.lineWidth = 2;
  for (const {x, y, w, h} of markBoxes(laid, options.marked))
    g.strokeRect(x, y, w, h);
}

/* The same as shapes, for a file: cells of a row that are alike are one. options: as
 * for paint(), but dark. */
export function shapesOf(laid, frames, classes, options = {}) {
  const {cols, rows, cell, tall, per, first} = laid, shapes = [];
  const cells = cellClasses(laid, frames, weights(classes));
  const look = Array.from(cells, (c, i) => c === 255 ? ''
    : (classes[c] === 'free' ? freeClass(frames.order[first + i * per]) : 'c-' + classes[c]) +
      (options.lit && classes[c] !== options.lit ? ' unlit' : ''));

  for (let row = 0; row < rows; row++)
    for (let col = 0; col < cols;) {
      const c = look[row * cols + col], from = col;
      while (col < cols && look[row * cols + col] === c)
        col++;
      if (c)
        shapes.push(rect(from * cell, row * tall, (col - from) * cell, tall, c));
    }
  for (const [name, d] of patternPaths(laid, cells, classes, 0, rows, options.lit))
    shapes.push(path(d, '', {fill: `url(#p-${name})`, still: true}));
  for (const {x, y, w, h} of cellBoxes(laid, changedCells(laid, frames, options.changed)))
    shapes.push(rect(x, y, w, h, 'changed'));
  for (const {x, y, w, h} of markBoxes(laid, options.marked))
    shapes.push(rect(x, y, w, h, 'hit'));
  return shapes;
}

/* [class, frames] of what there is, the most first. */
export const classesThere = (state, frames) => state.classes.map((c, i) => [c, frames.counts[i]])
  .filter(([, n]) => n).sort((a, b) => b[1] - a[1]);

/*
 * What stands beside: the legend with totals, and the free blocks by size. options:
 * width, lit. Returns {w, h, shapes}.
 */
export function sideLayout(state, frames, options) {
  const shapes = [], width = options.width;
  let y = 22;

  shapes.push(text(0, 14, `${number(frames.n)} frames, ${
    pagesText(frames.n)}`, 'bold'));
  classesThere(state, frames).forEach(([c, n]) => {
    shapes.push(group('class ' + c, [
      rect(-2, y, width, 21, options.lit === c ? 'wash' : 'touch', {r: 3, at: {lit: c},
        tip: `${classWords(c)}: ${plural(n, 'frame')}\nClick to light up this class alone`}),
      ...swatch(0, y + 2, 17, 17, c).map(s => ({...s, still: true})),
      text(24, y + 14, c, '', {still: true}),
      text(width - 66, y + 14, number(n), 'mono', {a: 'end', still: true}),
      text(width - 6, y + 14, pagesText(n), 'small soft', {a: 'end', still: true})]));
    y += 21;
  });
  for (const line of ['A program’s text is in the cache of files;',
    'Address spaces calls it code.']) {
    y += 13;
    shapes.push(text(0, y, line, 'small soft'));
  }
  y += 26;
  shapes.push(text(0, y, 'Free blocks, by size', 'bold'));
  const blocks = state.free_blocks, pages = blocks.map((n, i) => n * 2 ** i);
  const total = pages.reduce((a, b) => a + b, 0);
  const most = Math.max(1, ...pages);
  let largest = 0;
  y += 6;
  blocks.forEach((n, i) => {
    if (n)
      largest = i;
    shapes.push(rect(0, y + 1, 12, 12, 'shade ' + freeClass(i)), text(64, y + 11, bytes(4096 * 2 ** i), 'small soft', {a: 'end'}),
      rect(70, y + 2, (width - 130) * pages[i] / most, 10, 'on', {tip:
        `${plural(n, 'block')} of ${bytes(4096 * 2 ** i)}`}),
      text(width - 6, y + 11, n ? `${n} ×` : '–', 'mono small', {a: 'end'}));
    y += 15;
  });
  const part = total ? Math.round(100 * (1 - pages[largest] / total)) : 0;
  shapes.push(text(0, y + 16, `${pagesText(total)} free; the largest block has ${
    bytes(4096 * 2 ** largest)}`, 'small soft'), text(0, y + 30,
    `${part}% of what is free is in smaller blocks`, 'small soft'));
  return {w: width, h: y + 36, shapes};
}

/*
 * What is said of a frame: {laid, answer, whole}; answer: to the request "frame", if there
 * is one, and then nothing is said that is of another moment; whole: with all who map it.
 */
export function frameWords(state, frames, frame, {laid, answer, whole}) {
  const i = frame - state.start;
  const is = answer ? {cls: answer.class, order: answer.order,
    maps: answer.maps.filter(m => m.pid !== KERNEL).length}
    : {cls: state.classes[frames.cls[i]], order: frames.order[i], maps: frames.maps[i]};
  const lines = [`frame ${toHex(frame)}`,
    classWords(is.cls) === is.cls ? is.cls : `${is.cls}: ${classWords(is.cls)}`];

  if (is.cls === 'free')
    lines.push(`in a free block of ${bytes(4096 * 2 ** is.order)}`);
  else
    lines.push(`mapped ${plural(is.maps, 'time')} by processes`);
  if (laid.per > 1)
    lines.push(cellWords(state, frames, laid, i));
  if (answer)
    lines.push(...holderWords(answer, whole));
  return lines.join('\n');
}

/* What else is in the cell of a frame, and which of them gives it the colour. */
function cellWords({classes}, frames, laid, frame) {
  const {from, end} = cellOf(laid, frames, frame), counts = new Map();

  for (const c of frames.cls.subarray(from, end))
    counts.set(classes[c], (counts.get(classes[c]) || 0) + 1);
  const shown = classes[frames.cls[shownOf(laid, frames, classes, frame)]];
  return `its cell is of ${plural(end - from, 'frame')}: ${
    [...counts].map(([c, n]) => `${n} ${c}`).join(', ')}; the colour is that of ${shown}`;
}

const MAP_LINES = 16; /* that a tip has room for */

/* The kernel has all RAM in its table: that is no holder of a frame. */
const isReach = ({pid, what}) => pid === KERNEL && what === 'RAM';

/* Who has a frame, by the answer to "frame": the lines. A page of a file has a holder more
 * than entries that lead to it, as long as the cache has it. */
export function holderWords({owner, count, maps}, whole) {
  const held = maps.filter(m => !isReach(m));

  return [`the kernel says: ${owner}, ${plural(count, 'holder')}`,
    ...owner === 'cache' && count > held.length ? ['  the cache of files'] : [],
    ...mapWords(held, whole ? Infinity : MAP_LINES),
    ...maps.filter(isReach).map(m => `no holder: the kernel reaches all RAM, this at ${m.va}`)];
}

/* A line for each address and program, however many processes run it. */
function mapWords(maps, most) {
  const alike = new Map();

  for (const {name, pid, va, what} of maps) {
    const key = `${name} ${va} ${what}`;
    alike.set(key, [...alike.get(key) || [], {name, pid, va, what}]);
  }
  const groups = [...alike.values()], more = groups.slice(most).flat().length;
  const lines = groups.slice(0, most).map(all =>
    `  ${all[0].name} ${pidRanges(all.map(m => m.pid))}${all[0].va} ${all[0].what}`);
  return [...lines, ...more ? [`  and ${more} more: click, and Details list all`] : []];
}

/* "[3] [5–9] ": pids in order; of the kernel, nothing. */
function pidRanges(pids) {
  const ranges = [];

  for (const pid of pids.filter(p => p !== KERNEL).sort((a, b) => a - b)) {
    const last = ranges[ranges.length - 1];
    if (last && pid === last[1] + 1)
      last[1] = pid;
    else
      ranges.push([pid, pid]);
  }
  return ranges.map(([a, b]) => `[${a === b ? a : `${a}–${b}`}] `).join('');
}

