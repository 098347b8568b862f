/*
 * Physical memory: every frame a cell, in order of address, row by row. Where there
 * are more frames than the canvas has room for, the view shows as many as fit at
 * this size and scrolls; or, at the smallest size, a cell stands for several frames and
 * has the colour of the class that most people would look for: anything before free.
 */
import {classColour, classLetter, classWords} from './palette.js';
import {rect, swatch, text} from './shapes.js';
import {bytes, pagesText, plural, toHex} from './model.js';

const SMALLEST = 3;
export const SIZES = [SMALLEST, 4, 6, 9, 14, 20];

/*
 * How cells are laid out on a canvas of w by h pixels: {cell, tall, per, cols, rows,
 * n, first, height}; cell and tall: a cell's width and height; per: frames for a cell;
 * first: the first frame that is shown; height: of all rows. options: size, of a cell, or 0: the largest that shows all;
 * top: how far it is scrolled, in pixels.
 */
export function layout(nframes, w, h, options = {}) {
  let cell = options.size || 0, per = 1;

  if (!cell) {
    cell = Math.floor(Math.sqrt(w * h / nframes));
    while (cell > SMALLEST && Math.ceil(nframes / Math.floor(w / cell)) * cell > h)
      cell--;
    cell = Math.max(SMALLEST, Math.min(20, cell));
    const room = Math.floor(w / cell) * Math.floor(h / cell);
    while (nframes / per > room)
      per *= 2;
  }
  const cols = Math.max(1, Math.floor(w / cell)), n = Math.ceil(nframes / per);
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

/* The class of each cell that is shown; 255: past the end. weight: for each class,
 * which one wins in a cell of several. */
export function cellClasses(laid, frames, weight) {
  const cells = new Uint8Array(laid.cols * laid.rows).fill(255);
  let f = laid.first;

  for (let i = 0; i < cells.length && f < frames.n; i++) {
    let best = frames.cls[f];
    const end = Math.min(frames.n, f + laid.per);
    for (let g = f + 1; g < end; g++)
      if (weight[frames.cls[g]] > weight[best])
        best = frames.cls[g];
    cells[i] = best;
    f = end;
  }
  return cells;
}

/* What the eye looks for wins: pages of processes, then the kernel's, then free. */
const ORDER = ['free', 'reserved', 'kernel', 'data', 'text', 'zero', 'slab', 'stack',
  'cache', 'pipe', 'table', 'private', 'shared', 'cow'];
export const weights = classes => classes.map(c => ORDER.indexOf(c));

const rgb = hex => [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));

/* Free blocks differ in shade: the larger the block, the nearer to the paper. */
const shade = (base, order, dark) => base.map(v => {
  const by = (10 - Math.min(10, order)) * 4;
  return Math.max(0, Math.min(255, dark ? v + by : v - by));
});

/*
 * Draw on a canvas. options: dark, lit: name of the only class that is bright (or
 * none), changed: Uint8Array by frame, marked: set of frames.
 */
export function paint(canvas, laid, frames, classes, options) {
  const {cols, rows, cell, tall, per} = laid, cells = cellClasses(laid, frames,
    weights(classes));
  const image = new ImageData(cols, rows), pixels = image.data;
  const colours = classes.map(c => rgb(classColour(c, options.dark)));
  const paper = options.dark ? [18, 22, 29] : [255, 255, 255];
  const free = classes.indexOf('free'), lit = classes.indexOf(options.lit);
  const shades = Array.from({length: 16}, (_, order) =>
    free < 0 ? paper : shade(colours[free], order, options.dark));

  for (let i = 0; i < cells.length; i++) {
    if (cells[i] === 255)
      continue;
    let c = cells[i] === free ? shades[frames.order[laid.first + i * per] & 15]
      : colours[cells[i]];
    if (lit >= 0 && cells[i] !== lit)
      c = c.map((v, k) => Math.round(v * 0.15 + paper[k] * 0.85));
    pixels[i * 4] = c[0];
    pixels[i * 4 + 1] = c[1];
    pixels[i * 4 + 2] = c[2];
    pixels[i * 4 + 3] = 255;
  }
  const small = new OffscreenCanvas(cols, rows);
  small.getContext('2d').putImageData(image, 0, 0);
  const g = canvas.getContext('2d');
  g.imageSmoothingEnabled = false;
  g.clearRect(0, 0, canvas.width, canvas.height);
  g.drawImage(small, 0, 0, cols * cell, rows * tall);
  if (cell >= 6)
    grid(g, laid, options.dark);
  if (cell >= 14)
    letters(g, laid, cells, classes);
  marks(g, laid, frames, options);
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

function letters(g, {cols, cell, tall}, cells, classes) {
  g.fillStyle = '#14181d';
  g.font = `600 ${cell - 4}px system-ui, sans-serif`;
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  cells.forEach((c, i) => {
    if (c !== 255 && classes[c] !== 'free')
      g.fillText(classLetter(classes[c]), (i % cols + 0.5) * cell,
                 (Math.floor(i / cols) + 0.55) * tall);
  });
}

/* Frames that are not as remembered, and those that are picked. */
function marks(g, laid, frames, options) {
  const {cols, rows, cell, tall, per, first} = laid;

  if (options.changed) {
    g.strokeStyle = options.dark ? '#f58fe0' : '#a5118a';
    g.lineWidth = Math.max(1.5, cell / 6);
    for (let i = 0; i < cols * rows; i++)
      for (let f = first + i * per; f < Math.min(frames.n, first + (i + 1) * per); f++)
        if (options.changed[f]) {
          g.strokeRect((i % cols) * cell, Math.floor(i / cols) * tall, cell - 1, tall - 1);
          break;
        }
  }
  g.strokeStyle = options.dark ? '#ffffff' : '#000000';
  g.lineWidth = 2;
  for (const f of options.marked || []) {
    const at = placeOf(laid, f), grow = Math.max(0, 5 - cell / 2);
    if (f >= first && at.y < rows * tall)
      g.strokeRect(at.x - grow, at.y - grow, cell + 2 * grow - 1, tall + 2 * grow - 1);
  }
}

/* The same as shapes, for a file: cells of a row that are alike are one. */
export function shapesOf(laid, frames, classes, top) {
  const cells = cellClasses(laid, frames, weights(classes)), shapes = [];

  for (let row = 0; row < laid.rows; row++)
    for (let col = 0; col < laid.cols;) {
      const c = cells[row * laid.cols + col], from = col;
      while (col < laid.cols && cells[row * laid.cols + col] === c)
        col++;
      if (c !== 255)
        shapes.push(rect(from * laid.cell, top + row * laid.tall,
          (col - from) * laid.cell, laid.tall, 'c-' + classes[c]));
    }
  return shapes;
}

/* How many frames of each class there are. */
export function countClasses(frames, classes) {
  const counts = new Array(classes.length).fill(0);
  for (let i = 0; i < frames.n; i++)
    counts[frames.cls[i]]++;
  return counts;
}

/*
 * What stands beside: the legend with totals, and the free blocks by size. options:
 * width, lit. Returns {w, h, shapes}.
 */
export function sideLayout(state, frames, options) {
  const shapes = [], width = options.width, counts = countClasses(frames, state.classes);
  let y = 22;

  shapes.push(text(0, 14, `${frames.n.toLocaleString('en')} frames, ${
    pagesText(frames.n)}`, 'bold'));
  state.classes.map((c, i) => [c, counts[i]]).filter(([, n]) => n)
    .sort((a, b) => b[1] - a[1]).forEach(([c, n]) => {
      shapes.push(rect(-2, y, width, 21, options.lit === c ? 'wash' : 'touch', {r: 3,
          at: {lit: c}, tip: `${classWords(c)}: ${plural(n, 'frame')}\n` +
            'Click to light up this class alone'}),
        ...swatch(0, y + 2, 17, 17, c).map(s => ({...s, still: true})),
        text(24, y + 14, c, '', {still: true}),
        text(width - 66, y + 14, n.toLocaleString('en'), 'mono', {a: 'end', still: true}),
        text(width - 6, y + 14, pagesText(n), 'small soft', {a: 'end', still: true}));
      y += 21;
    });
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
    shapes.push(text(52, y + 11, bytes(4096 * 2 ** i), 'small soft', {a: 'end'}),
      rect(58, y + 2, (width - 118) * pages[i] / most, 10, 'c-cache', {tip:
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

/* What hovering says of a frame; answer: to the request "frame", if there is one. */
export function frameWords(state, frames, frame, per, answer) {
  const i = frame - state.start, name = state.classes[frames.cls[i]];
  const lines = [`frame ${toHex(frame)}` + (per > 1 ? ` and ${per - 1} more` : ''),
    classWords(name) === name ? name : `${name}: ${classWords(name)}`];

  if (name === 'free')
    lines.push(`in a free block of ${bytes(4096 * 2 ** frames.order[i])}`);
  else
    lines.push(`mapped ${plural(frames.maps[i], 'time')} by processes`);
  if (answer && !answer.error) {
    lines.push(`the kernel says: ${answer.owner}, ${plural(answer.count, 'holder')}`);
    for (const m of answer.maps.slice(0, 12))
      lines.push(`  ${m.name}${m.pid ? ` [${m.pid}]` : ''} ${m.va} ${m.what}`);
    if (answer.maps.length > 12)
      lines.push(`  and ${answer.maps.length - 12} more`);
  }
  return lines.join('\n');
}

