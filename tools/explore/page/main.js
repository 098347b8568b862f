/*
 * The page: keeps what came from the machine and what is picked, and has a part for
 * each thing that it does. Parts know each other by the App alone.
 *
 *    wire --state, frames--> App.take() --> render() --> pane.draw(), which draws
 *                                              |         the view, and details.draw()
 *    mouse, keys, address, tour --> pick(), show()
 *
 * Whatever happens, render() draws once, at the next frame of the display; what comes
 * from the machine, a moment later: renderSoon().
 */
import {$} from './elements.js';
import {parseState, toPage} from './model.js';
import {patternDefs, styleText} from './palette.js';
import {Address} from './address.js';
import {Beside} from './beside.js';
import {Console} from './console.js';
import {Details} from './details.js';
import {Ended} from './ended.js';
import {EventsView} from './view_events.js';
import {FramesView} from './view_frames.js';
import {Keep} from './keep.js';
import {Keys, nextRegion} from './keys.js';
import {closeMenus} from './menus.js';
import {Mouse} from './mouse.js';
import {Notice} from './notice.js';
import {Pane} from './pane.js';
import {Pointed} from './pointed.js';
import {SpacesView} from './view_spaces.js';
import {Stop} from './stop.js';
import {TableView} from './view_table.js';
import {Tour} from './tour.js';
import {WalkView} from './view_walk.js';
import {Wire} from './wire.js';

const TIMES = 100; /* how many drawing times are kept */
const BEHIND = 30; /* ms that frames and answers may come after a state */

class App {
  constructor() {
    this.hello = this.state = this.frames = null; /* the last that came */
    this.view = 'spaces';
    this.picked = null; /* {pid, page} */
    this.drawingTimes = [];
    this.dark = matchMedia('(prefers-color-scheme: dark)').matches;

    this.ended = new Ended();           /* processes that were */
    this.pointed = new Pointed(this);   /* a frame, by the mouse or keys */
    this.views = {spaces: new SpacesView(this), table: new TableView(this),
      walk: new WalkView(this), frames: new FramesView(this),
      events: new EventsView(this)}; /* by the order of their tabs */
    this.pane = new Pane(this);         /* left: the view */
    this.details = new Details(this);   /* right: what is picked */
    this.notice = new Notice($('notice'), pid => this.ended.nameOf(pid)); /* above */
    this.address = new Address(this);   /* one that is typed */
    this.mouse = new Mouse(this);
    this.keys = new Keys(this);
    this.keep = new Keep(this);         /* files */
    this.tour = new Tour(this, $('tour'));
    this.stop = new Stop(this, Object.fromEntries(['pause', 'at', 'of', 'arm',
      'remember', 'forget'].map(id => [id, $(id)])));
    this.console = new Console($('terminal'), {
      place: place => {
        this.tour.place = place;
        this.pick(place);
      },
      line: () => {},
      leave: nextRegion});
    this.beside = new Beside(this, {box: $('beside'), says: $('besideSays'),
      close: $('besideClose'), terminal: $('terminal2')});
    this.wire = new Wire({
      message: m => this.take(m),
      frames: f => this.takeFrames(f),
      snapshot: bytes => this.keep.snapshot(bytes),
      connected: is => this.connected(is)});
    this.theme(this.dark);
    this.listen();
    closeMenus();
  }

  /* The view that is shown. */
  get current() {
    return this.views[this.view];
  }

  listen() {
    $('patterns').innerHTML = `<defs>${patternDefs()}</defs>`;
    $('tourStart').addEventListener('click', () => this.tour.start());
    $('theme').addEventListener('click', () => this.theme(!this.dark));
    $('helpOpen').addEventListener('click', () => $('help').showModal());
  }

  /* --- what comes from the machine --- */

  take(message) {
    if (message.type === 'hello') {
      this.hello = message;
      this.greet(message);
    } else if (message.type === 'state') {
      this.takeState(message);
      this.renderSoon();
      return;
    } else if (message.type === 'error' || message.error) {
      this.notice.complain(message.error || message.text);
      return;
    }
    this.render();
  }

  greet(hello) {
    $('machine').textContent = `${hello.kernel} · ${hello.arch}, ${hello.mode}` +
      (hello.live ? '' : ' · a snapshot');
    $('terminal').hidden = $('keysOut').hidden = !hello.control;
    this.keep.greet(hello);
    if (hello.control)
      this.console.start();
    this.tour.list($('demos'));
    if (hello.missing.length)
      this.notice.say('This kernel lacks: ' + hello.missing.join('; '));
  }

  takeState(message) {
    const before = this.state;

    this.state = parseState(message, before);
    if (before && before.boots !== message.boots)
      this.beginAnew();
    this.ended.note(this.state, this.picked);
    this.views.events.sample(this.state);
    if (this.notice.update(this.state))
      this.pickStopped(before);
    this.stop.update();
    this.address.update();
    if (!before)
      this.address.fromBar();
    this.pointed.update();
    this.refresh();
    this.tour.update();
  }

  /* Another boot: what was found out of the one before is true no more. */
  beginAnew() {
    const had = this.stop.moment;

    for (const part of [...Object.values(this.views), this.details, this.ended, this.tour])
      part.beginAnew();
    this.picked = null;
    this.stop.forget();
    this.notice.beginAnew('The machine has started anew: events and counters begin again.' +
      (had ? ' The moment that you remembered was of before, and is forgotten.' : ''));
  }

  /* The machine has stopped for an event of a process: that is picked. */
  pickStopped(before) {
    const {paused, stopped} = this.state;

    if (paused && stopped && before && !before.paused)
      this.pick({pid: stopped.pid, page: stopped.va ? toPage(stopped.va) : undefined});
  }

  takeFrames(frames) {
    this.frames = frames;
    if (this.state)
      this.stop.update();
    if (this.view === 'frames' || this.stop.diff)
      this.renderSoon(); /* others do not show them */
  }

  connected(is) {
    if (is && this.state)
      this.state.events = []; /* all of them come again */
    if (is)
      this.notice.comeBack();
    else
      this.notice.say('The explorer does not answer; what it showed last stays.', true);
  }

  /* Ask again for what is shown and comes by request alone. */
  refresh() {
    for (const part of [this.details, this.pointed, this.current, this.beside])
      part.refresh();
  }

  /* Ask for the walk to an address, a string; take(answer) or fail(words). */
  askWalk(pid, va, take, fail = () => {}) {
    this.wire.ask('walk', {pid, va}).then(answer => {
      take({...answer, pid});
      this.tour.update();
    }, error => fail(error.message)).then(() => this.renderSoon());
  }

  /* --- what is looked at --- */

  /* at: {pid, page}, no page for all of the process; null: nothing. */
  pick(at) {
    this.picked = at && {pid: at.pid, page: at.page};
    this.views.table.followAnew();
    this.pointed.release();
    if (this.state) {
      this.ended.note(this.state, this.picked);
      this.pointed.update();
      this.current.picked();
      this.refresh();
    }
    this.pane.scrollsToPick();
  }

  show(view) {
    this.pane.shown(view !== this.view);
    this.view = view;
    this.current.shown();
    this.notice.pass();
    this.pointed.keyed = false;
    if (this.state)
      this.refresh();
    this.render();
  }

  openTable(at) {
    this.pick(at);
    this.show('table');
  }

  theme(dark) {
    this.dark = dark;
    const name = dark ? 'dark' : 'light';
    $('colours').textContent = styleText(name);
    document.documentElement.style.colorScheme = name;
    for (const c of [this.console, this.beside.console])
      if (c)
        c.theme(name);
    this.render();
  }

  /* --- drawing --- */

  /* Behind a state come its frames, and answers to what it made the page ask: one
   * drawing does for all. Where nothing looks different then, the browser needs no
   * frame of the display, which one that is asked for would cost. */
  renderSoon() {
    this.soon = this.soon || setTimeout(() => {
      this.soon = 0;
      if (document.hidden)
        this.render();
      else
        this.drawNow();
    }, BEHIND);
  }

  render() {
    if (this.asked)
      return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.drawNow();
    });
  }

  drawNow() {
    const from = performance.now();

    clearTimeout(this.soon);
    this.soon = 0;
    if (this.hello && this.state)
      this.renderNow();
    this.drawingTimes.push(performance.now() - from);
    if (this.drawingTimes.length > TIMES)
      this.drawingTimes.shift();
  }

  renderNow() {
    this.pane.draw();
    this.details.draw();
    this.pane.scrollToPick();
    this.mouse.lookAnew();
  }
}

window.explorer = new App(); /* for who is curious in the browser's console */
