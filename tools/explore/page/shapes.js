/*
 * What views are made of. A view's layout() returns an array of shapes, plain
 * objects, and knows nothing of documents; here they become elements of the page
 * or the text of an SVG file.
 *
 *   {k: 'rect', x, y, w, h, r, c}     r: radius of the corners, c: CSS classes
 *   {k: 'text', x, y, s, c, a}        s: what it says, a: start, middle or end
 *   {k: 'line', x1, y1, x2, y2, c}
 *   {k: 'path', d, c, transform}
 *   {k: 'g', id, label, of}           of: shapes; label: for screen readers
 *
 * Any may have `tip`, what hovering says, and `at`, what it stands for: an object
 * that the page gets when it is clicked ({pid, page}, {frame}, ...).
 */
import {classLetter, classPattern, patternDefs, styleText} from './palette.js';

export const rect = (x, y, w, h, c, more) => ({k: 'rect', x, y, w, h, c, ...more});
export const text = (x, y, s, c, more) => ({k: 'text', x, y, s: String(s), c, ...more});
export const line = (x1, y1, x2, y2, c) => ({k: 'line', x1, y1, x2, y2, c});
export const path = (d, c, more) => ({k: 'path', d, c, ...more});
export const group = (id, of, more) => ({k: 'g', id, of, ...more});

/* Pages of a class: colour, pattern, and the letter where there is room. */
export function swatch(x, y, w, h, name, more = {}) {
  if (name === 'absent')
    return [rect(x, y, w, h, 'absent', more)];
  const shapes = [rect(x, y, w, h, 'c-' + name, more)];
  const pattern = classPattern(name);
  if (pattern && h >= 5 && w >= 5)
    shapes.push({k: 'rect', x, y, w, h, fill: `url(#p-${pattern})`,
                 still: true});
  if (h >= 12 && w >= 12)
    shapes.push(text(x + w / 2, y + h / 2 + 4, classLetter(name), 'letter',
                     {a: 'middle', still: true}));
  return shapes;
}

/* What a letter takes, in pixels, at the usual size: enough for layouts. */
const LETTER = {mono: 6.7, plain: 6.2};

/* The text, shortened to so many pixels. */
export function fit(s, width, mono) {
  const most = Math.floor(width / (mono ? LETTER.mono : LETTER.plain));
  return s.length <= most ? s : s.slice(0, Math.max(0, most - 1)) + '…';
}

/* An arrow head that points at x, y: to the right, or down. */
export function arrowHead(x, y, down, c = 'tip') {
  return path(down ? `M${x} ${y}l-4-8h8z` : `M${x} ${y}l-8-4v8z`, c);
}

const round = v => Math.round(v * 100) / 100;
const NUMBERS = ['x', 'y', 'x1', 'y1', 'x2', 'y2'];

/* The attributes of a shape's element. */
function attributes(shape) {
  const a = {};

  for (const name of NUMBERS)
    if (shape[name] !== undefined)
      a[name] = round(shape[name]);
  if (shape.k === 'rect') {
    a.width = round(Math.max(0, shape.w));
    a.height = round(Math.max(0, shape.h));
    if (shape.r)
      a.rx = shape.r;
  }
  if (shape.d)
    a.d = shape.d;
  if (shape.transform)
    a.transform = shape.transform;
  if (shape.c)
    a.class = shape.c;
  if (shape.fill)
    a.fill = shape.fill;
  if (shape.a && shape.a !== 'start')
    a['text-anchor'] = shape.a;
  if (shape.still)
    a['pointer-events'] = 'none';
  else if (shape.k === 'rect' && (shape.at || shape.tip))
    a['pointer-events'] = 'all'; /* inside, too, where nothing is filled */
  return a;
}

const escaped = s => s.replace(/[&<>"]/g, c => (
  {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'})[c]);

function shapeText(shape) {
  const a = Object.entries(attributes(shape))
    .filter(([name]) => name !== 'pointer-events')
    .map(([name, v]) => ` ${name}="${escaped(String(v))}"`).join('');
  const tip = shape.tip ? `<title>${escaped(shape.tip)}</title>` : '';
  if (shape.k === 'g')
    return `<g>${shape.of.map(shapeText).join('\n')}</g>`;
  const inside = tip + (shape.k === 'text' ? escaped(shape.s) : '');
  return inside ? `<${shape.k}${a}>${inside}</${shape.k}>` : `<${shape.k}${a}/>`;
}

/* An SVG file. theme: "light", "dark", or "" for the reader's own. */
export function svgText(shapes, w, h, title, theme = '') {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(w)}" ` +
    `height="${Math.ceil(h)}" viewBox="0 0 ${Math.ceil(w)} ${Math.ceil(h)}" ` +
    `role="img">\n<title>${escaped(title)}</title>\n` +
    `<style>${styleText(theme)}</style>\n<defs>${patternDefs()}</defs>\n` +
    `<rect width="100%" height="100%" class="paper"/>\n` +
    shapes.map(shapeText).join('\n') + '\n</svg>\n';
}

const SVG = 'http://www.w3.org/2000/svg';

function element(shape) {
  const e = document.createElementNS(SVG, shape.k);
  for (const [name, v] of Object.entries(attributes(shape)))
    e.setAttribute(name, v);
  if (shape.k === 'text')
    e.textContent = shape.s;
  if (shape.label) {
    e.setAttribute('role', 'group');
    e.setAttribute('aria-label', shape.label);
  }
  for (const child of shape.of || [])
    e.append(element(child));
  if (shape.at || shape.tip)
    e.shape = shape;
  return e;
}

/* Make the svg element show the shapes. Groups with an id whose shapes are the
 * same as before stay as they are: most of a machine does not change in a quarter
 * of a second. */
export function draw(svg, shapes, w, h) {
  const before = svg.drawn || new Map(), now = new Map();
  const order = [];

  shapes.forEach((shape, i) => {
    const id = shape.id || '#' + i;
    const key = JSON.stringify(shape);
    const old = before.get(id);
    const made = old && old.key === key ? old : {key, e: element(shape)};
    now.set(id, made);
    order.push(made.e);
  });
  svg.drawn = now;
  const same = order.length === svg.childNodes.length &&
    order.every((e, i) => e === svg.childNodes[i]);
  if (!same)
    svg.replaceChildren(...order);
  svg.setAttribute('width', Math.ceil(w));
  svg.setAttribute('height', Math.ceil(h));
}
