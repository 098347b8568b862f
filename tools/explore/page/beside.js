/*
 * A second machine beside the one that the page shows, started to be compared with
 * it: with more levels of page tables, of another kind, or booted to break. It has a
 * terminal of its own, and where both can say something to the same question, views
 * show them next to each other:
 *
 *    walk            [ this machine: level 2, 1, 0 ] [ the other: level 3, 2, 1, 0 ]
 *    address spaces  [ kernel, program             ] [ kernel, program             ]
 *
 * A moment that is remembered is of this machine alone, and so are the marks of what
 * differs. The other ends when it is closed, or with the page.
 */
import {Console} from './console.js';
import {nextRegion} from './keys.js';
import {Wire} from './wire.js';
import {KERNEL, parseState, spaceOf, title, toHex, toPage} from './model.js';
import {flagsWords, hex, hexWide, leadsWords, split} from './entry.js';
import {arrowHead, fit, group, line, moved, rect, text, widthOf} from './shapes.js';
import {layout as spacesLayout, pickMark} from './spaces.js';
import {differs} from './walk.js';

const COLUMN_MIN = 340, COLUMN_MAX = 412; /* width of a walk */
const BETWEEN = 18;      /* walks */
const ROW = 82;          /* height of a level */
const CARD = ROW - 16;
const TOP = 116;         /* of the first level */
const NAME = 22;         /* height of a machine's name above its spaces */
const OVERFLOW = /kernel stack overflow: .* under its stack at (0x[0-9a-f]+)/;

export class Beside {
  /* parts: the elements box, says, close and terminal. */
  constructor(app, parts) {
    this.app = app;
    this.parts = parts;
    this.program = '';
    parts.close.addEventListener('click', () => this.stop());
  }

  /* Is there one that can be compared with? */
  get on() {
    return Boolean(this.hello && this.state && this.state.spaces.length);
  }

  /* Start the machine of that name, and a program on it, if it is to run one. */
  start(name, program) {
    const {app, parts} = this;

    this.forget();
    this.program = program;
    parts.box.hidden = false;
    parts.says.textContent = 'Beside: a machine that starts …';
    app.wire.ask('beside', {name}).then(() => this.open(), error => {
      this.forget();
      app.notice.complain(error.message);
    });
  }

  open() {
    const {app} = this;

    this.wire = new Wire({message: m => this.take(m), frames: () => {},
      connected: is => is || this.gone()}, 'beside/state');
    this.console = new Console(this.parts.terminal, {place: place => this.takePlace(place),
      line: words => this.heard(words), leave: nextRegion}, 'beside/console');
    this.console.theme(app.dark ? 'dark' : 'light');
    this.console.start();
    if (this.program)
      this.console.run(this.program);
  }

  /* The server has closed the socket, as it does when it ends the machine: another page
   * wanted that. What was last there stays, until it is closed here, too. */
  gone() {
    this.wire.close();
    this.console.hangUp();
    this.parts.says.textContent = 'Beside: a machine that has ended';
    if (this.state)
      this.state = {...this.state, ended: true};
    this.tell();
    this.app.render();
  }

  /* Which machine it is. */
  tell() {
    if (this.on)
      this.parts.says.textContent = 'Beside: ' + name(this.hello, this.state.ended);
  }

  stop() {
    if (this.parts.box.hidden)
      return;
    if (!this.wire || !this.wire.closed) /* else there may be another page's */
      this.app.wire.ask('beside', {name: null}).catch(() => {});
    this.forget();
    this.app.render();
  }

  /* Nothing of it is shown any more. */
  forget() {
    for (const part of [this.wire, this.console])
      if (part)
        part.close();
    this.wire = this.console = this.hello = this.state = this.walk = this.place = null;
    this.program = '';
    this.parts.box.hidden = true;
  }

  take(message) {
    const {app} = this;

    if (message.type === 'hello')
      this.hello = message;
    else if (message.type === 'state')
      this.state = parseState(message, this.state);
    if (this.on) {
      this.tell();
      this.refresh();
      app.tour.update();
    }
    app.render();
  }

  /* A kernel stack that overflows is looked at where it did. */
  heard(words) {
    const found = OVERFLOW.exec(words);
    if (!found)
      return;
    this.app.views.walk.go(KERNEL, toPage(found[1]) - 1);
    this.app.notice.complain(`The machine beside: ${words.trim()}`);
  }

  type(words) {
    if (this.console)
      this.console.type(words);
  }

  /* The process here that is what a process of the page's machine is there. */
  like(pid) {
    const there = spaceOf(this.app.state, pid);
    return pid === KERNEL ? this.state.spaces[0]
      : this.state.spaces.findLast(s => there && s.name === there.name);
  }

  /* Its program says where to look, as the one on the page's machine does. */
  takePlace(place) {
    this.place = place;
    this.refresh();
    this.app.render();
  }

  /* Where on this machine is what the page walks to: if that is what the program there
   * has named, what the same program here has called the same; else the same address. */
  likeVa({pid, va}) {
    const {place: mine} = this.app.tour, {place} = this;
    return mine && place && mine.what === place.what && mine.pid === pid &&
      toHex(mine.page) === va && this.like(pid)?.pid === place.pid ? toHex(place.page) : va;
  }

  /* Ask for the walk that the page shows. */
  refresh() {
    const {views, view} = this.app, {to} = views.walk;
    const space = this.on && view === 'walk' && to && this.like(to.pid);

    if (!space) {
      this.walk = null;
      return;
    }
    this.wire.ask('walk', {pid: space.pid, va: this.likeVa(to)}).then(answer => {
      this.walk = {...answer, title: title(space)};
      this.app.render();
    }, () => {});
  }

  /* What this machine is called, and the other: of that nothing is marked. */
  names() {
    const {hello, state, stop} = this.app, ended = this.state.ended;

    return [name(hello, state.ended),
      name(this.hello, ended) + (stop.diff && !ended ? ' · not remembered' : '')];
  }

  /* Both walks. `mine` is this machine's answer; options: title, step, width, and what
   * differs() needs. */
  walksLayout(mine, options) {
    const [here, there] = this.names(), {hello} = this.app;
    const columns = [{hello, name: here, answer: mine, title: options.title,
      marked: differs(hello, mine, options)},
    {hello: this.hello, name: there, answer: this.walk, title: this.walk && this.walk.title,
      marked: []}];
    const vas = new Set(columns.filter(c => c.answer).map(c => c.answer.va));
    return {...walks(columns, options.step, options.width),
      label: `walks on both machines, to ${[...vas].join(' and ')}`};
  }

  /* Both kernels, each with a process. options: width, height, usersOnly. */
  spacesLayout(pid, options) {
    const [here, there] = this.names(), {state, stop, views} = this.app, {to} = views.walk;
    const like = n => (this.like(n) || this.state.spaces[0]).pid;
    const mark = (n, va) => ({pid: n, page: toPage(va)});
    return bothSpaces([{name: here, state, pid, mark: to && mark(to.pid, to.va),
      diff: stop.diff},
    {name: there, state: this.state, pid: like(pid),
      mark: to && mark(like(to.pid), this.likeVa(to)), diff: null}],
    options);
  }
}

const name = (hello, ended) => `${hello.arch}, ${hello.mode}${
  ended ? ' · it has ended' : ''}`;

/* --- walks --- */

/* The address, cut into the index of each level and the offset. */
function bitBoxes(hello, va, leaf, width) {
  const fields = split(hello, va, leaf), shapes = [];
  const each = (width - 4 * (fields.length - 1)) / fields.reduce((n, f) => n + f.bits, 0);
  let x = 0;

  for (const f of fields) {
    const w = f.bits * each, middle = {a: 'middle'};
    const digits = f.value.toString(2).padStart(f.bits, '0');
    shapes.push(rect(x, 58, w, 24, 'panel', {r: 3}),
      text(x + w / 2, 52, f.level < 0 ? 'offset' : `level ${f.level}`, 'small soft', middle),
      text(x + w / 2, 74, fit(digits, w + 4, 'mono') === digits ? digits : hex(f.value),
           'mono', middle),
      text(x + w / 2, 97, f.level < 0 ? hex(f.value) : `index ${f.value}`, 'bold', middle));
    x += w + 4;
  }
  return shapes;
}

function card(hello, s, y, width, {more, marked}) {
  const value = hexWide(hello, s.value);
  const between = (width + widthOf(value, 'mono') - widthOf(s.flags, 'mono')) / 2;
  const shapes = [rect(0, y, width, CARD, 'panel', {r: 5}),
    text(10, y + 19, `level ${s.level}, entry ${s.index}`, 'bold'),
    text(width - 10, y + 19, leadsWords(s), s.kind === 'none' ? 'bold bad' : 'soft', {a: 'end'}),
    text(10, y + 38, value, 'mono bold'),
    text(width - 10, y + 38, s.flags, 'mono accent', {a: 'end'}),
    text(10, y + 56, fit(flagsWords(hello, s.value), width - 20), 'small soft')];

  if (marked)
    shapes.push(rect(-2, y - 2, width + 4, CARD + 4, 'changed', {r: 5}),
      text(between, y + 38, `≠ ${marked}`, 'small bold change', {a: 'middle'}));
  if (more)
    shapes.push(line(24, y + CARD, 24, y + ROW - 2, 'wire'),
                arrowHead(24, y + ROW, true));
  return shapes;
}

function ending(answer, y, width) {
  const ok = answer.result !== null;
  return [rect(0, y, width, 46, ok && !answer.reason ? 'okay' : 'wrong', {r: 5}),
    text(10, y + 19, ok ? `physical address ${answer.result}` : 'page fault',
         'mono bold' + (ok ? '' : ' bad')),
    text(10, y + 37, fit(`${answer.reason || 'a read in user mode is allowed'}; ${
      answer.what || 'no region'}`, width - 10), 'small soft')];
}

/* levels: the most of all columns, so that the same level is at the same height. */
function walkColumn({hello, name: called, answer, title: whose, marked}, levels, step, width) {
  const shapes = [text(0, 18, called, 'title')];

  if (!answer)
    return [...shapes, text(0, 36, 'no such process there yet', 'soft')];
  const shown = answer.steps.slice(0, step), done = step > answer.steps.length;
  const end = shown.at(-1), leaf = end && end.kind === 'leaf' ? end.level : 0;
  shapes.push(text(0, 36, fit(`${answer.va} in ${whose}; ${hello.bits.join(' + ')
    } + 12 bits`, width), 'soft'), ...bitBoxes(hello, answer.va, leaf, width));
  for (let level = levels - 1; level >= hello.levels; level--)
    shapes.push(rect(0, TOP + (levels - 1 - level) * ROW, width, CARD, 'absent', {r: 5}),
      text(10, TOP + (levels - 1 - level) * ROW + 19,
           `no level ${level} here: the root is a table of level ${hello.levels - 1}`,
           'soft'));
  shown.forEach((s, n) => shapes.push(...card(hello, s, TOP + (levels - 1 - s.level) * ROW,
    width, {more: n + 1 < shown.length, marked: marked[n]})));
  if (done)
    shapes.push(...ending(answer, TOP + levels * ROW, width));
  return shapes;
}

/* What the lower levels of both have in common, in words. */
function alike(columns) {
  const answers = columns.map(c => c.answer);
  if (answers.some(a => !a) || answers[0].va !== answers[1].va)
    return '';
  const [a, b] = columns.map(c => split(c.hello, c.answer.va).reverse().slice(1));
  const n = a.findIndex((f, i) => !b[i] || f.low !== b[i].low || f.bits !== b[i].bits);
  const same = n < 0 ? a.length : n;
  return same === 0 ? 'An index has more bits on one than on the other: the same address, other indexes.'
    : same === Math.max(a.length, b.length) ? 'The same levels, the same indexes.'
    : `Levels 0 to ${same - 1} have the same indexes on both; what is above them says ` +
      'only how far the table reaches.';
}

function walks(columns, step, width) {
  const each = Math.max(COLUMN_MIN, Math.min(COLUMN_MAX, Math.floor((width - 12) / 2)));
  const levels = Math.max(...columns.map(c => c.hello.levels));
  const shapes = columns.flatMap((c, i) => [group('walk' + i, moved(
    walkColumn(c, levels, step, each - BETWEEN), 12 + i * each, 8), {label: c.name})]);
  const y = TOP + levels * ROW + 80;
  shapes.push(text(12, y, alike(columns), 'bold'));
  return {w: 12 + columns.length * each, h: y + 16, shapes};
}

/* --- address spaces: the page that is walked to is marked --- */

/* Clicks are for the page's own machine. */
const deaf = shapes => shapes.map(({at, tipMore, id, ...s}) =>
  s.of ? {...s, of: deaf(s.of)} : s);

/* The spaces that `rows` choose of each side, a row below the other. */
function spacesRows(sides, rows, height) {
  const shapes = [], tall = (height - NAME) / rows.length;
  const laid = rows.map(of => sides.map(side => {
    const pids = of(side);
    return spacesLayout({...side.state, spaces: side.state.spaces.filter(
      s => pids.includes(s.pid))}, {height: tall, width: 0, diff: side.diff});
  }));
  const w = Math.max(...laid.flat().map(l => l.w)) + 10;
  let y = NAME;

  sides.forEach((side, i) => shapes.push(text(i * w + 8, 16, side.name, 'title')));
  laid.forEach((row, n) => {
    row.forEach((l, i) => {
      const all = [...l.shapes, ...pickMark(l, sides[i].mark)];
      shapes.push(group(`side${i}-${n}`, moved(i ? deaf(all) : all, i * w, y),
                        {label: sides[i].name}));
    });
    y += Math.max(...row.map(l => l.h));
  });
  return {w: w * sides.length, h: y, shapes};
}

/* Kernel and process of both in a row; where that is too wide, the processes below. */
function bothSpaces(sides, {width, height, usersOnly}) {
  const row = spacesRows(sides, [side => [usersOnly ? side.pid : KERNEL, side.pid]],
                         height);
  return row.w <= width || usersOnly ? row : spacesRows(sides, [() => [KERNEL],
    side => side.pid === KERNEL ? [] : [side.pid]], height);
}
