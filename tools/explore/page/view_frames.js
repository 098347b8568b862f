/*
 * Physical memory: a cell for each frame, on a canvas, and beside it the classes of
 * frames and the free blocks. A click on a cell goes to the page that it is of.
 */
import * as frames from './frames.js';
import {$, button, note, setText} from './elements.js';
import {KERNEL, holders, pagesText, plural, toHex} from './model.js';
import {classWords} from './palette.js';
import {draw, moved, setOnce} from './shapes.js';
import {NARROWEST, View, legendBox} from './view.js';

const SIDE = 250; /* pixels: width of what is beside the cells */

export class FramesView extends View {
  constructor(app) {
    const canvas = $('canvas');

    super(app);
    this.size = 0;     /* of a cell; 0: so that all are seen */
    this.lit = '';     /* the class that is lit up */
    this.cells = null; /* as they were drawn last */
    canvas.addEventListener('mousemove', e => this.hover(e));
    canvas.addEventListener('mouseleave', () => app.mouse.leave());
    canvas.addEventListener('click', () => this.goToPage());
    $('cells').addEventListener('scroll', () => this.lookAnew());
    new ResizeObserver(() => this.lookAnew()).observe($('cells'));
  }

  /* Another part may be seen. */
  lookAnew() {
    this.seen = null;
    this.app.render();
  }

  shown() {
    this.seen = null;
  }

  /* For a file: the page has a canvas, see paint(). */
  layout() {
    const {state, pane} = this.app, all = this.app.frames;
    const side = this.layoutSide(), width = Math.max(pane.width, NARROWEST);
    const laid = frames.layout(all.n, width - SIDE - 20, Math.max(500, side.h), {});

    return {w: width, h: Math.max(laid.height, side.h) + 20, label: 'physical memory',
      shapes: [...moved(frames.shapesOf(laid, all, state.classes, this.marks()), 0, 10),
        ...moved(side.shapes, width - SIDE - 6, 0)]};
  }

  layoutSide() {
    const {state, frames: all} = this.app;
    return frames.sideLayout(state, all, {width: SIDE, lit: this.lit});
  }

  /* What is marked among the frames. */
  marks() {
    const {state, stop, pointed} = this.app;
    return {lit: this.lit, changed: stop.diff && stop.diff.frames,
      marked: pointed.frame >= 0 ? [pointed.frame - state.start] : []};
  }

  paint() {
    const {state, dark, frames: all} = this.app, box = $('cells'), canvas = $('canvas');

    if (!all)
      return;
    this.seen = this.seen || {w: Math.max(1, box.clientWidth - 4),
      h: Math.max(1, box.clientHeight), top: box.scrollTop};
    const {w, h, top} = this.seen;
    const laid = frames.layout(all.n, w, h, {size: this.size, top});

    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w;
      canvas.height = h;
    }
    setOnce($('tall'), 'style', `height: ${this.size ? laid.height : 0}px`);
    frames.paint(canvas, laid, all, state.classes, {dark, ...this.marks()});
    const side = this.layoutSide();
    draw($('side'), side.shapes, side.w, side.h);
    this.cells = laid;
    const label = laid.per > 1 ? `a cell is ${plural(laid.per, 'frame')}, ${
      pagesText(laid.per)}` : 'a cell is a frame, 4 KiB';
    setText($('cellSays'), `${label}; lowest address first`);
    setOnce(canvas, 'aria-label', 'physical memory: ' + label);
  }

  controls() {
    return [button('All', () => this.resize(0)),
      button('−', () => this.resize(-1),
             {title: 'smaller cells', 'aria-label': 'smaller cells'}),
      button('+', () => this.resize(1),
             {title: 'larger cells', 'aria-label': 'larger cells'}),
      note('', 'cellSays')];
  }

  legend(whole) {
    return [...super.legend(), ...whole && this.app.pointed.frame >= 0
      ? [legendBox('hit', 'the picked frame')] : []];
  }

  /* The next size of cells; 0: so that all are seen. */
  resize(by) {
    const sizes = frames.SIZES, now = this.size || (this.cells ? this.cells.cell : 4);
    const at = sizes.findIndex(s => s >= now);
    this.size = by === 0 ? 0
      : sizes[Math.max(0, Math.min(sizes.length - 1, (at < 0 ? sizes.length - 1 : at) + by))];
    this.app.pane.scrollsToPick();
  }

  /* Light up a class, or none if it was. */
  light(name) {
    this.lit = this.lit === name ? '' : name;
    this.app.render();
  }

  /* The next class of frames alone is lit up; behind the last one, none. */
  lightNext() {
    const {app} = this;

    if (app.current !== this || !app.frames)
      return;
    const all = ['', ...frames.classesThere(app.state, app.frames).map(([c]) => c)];
    this.lit = all[(all.indexOf(this.lit) + 1) % all.length];
    $('view').setAttribute('aria-label', this.lit ? `lit up: ${classWords(this.lit)}` : '');
    app.render();
  }

  hover(event) {
    const {pointed, mouse} = this.app;

    mouse.rests = event;
    pointed.keyed = false;
    this.look(event, true);
  }

  /* moves: see Mouse.look(). */
  look(event, moves) {
    const {app} = this;

    if (!this.cells || !app.frames)
      return;
    const i = frames.frameUnder(this.cells, event.offsetX, event.offsetY);
    if (i < 0) {
      app.mouse.leave();
      return;
    }
    const frame = this.ofCell(i);
    if (moves || app.pointed.held)
      app.pointed.lookAt(frame);
    app.mouse.tip(event, this.words(frame));
  }

  /* Of the cell that has a frame of the machine, counted from 0: the one that it shows. */
  ofCell(i) {
    const {state, frames: all} = this.app;
    return state.start + frames.shownOf(this.cells, all, state.classes, i);
  }

  /* whole: with all who map it, for a place that has room for them. */
  words(frame, whole) {
    const {state, pointed, frames: all} = this.app;
    return frames.frameWords(state, all, frame,
      {laid: this.cells, answer: pointed.answer(frame), whole});
  }

  /* A frame that a process maps: go to that page. */
  goToPage() {
    const {app} = this, held = holders(app.state, app.pointed.frame);
    const one = held.find(h => h.space.pid !== KERNEL) || held[0];
    if (one)
      app.pick({pid: one.space.pid, page: one.page});
  }

  key(key) {
    const {cells} = this, by = cells && {ArrowLeft: -1, ArrowRight: 1,
      ArrowUp: -cells.cols, ArrowDown: cells.cols}[key];

    if (by)
      this.move(by);
    else if (key === 'Enter')
      this.goToPage();
    else
      return false;
    return true;
  }

  /* To the frame so many cells on. */
  move(by) {
    const {app} = this, {pointed, state} = app;
    const from = Math.max(0, pointed.frame - state.start);
    const at = Math.max(0, Math.min(app.frames.n - 1, from + by * this.cells.per));

    app.mouse.forget();
    pointed.keyed = true;
    app.pane.scrollsToPick();
    pointed.lookAt(this.ofCell(at));
  }

  pickBox() {
    return this.cells && this.app.pointed.frame >= 0 ? {} : null;
  }

  /* Rows begin at the top of the canvas, so they are scrolled whole. */
  scrollTo() {
    const {cells} = this, {pointed, state} = this.app, box = $('cells');
    const row = Math.floor((pointed.frame - state.start) / cells.per / cells.cols);
    const shown = Math.floor(box.clientHeight / cells.tall);
    const first = Math.floor(box.scrollTop / cells.tall);

    if (this.size && (row < first || row >= first + shown))
      box.scrollTop = (row < first ? row : row - shown + 1) * cells.tall;
  }

  instead() {
    const {pointed} = this.app;
    return pointed.keyed && this.cells ? {title: `Frame ${toHex(pointed.frame)}`,
      sentence: 'Enter picks the page that leads here, if there is one.',
      facts: this.words(pointed.frame, true)} : null;
  }
}
