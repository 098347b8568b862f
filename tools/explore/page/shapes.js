/*
 * What views are made of. A view's layout() returns an array of shapes, plain
 * objects, and knows nothing of documents; here they become elements of the page
 * or the text of an SVG file.
 *
 *   {k: 'rect', x, y, w, h, r, c}     r: radius of the corners, c: CSS classes
 *   {k: 'text', x, y, s, c, a}        s: what it says, a: start, middle or end
 *   {k: 'line', x1, y1, x2, y2, c}
 *   {k: 'path', d, c, transform}
 *   {k: 'g', id, label, of, transform}     of: shapes; label: for screen readers
 *   {k: 'lines', id, x, y, w, h, row, columns}     text that changes all the time: rows so
 *       high of columns [{x, w, c, a, of}], of: what each row says. A browser lays out
 *       and styles each <text> by itself; on the page a column is one element of HTML
 *
 * Any may have `tip`, what hovering says, or `tipAt`, a function of x that tells, and
 * `tipMore`, one of the state as it is then, which tells more than `tip`; and
 * `at`, what it stands for: an object that the page gets when it is clicked
 * ({pid, page}, {frame}, ...).
 */
import {setText} from './elements.js';
import {classLetter, classPattern, patternDefs, styleText} from './palette.js';

export const rect = (x, y, w, h, c, more) => ({k: 'rect', x, y, w, h, c, ...more});
export const text = (x, y, s, c, more) => ({k: 'text', x, y, s: String(s), c, ...more});
export const line = (x1, y1, x2, y2, c) => ({k: 'line', x1, y1, x2, y2, c});
export const path = (d, c, more) => ({k: 'path', d, c, ...more});
export const lines = (id, {columns, row, ...where}) => ({k: 'lines', id, columns, row,
  h: columns[0].of.length * row, ...where});
export const group = (id, of, more) => ({k: 'g', id, of, ...more});

/* The same somewhere else. */
export function moved(shapes, x, y) {
  return shapes.map(s => {
    if (s.k === 'g')
      return {...s, of: moved(s.of, x, y)};
    const at = {...s};
    for (const k of ['x', 'x1', 'x2'])
      if (s[k] !== undefined)
        at[k] = s[k] + x;
    for (const k of ['y', 'y1', 'y2'])
      if (s[k] !== undefined)
        at[k] = s[k] + y;
    return s.d ? {...at, transform: `translate(${x} ${y})`} : at;
  });
}

/* A shape of a class's colour, and the class's pattern over it. */
export function patterned(shape, name) {
  const {k, x, y, w, h, d} = shape, pattern = classPattern(name);

  return pattern ? [shape, {k, x, y, w, h, d, fill: `url(#p-${pattern})`, still: true}]
    : [shape];
}

/* Pages of a class: colour, pattern, and the letter where there is room. */
export function swatch(x, y, w, h, name, more = {}) {
  if (name === 'absent')
    return [rect(x, y, w, h, 'absent', more)];
  const plain = rect(x, y, w, h, 'c-' + name, more);
  const shapes = h >= 5 && w >= 5 ? patterned(plain, name) : [plain];
  if (h >= 12 && w >= 12)
    shapes.push(text(x + w / 2, y + h / 2 + 4, classLetter(name), 'letter',
                     {a: 'middle', still: true}));
  return shapes;
}

/* What a letter takes, in pixels: enough for layouts. big: bold, too. */
const LETTER = {mono: 6.7, smallMono: 6.1, plain: 6.2, small: 5.5, big: 8};

export const widthOf = (s, kind = 'plain') => s.length * LETTER[kind];

/* There is room for so many of them. */
export const lettersIn = (width, kind = 'plain') => Math.floor(width / LETTER[kind]);

/* The text, shortened to so many pixels; tail: what follows it, and is not. */
export function fit(s, width, kind = 'plain', tail = '') {
  const most = lettersIn(width, kind) - tail.length;
  return (s.length <= most ? s : s.slice(0, Math.max(0, most - 1)) + '…') + tail;
}

/* Its lines, of at most so many letters. */
export function wrapped(s, most) {
  const lines = [''];
  for (const word of s.split(' ')) {
    const last = lines[lines.length - 1];
    if (last && last.length + 1 + word.length > most)
      lines.push(word);
    else
      lines[lines.length - 1] = last ? last + ' ' + word : word;
  }
  return lines;
}

/* An arrow head that points at x, y: to the right, or down. */
export function arrowHead(x, y, down, c = 'tip') {
  return path(down ? `M${x} ${y}l-4-8h8z` : `M${x} ${y}l-8-4v8z`, c);
}

const LEGEND_LEFT = 8, LEGEND_ROW = 17, LEGEND_SIGN = 22;

/* Add a legend under a drawing, for a file that has no page around it. items:
 * [{sign(x, y), words}]; a sign is 16 by 15 pixels. */
export function withLegend(laid, items) {
  const right = laid.w - LEGEND_LEFT;
  const shapes = [line(LEGEND_LEFT, laid.h + 4, right, laid.h + 4, 'rule')];
  let x = LEGEND_LEFT, y = laid.h + 12;

  for (const {sign, words} of items) {
    const w = LEGEND_SIGN + widthOf(words) + 14;
    if (x > LEGEND_LEFT && x + w > right) {
      x = LEGEND_LEFT;
      y += LEGEND_ROW;
    }
    shapes.push(...sign(x, y), text(x + LEGEND_SIGN, y + 12, words, 'soft'));
    x += w;
  }
  return {...laid, h: y + LEGEND_ROW + 6, shapes: [...laid.shapes, ...shapes]};
}

const round = v => Math.round(v * 100) / 100;
const NUMBERS = ['x', 'y', 'x1', 'y1', 'x2', 'y2'];

/* Does the mouse find something there? */
const hasSaying = shape => Boolean(shape.at || shape.tip || shape.tipAt);

/* The attributes of a shape's element. */
function attributes(shape) {
  const a = {};

  for (const name of NUMBERS)
    if (shape[name] !== undefined)
      a[name] = round(shape[name]);
  if (shape.k === 'rect' || shape.k === 'lines') {
    a.width = round(Math.max(0, shape.w));
    a.height = round(Math.max(0, shape.h));
  }
  if (shape.r)
    a.rx = shape.r;
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
  else if (shape.k === 'rect' && hasSaying(shape))
    a['pointer-events'] = 'all'; /* inside, too, where nothing is filled */
  return a;
}

const escaped = s => s.replace(/[&<>"]/g, c => (
  {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'})[c]);

/* From the top of a row to the line that its letters stand on. */
const BASELINE = 13;

/* Lines as texts. */
const linesAsTexts = ({x, y, row, columns}) => columns.flatMap(column =>
  column.of.map((s, i) => text(x + column.x + (column.a === 'end' ? column.w : 0),
    y + i * row + BASELINE, s, column.c, {a: column.a})).filter(t => t.s));

/* What hovering says wherever that is on the shape. */
export const tipText = ({tip, tipMore}, state) =>
  tipMore ? `${tip}\n${tipMore(state)}` : tip;

function shapeText(shape, state) {
  const texts = of => of.map(each => shapeText(each, state)).join('\n');
  if (shape.k === 'lines')
    return texts(linesAsTexts(shape));
  const a = Object.entries(attributes(shape))
    .filter(([name]) => name !== 'pointer-events')
    .map(([name, v]) => ` ${name}="${escaped(String(v))}"`).join('');
  const tip = shape.tip ? `<title>${escaped(tipText(shape, state))}</title>` : '';
  if (shape.k === 'g')
    return `<g${a}>${texts(shape.of)}</g>`;
  const inside = tip + (shape.k === 'text' ? escaped(shape.s) : '');
  return inside ? `<${shape.k}${a}>${inside}</${shape.k}>` : `<${shape.k}${a}/>`;
}

/* An SVG file of a state. theme: "light", "dark", or "" for the reader's own. */
export function svgText(state, shapes, w, h, title, theme = '') {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${Math.ceil(w)}" ` +
    `height="${Math.ceil(h)}" viewBox="0 0 ${Math.ceil(w)} ${Math.ceil(h)}" ` +
    `role="img">\n<title>${escaped(title)}</title>\n` +
    `<style>${styleText(theme)}</style>\n<defs>${patternDefs()}</defs>\n` +
    `<rect width="100%" height="100%" class="paper"/>\n` +
    shapes.map(each => shapeText(each, state)).join('\n') + '\n</svg>\n';
}

const SVG = 'http://www.w3.org/2000/svg';

/* What a column says; no name of a process can be more than a line. */
const columnText = ({of}) => of.map(s => s.replace(/[\n\r\v\f\x85\u2028\u2029]/g, ' '))
  .join('\n');

function columnElement(row, column) {
  const e = document.createElement('pre');
  e.className = column.c;
  e.style.left = column.x + 'px';
  e.style.width = column.w + 'px';
  e.style.lineHeight = row + 'px';
  e.style.textAlign = column.a || 'start';
  e.textContent = columnText(column);
  return e;
}

/* The columns are the same, by their places and classes. */
function changeLines(e, {columns}) {
  columns.forEach((column, i) => setText(e.children[i], columnText(column)));
}

function element(shape) {
  const e = document.createElementNS(SVG, shape.k === 'lines' ? 'foreignObject' : shape.k);
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
  for (const column of shape.columns || [])
    e.append(columnElement(shape.row, column));
  if (hasSaying(shape))
    e.shape = shape;
  return e;
}

/* Set an attribute, if it is not so: a browser lays out anew even for the same value. */
export function setOnce(e, name, value) {
  if (e.getAttribute(name) !== String(value))
    e.setAttribute(name, value);
}

/* All that an element depends on. */
const LOOKS = [...NUMBERS, 'w', 'h', 'r', 'c', 's', 'a', 'd', 'transform', 'fill', 'still',
  'label'];
const looksSame = (was, is) => LOOKS.every(name => was[name] === is[name]) &&
  hasSaying(was) === hasSaying(is);

/* Make what shows one shape show another of its kind. What is the same is not
 * touched: the browser styles, lays out and paints only what was. */
function change(e, was, is) {
  if (was === is)
    return;
  if (!looksSame(was, is))
    changeLooks(e, was, is);
  if (is.of)
    changeAll(e, was.of, is.of);
  if (is.columns)
    changeLines(e, is);
  e.shape = hasSaying(is) ? is : undefined;
}

function changeLooks(e, was, is) {
  const before = attributes(was), now = attributes(is);

  for (const name in before)
    if (now[name] === undefined)
      e.removeAttribute(name);
  for (const name in now)
    if (now[name] !== before[name])
      e.setAttribute(name, now[name]);
  if (is.k === 'text' && is.s !== was.s)
    if (e.firstChild && is.s)
      e.firstChild.data = is.s;
    else
      e.textContent = is.s;
  if (is.label !== was.label)
    e.setAttribute('aria-label', is.label);
}

function changeAll(parent, was, is) {
  let e = parent.firstChild;

  is.forEach((shape, i) => {
    if (!e) {
      parent.append(element(shape));
      return;
    }
    const next = e.nextSibling;
    if (was[i].k === shape.k)
      change(e, was[i], shape);
    else
      e.replaceWith(element(shape));
    e = next;
  });
  while (e) {
    const next = e.nextSibling;
    e.remove();
    e = next;
  }
}

/* An element for a shape that had none: one whose own shape has gone is as good as a
 * new one. spare: those, {shape, e}, by kind. */
function reuse(spare, shape) {
  const old = !shape.columns && (spare.get(shape.k) || []).pop();

  if (!old || Boolean(old.shape.label) !== Boolean(shape.label))
    return element(shape);
  change(old.e, old.shape, shape);
  return old.e;
}

/* Make the svg element show the shapes. One with an id keeps its element; others do
 * by their place. Most of a machine does not change in a quarter of a second, and a
 * shape that is the very same object is not even looked at. */
export function draw(svg, shapes, w, h) {
  const before = svg.drawn || new Map(), now = new Map(), spare = new Map();
  const ids = shapes.map((shape, i) => shape.id || '#' + i), there = new Set(ids);

  for (const [id, old] of before)
    if (!there.has(id))
      spare.set(old.shape.k, [...spare.get(old.shape.k) || [], old]);
  shapes.forEach((shape, i) => {
    const old = before.get(ids[i]), same = old && old.shape.k === shape.k;
    if (same)
      change(old.e, old.shape, shape);
    now.set(ids[i], {shape, e: same ? old.e : reuse(spare, shape)});
  });
  svg.drawn = now;
  /* What stays is not taken out, even for a moment: it would be laid out anew. */
  const order = [...now.values()].map(made => made.e), stays = new Set(order);
  for (const e of [...svg.childNodes])
    if (!stays.has(e))
      e.remove();
  let next = svg.firstChild;
  for (const e of order)
    if (e === next)
      next = next.nextSibling;
    else
      svg.insertBefore(e, next);
  setOnce(svg, 'width', Math.ceil(w));
  setOnce(svg, 'height', Math.ceil(h));
}

/* Make a select offer [[words, value]]. Options that stay are left alone. */
export function offer(select, list) {
  const {options, offered = []} = select;

  list.forEach(([words, value], i) => {
    const [hadWords, had] = offered[i] || [];
    if (words === hadWords && value === had)
      return;
    const option = options[i] || select.appendChild(new Option());
    option.text = words;
    option.value = value;
  });
  options.length = list.length;
  select.offered = list;
}
