/*
 * The page: keeps what came from the machine, lets the views lay themselves out,
 * and answers mouse and keys.
 *
 *    wire.js --state, frames--> App.take() --> render() --> layout() of one view
 *                                                 |             of spaces, table, walk,
 *    mouse, keys --> pick(), show(), goWalk() ----+             frames, events; share
 *
 * Whatever happens, render() draws once, at the next frame of the display.
 */
import * as entryText from './entry.js';
import * as events from './events.js';
import * as frames from './frames.js';
import * as model from './model.js';
import * as share from './share.js';
import * as spaces from './spaces.js';
import * as table from './table.js';
import * as walk from './walk.js';
import {classWords, patternDefs, styleText} from './palette.js';
import {Beside} from './beside.js';
import {Console, INTERRUPT} from './console.js';
import {draw, moved, rect, setOnce, svgText, text, withLegend} from './shapes.js';
import {ProcessList} from './processes.js';
import {Stop} from './stop.js';
import {Tour} from './tour.js';
import {Wire} from './wire.js';

const $ = id => document.getElementById(id);
const VIEWS = ['spaces', 'table', 'walk', 'frames', 'events'];
const HOVER = 80;   /* ms until a frame under the mouse is asked for */
const TIMES = 100;  /* how many drawing times are kept */
const BEYOND = 50;  /* pixels around what is seen that are drawn, too */
const BEHIND = 30;  /* ms that a state's frames may come after it */
const NARROWEST = 740; /* pixels: what a window of 1280 leaves beside a scroll bar */

class App {
  constructor() {
    this.hello = this.state = this.frames = this.diff = this.walk = null;
    this.view = 'spaces';
    this.picked = null;       /* {pid, page} */
    this.known = null;        /* its process's space, as it was last seen */
    this.names = new Map();   /* of processes, by pid; of those that ended, too */
    this.frame = -1;          /* a frame that is picked or under the mouse */
    this.place = null;        /* what a program of the tour said where to look */
    this.pointing = false;    /* the mouse, or a key, says which */
    this.keyed = false;       /* a key: Details tell of it */
    this.frameAnswer = null;  /* what the kernel says of it: {frame, answer} */
    this.scrolls = false;     /* to what is picked, once that is drawn */
    this.walks = new Map();   /* "pid:page" to an answer */
    this.tables = new Map();  /* address to an answer */
    this.open = new Set();    /* tables that are unfolded */
    this.samples = [];
    this.step = Infinity;     /* of the walk; Infinity: the last */
    this.size = 0;            /* of a cell; 0: so that all are seen */
    this.lit = '';            /* the class that is lit up */
    this.usersOnly = false;
    this.event = null;        /* the row of an event that keys have come to */
    this.slots = new Map();   /* of events that are drawn */
    this.drawingTimes = [];
    this.dark = matchMedia('(prefers-color-scheme: dark)').matches;
    this.tour = new Tour(this, $('tour'));
    this.stop = new Stop(this, Object.fromEntries(['pause', 'at', 'of', 'arm',
      'remember', 'forget'].map(id => [id, $(id)])));
    this.addressOf = new ProcessList($('addressOf'), was => this.addressList(was),
      list => Math.min(2, list.length - 1));
    this.console = new Console($('terminal'), {
      place: place => {
        this.place = place;
        this.pick(place);
      },
      line: () => {},
      leave: back => this.nextRegion(back)});
    this.beside = new Beside(this, {box: $('beside'), says: $('besideSays'),
      close: $('besideClose'), terminal: $('terminal2')});
    this.wire = new Wire({
      message: m => this.take(m),
      frames: f => {
        this.frames = f;
        if (this.state)
          this.stop.update();
        if (this.view === 'frames' || this.diff)
          this.render(); /* others do not show them */
      },
      snapshot: bytes => save('pagewise.snap', bytes),
      connected: is => this.connected(is)});
    this.theme(this.dark);
    this.listen();
  }

  /* --- what comes from the machine --- */

  take(message) {
    if (message.type === 'hello') {
      this.hello = message;
      this.greet(message);
    } else if (message.type === 'state') {
      const before = this.state;
      this.state = model.parseState(message, before);
      if (before && before.boots !== message.boots)
        this.beginAnew();
      this.noteProcesses();
      events.sample(this.samples, this.state, performance.now());
      this.notePause(before);
      this.stop.update();
      this.addressOf.update();
      if (!this.started)
        this.fromAddressBar();
      this.started = true;
      if (!this.pointing)
        this.frame = this.pickedFrame();
      this.refresh();
      this.tour.update();
      if (this.view === 'frames') {
        this.renderSoon();
        return;
      }
    } else if (message.type === 'error' || message.error) {
      this.say(message.error || message.text, true);
      return;
    }
    this.render();
  }

  /* Another boot: what was found out of the one before is true no more. */
  beginAnew() {
    const had = this.stop.moment;

    this.samples = [];
    this.walks.clear();
    this.tables.clear();
    this.open.clear();
    this.names.clear();
    this.picked = this.known = this.place = this.walk = this.event = null;
    this.pauseSays = '';
    this.stop.forget();
    this.complain('The machine has started anew: events and counters begin again.' +
      (had ? ' The moment that you remembered was of before, and is forgotten.' : ''));
  }

  /* What is to be said of a process when it has ended. */
  noteProcesses() {
    for (const space of this.state.spaces)
      this.names.set(space.pid, model.title(space));
    if (this.picked)
      this.known = model.spaceOf(this.state, this.picked.pid) || this.known;
  }

  nameOf(pid) {
    return this.names.get(pid) || `process ${pid}`;
  }

  connected(is) {
    if (is && this.state)
      this.state.events = []; /* all of them come again */
    this.say(is ? '' : 'The explorer does not answer; what it showed last stays.', !is);
  }

  greet(hello) {
    $('machine').textContent = `${hello.kernel} · ${hello.arch}, ${hello.mode}` +
      (hello.live ? '' : ' · a snapshot');
    $('snapshot').disabled = !hello.live;
    $('terminal').hidden = $('keysOut').hidden = !hello.control;
    if (hello.control)
      this.console.start();
    this.tour.list($('demos'));
    if (hello.missing.length)
      this.say('This kernel lacks: ' + hello.missing.join('; '));
  }

  /* Say that the machine stands still, or what is waited for. */
  notePause(before) {
    const s = this.state, waits = s.waiting && `waiting: ${s.waiting.at} of process ${
      s.waiting.pid} will stop the machine`;
    const says = s.ended ? 'The machine has ended; this is what was last there.'
      : s.panicked ? 'The kernel has panicked and does nothing any more; the terminal says why.'
      : s.paused ? `Paused: ${s.why || 'nothing moves until you continue'}`
        : s.unseen || waits || '';
    if (says !== this.pauseSays && (says || this.pauseSays)) {
      this.say(says || this.passing || '', s.paused || s.panicked);
      if (s.paused && s.stopped && before && !before.paused)
        this.pick({pid: s.stopped.pid,
          page: s.stopped.va ? model.toPage(s.stopped.va) : undefined});
    }
    this.pauseSays = says;
  }

  /* Ask again for what is shown and comes by request alone. */
  refresh() {
    const {state, picked} = this;

    if (picked && picked.page !== undefined) {
      for (const row of share.related(state, picked))
        this.askWalk(row.pid, row.page, a => this.walks.set(`${row.pid}:${row.page}`, a));
    }
    if (this.view === 'walk' && this.walkTo)
      this.askVa(this.walkTo.pid, this.walkTo.va, a => {
        this.walk = a;
      }, error => this.walkFails(error));
    this.beside.refresh();
    if (this.view === 'table' && !this.tableEnded())
      this.askTables([this.tableSpace().root, ...this.open]);
    if (this.view === 'frames' && this.keyed)
      this.askFrame(this.frame);
  }

  askVa(pid, va, take, fail = () => {}) {
    this.wire.ask('walk', {pid, va}).then(answer => {
      take({...answer, pid});
      this.tour.update();
    }, error => fail(error.message)).then(() => this.render());
  }

  /* Of a process that has ended, the last answer stays. */
  walkFails(error) {
    const {pid, va} = this.walkTo, was = this.walk;
    if (!was || was.error || was.pid !== pid || BigInt(was.va) !== BigInt(va) ||
        model.spaceOf(this.state, pid))
      this.walk = {error: this.names.has(pid) && !model.spaceOf(this.state, pid)
        ? `${this.nameOf(pid)} has ended` : error};
  }

  askWalk(pid, page, take) {
    this.askVa(pid, model.toHex(page), take);
  }

  /* A table that is not there any more is folded, and forgotten. */
  askTables(list) {
    const pid = this.tableSpace().pid;
    for (const pa of list)
      this.wire.ask('table', {pid, pa}).then(answer => {
        this.tables.set(pa, answer);
        this.followPick();
        this.render();
      }, () => {
        if (!model.spaceOf(this.state, pid))
          return; /* ended: what was there last stays */
        this.tables.delete(pa);
        this.open.delete(pa);
      });
  }

  /* --- what is looked at --- */

  tableSpace() {
    const {picked, known} = this;
    return (picked && known && known.pid === picked.pid && known) ||
      this.state.spaces[0];
  }

  /* Is there none that could be asked for? */
  tableEnded() {
    const space = this.tableSpace();
    return !space || !model.spaceOf(this.state, space.pid);
  }

  pick(at) {
    this.picked = at && {pid: at.pid, page: at.page};
    this.followed = '';
    this.pointing = this.keyed = false;
    this.scrolls = true;
    if (this.state) {
      this.noteProcesses();
      this.frame = this.pickedFrame();
      this.refresh();
    }
    this.render();
  }

  pickedFrame() {
    const {picked} = this;
    return picked && picked.page !== undefined
      ? model.frameAt(model.spaceOf(this.state, picked.pid), picked.page) : -1;
  }

  /* Unfold the tables that lead to the picked page, once. */
  followPick() {
    const space = this.tableSpace(), {picked} = this;
    if (!space)
      return;
    const key = `${space.pid}:${space.root}:${picked ? picked.page : ''}`;
    if (this.tableKey !== space.pid + space.root) {
      this.tableKey = space.pid + space.root;
      this.open.clear();
    }
    if (this.followed === key)
      return;
    const root = this.tables.get(space.root);
    const way = picked && picked.page !== undefined
      ? table.wayTo(this.hello, space, this.tables, picked.page)
      : root ? root.entries.filter(e => e[3] === 'table').map(e => e[4]).slice(0, 2) : [];
    const fresh = way.filter(pa => !this.open.has(pa));
    for (const pa of fresh)
      this.open.add(pa);
    if (fresh.some(pa => !this.tables.has(pa)))
      this.askTables(fresh);
    else if (root)
      this.followed = key;
  }

  show(view) {
    if (this.view !== view)
      $('view').scrollTo(0, 0);
    this.seen = this.seenCells = null;
    this.view = view;
    if (this.passing)
      this.say(this.pauseSays || '');
    this.passing = '';
    this.keyed = false;
    this.scrolls = true;
    if (this.state)
      this.refresh();
    this.render();
  }

  goWalk(pid, page) {
    this.goWalkTo(pid, model.toHex(page));
  }

  goWalkTo(pid, va) {
    if (!model.spaceOf(this.state, pid)) {
      this.complain(`no such process: ${pid}`);
      return;
    }
    this.walkTo = {pid, va};
    this.step = Infinity;
    history.replaceState(null, '', `#${pid}:${va}`);
    $('va').value = va;
    this.addressOf.choose(pid);
    this.show('walk');
  }

  /* "#3:0x1000" in the address bar opens the walk. */
  fromAddressBar() {
    if (location.hash.length > 1)
      this.walkToTyped(decodeURIComponent(location.hash.slice(1)));
  }

  openTable(at) {
    this.pick(at);
    this.show('table');
  }

  remember() {
    this.stop.remember();
  }

  type(text) {
    this.console.type(text);
  }

  /* Run a program, whatever else waits for a key: that is ended. */
  run(name) {
    this.place = null;
    this.console.run(name);
  }

  /* Enter, for a program that waits; for the same beside, too. */
  enter() {
    this.type('\n');
    if (this.beside.program)
      this.beside.type('\n');
  }

  /* End the program that runs, or that would run at the next prompt. */
  interrupt() {
    this.console.next = '';
    this.type(INTERRUPT);
  }

  say(text, bad) {
    $('notice').hidden = !text;
    $('notice').textContent = text;
    $('notice').classList.toggle('bad', Boolean(bad));
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

  /* A state's frames are behind it, if they have changed: one drawing does for both. */
  renderSoon() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.render(), BEHIND);
  }

  render() {
    if (this.asked)
      return;
    this.asked = true;
    requestAnimationFrame(() => {
      const from = performance.now();
      this.asked = false;
      clearTimeout(this.soon);
      if (this.hello && this.state)
        this.renderNow();
      this.drawingTimes.push(performance.now() - from);
      if (this.drawingTimes.length > TIMES)
        this.drawingTimes.shift();
    });
  }

  renderNow() {
    for (const tab of $('tabs').children) {
      const on = tab.dataset.view === this.view;
      setOnce(tab, 'aria-selected', on);
      setOnce(tab, 'tabindex', on ? 0 : -1);
    }
    const physical = this.view === 'frames';
    $('physical').hidden = !physical;
    $('drawing').toggleAttribute('hidden', physical);
    if (this.drawnControls !== this.view) {
      this.drawnControls = this.view;
      this.renderControls();
    }
    this.renderLegend();
    if (physical) {
      this.renderFrames();
    } else {
      const laid = this.layoutNow();
      draw($('drawing'), laid.shapes, laid.w, laid.h);
      setOnce($('drawing'), 'aria-label', laid.label);
      this.laid = laid;
    }
    this.renderDetails();
    this.scrollToPick();
  }

  /* The part of the view that is seen: {x, y, w, h}. It is kept until that may be
   * another: to ask a browser makes it lay out all that has changed at once. */
  seenPart() {
    const view = $('view');
    this.seen = this.seen || {x: view.scrollLeft, y: view.scrollTop, w: view.clientWidth,
      h: view.clientHeight};
    return this.seen;
  }

  /* Another part may be seen. */
  lookAnew() {
    this.seen = this.seenCells = null;
    this.render();
  }

  viewWidth() {
    return this.seenPart().w - 14;
  }

  /* The current view as shapes; whole: all of it with its legend, for a file. */
  layoutNow(whole) {
    const of = {spaces: () => this.layoutSpaces(whole), table: () => this.layoutTable(),
      walk: () => this.layoutWalk(), frames: () => this.layoutFrames(),
      events: () => this.layoutEvents(whole)};
    const laid = of[this.view](), items = whole ? this.legend(whole) : [];

    return items.length ? withLegend(laid, items) : laid;
  }

  /* Nothing but a sentence. */
  layoutWords(label, words) {
    return {w: this.viewWidth(), h: 60, label, shapes: [text(16, 30, words, 'soft')]};
  }

  layoutSpaces(whole) {
    const {state, picked, diff, usersOnly} = this, {x, w, h} = this.seenPart();
    const size = {width: this.viewWidth(), height: h - 14, usersOnly};

    if (this.beside.on)
      return {...this.beside.spacesLayout(this.besidePid(), size),
        label: 'address spaces of both machines'};
    const laid = spaces.layout(state, {...size, pick: picked, diff,
      ...(whole ? {} : {from: x - BEYOND, to: x + w + BEYOND})});
    return {...laid, label: 'address spaces', shapes: [...laid.shapes,
      ...spaces.marks(laid, state, this.frame), ...spaces.pickMark(laid, picked)]};
  }

  layoutTable() {
    const {hello, picked, diff} = this, space = this.tableSpace();

    if (!space)
      return this.layoutWords('page table', 'The kernel has no page table yet.');
    const change = diff && diff.spaces.get(space.pid);
    return {...table.layout(hello, space, this.tables, {open: this.open,
      page: picked ? picked.page : -1, width: Math.max(this.viewWidth(), NARROWEST),
      ended: this.tableEnded(), changes: change ? change.changes : []}),
    label: 'page table of ' + model.title(space)};
  }

  layoutWalk() {
    const {state, hello, step, walk: answer} = this;

    if (!answer || answer.error)
      return this.layoutWords('walk', answer ? `${this.walkTo.va}: ${answer.error}`
        : 'Type an address above, or pick a page and press w.');
    const space = model.spaceOf(state, answer.pid);
    const was = this.stop.moment && this.stop.moment.walk;
    const title = space ? model.title(space)
      : `${this.nameOf(answer.pid)}, which has ended: as last read`;
    if (this.beside.on)
      return {...this.beside.walksLayout(answer, {step, title, width: this.viewWidth()}),
        label: `walks to ${answer.va} on both machines`};
    return {...walk.layout(hello, answer, {step, title,
      was: was && was.pid === answer.pid && was.va === answer.va ? was : null}),
    label: 'walk to ' + answer.va};
  }

  /* For a file: the page has a canvas, see renderFrames(). */
  layoutFrames() {
    const {state} = this, width = this.viewWidth();
    const side = frames.sideLayout(state, this.frames, {width: 250, lit: this.lit});
    const laid = frames.layout(this.frames.n, width - 270, Math.max(500, side.h), {});

    return {w: width, h: Math.max(laid.height, side.h) + 20, label: 'physical memory',
      shapes: [...moved(frames.shapesOf(laid, this.frames, state.classes,
        this.frameMarks()), 0, 10), ...moved(side.shapes, width - 256, 0)]};
  }

  layoutEvents(whole) {
    const {state, samples, stop} = this, {y, h} = this.seenPart();

    return {...events.layout(state, samples, {width: Math.max(this.viewWidth(), NARROWEST),
      since: stop.moment ? stop.moment.ns : undefined, pid: this.eventsOf,
      key: this.event && this.event.key, names: this.names, ...(whole ? {whole}
        : {slots: this.slots, from: y - BEYOND, to: y + h + BEYOND})}),
    label: 'what happens'};
  }

  /* What is marked among the frames. */
  frameMarks() {
    return {lit: this.lit, changed: this.diff && this.diff.frames,
      marked: this.frame >= 0 ? [this.frame - this.state.start] : []};
  }

  /* The process that is shown beside its like: that of the walk, or of the tour. */
  besidePid() {
    const {state, beside, walkTo} = this;
    const runs = state.spaces.findLast(s => beside.program && s.name === beside.program);
    return runs ? runs.pid : walkTo ? walkTo.pid : model.KERNEL;
  }

  renderFrames() {
    if (!this.frames)
      return;
    const box = $('cells'), canvas = $('canvas');
    this.seenCells = this.seenCells || {w: box.clientWidth - 4, h: box.clientHeight,
      top: box.scrollTop};
    const {w, h, top} = this.seenCells;
    const laid = frames.layout(this.frames.n, w, h, {size: this.size, top});

    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w;
      canvas.height = h;
    }
    setOnce($('tall'), 'style', `height: ${this.size ? laid.height : 0}px`);
    frames.paint(canvas, laid, this.frames, this.state.classes, {dark: this.dark,
      ...this.frameMarks()});
    const side = frames.sideLayout(this.state, this.frames, {width: 250, lit: this.lit});
    draw($('side'), side.shapes, side.w, side.h);
    this.cells = laid;
    const label = laid.per > 1 ? `a cell is ${model.plural(laid.per, 'frame')}, ${
      model.pagesText(laid.per)}` : 'a cell is a frame, 4 KiB';
    setText($('cellSays'), `${label}; lowest address first`);
    setOnce(canvas, 'aria-label', 'physical memory: ' + label);
  }

  renderControls() {
    const bar = $('controls');
    const add = (label, act, title) => {
      const b = document.createElement('button');
      b.type = 'button';
      b.textContent = label;
      b.title = title || '';
      b.addEventListener('click', act);
      bar.append(b);
      return b;
    };
    const note = (text, id) => {
      const span = document.createElement('span');
      span.textContent = text;
      span.id = id || '';
      bar.append(span);
    };

    bar.replaceChildren();
    if (this.view === 'walk') {
      add('◀ Step back', () => this.stepWalk(-1), 'left arrow');
      add('Step forward ▶', () => this.stepWalk(1), 'right arrow');
      add('From the start', () => this.stepWalk(-99));
      add('All', () => this.stepWalk(99));
    } else if (this.view === 'frames') {
      add('All', () => this.resize(0));
      add('−', () => this.resize(-1), 'smaller cells').setAttribute('aria-label', 'smaller cells');
      add('+', () => this.resize(1), 'larger cells').setAttribute('aria-label', 'larger cells');
      note('', 'cellSays');
    } else if (this.view === 'spaces') {
      add('Kernel', () => this.toggleKernel(), 'k').setAttribute('aria-pressed',
        String(!this.usersOnly));
      note('the same address is at the same height in all processes');
    } else if (this.view === 'events') {
      add('Everybody', () => this.only(undefined));
      add('Picked process alone', () => this.picked ? this.only(this.picked.pid)
        : this.complain('No process is picked: click on one in Address spaces.'));
      note('newest first');
    } else {
      note('▸ opens a table; click an entry to pick its page');
    }
  }

  /* The classes that there are, and what marks mean. whole: of a file, which nobody can
   * point at. */
  legend(whole) {
    const box = (c, words) => ({words, sign: (x, y) => [rect(x + 2, y + 2, 12, 11, c)]});

    if (this.view === 'spaces')
      return spaces.legend(this.state, this);
    return [
      ...this.diff && ['table', 'walk', 'frames'].includes(this.view)
        ? [box('changed', 'not as remembered')] : [],
      ...whole && this.view === 'frames' && this.frame >= 0
        ? [box('hit', 'the picked frame')] : []];
  }

  renderLegend() {
    const items = this.legend();
    const key = items.map(item => item.words).join();
    if (this.legendKey === key)
      return;
    this.legendKey = key;
    $('legend').replaceChildren(...items.map(legendItem));
  }

  renderDetails() {
    const {state, picked, diff} = this;
    const space = picked && model.spaceOf(state, picked.pid);
    const has = space && picked.page !== undefined;

    $('changes').hidden = !diff;
    if (diff) {
      const words = diff.words.length ? diff.words : ['nothing has changed'];
      const key = words.join('\n');
      if (this.changesKey !== key) {
        this.changesKey = key;
        const list = document.createElement('ul');
        list.append(...words.map(w => Object.assign(document.createElement('li'),
                                                    {textContent: w})));
        const head = Object.assign(document.createElement('h2'),
                                   {textContent: 'Since the moment you remembered'});
        $('changes').replaceChildren(head, list);
      }
    }
    const frame = this.view === 'frames' && this.keyed && this.cells;
    $('share').toggleAttribute('hidden', !has || frame);
    $('go').hidden = !has || frame;
    if (frame) {
      setText($('picked'), `Frame ${model.toHex(this.frame)}`);
      setText($('sentence'), 'Enter picks the page that leads here, if there is one.');
      setText($('facts'), this.frameWords());
      return;
    }
    if (!has) {
      setText($('picked'), picked && !space ? `${this.nameOf(picked.pid)} has ended`
        : 'Details');
      setText($('sentence'), 'Hover over anything to hear what it is. Click a page to open ' +
        'it in the page table, and to see here who else has its frame. New here? Press Tour.');
      setText($('facts'), this.eventSays());
      return;
    }
    const {region, run} = model.find(space, picked.page);
    const laid = share.layout(this.hello, state, share.related(state, picked), this.walks,
      {width: Math.min(440, $('details').clientWidth - 28), diff});
    draw($('share'), laid.shapes, laid.w, laid.h);
    setText($('picked'), `${model.toHex(picked.page)} of ${model.title(space)}`);
    setText($('sentence'), region ? laid.words : 'No region has this address any more.');
    setText($('facts'), this.eventSays() || (region && run
      ? model.runWords(space, region, run, picked.page) : ''));
    this.renderGo(run);
  }

  renderGo(run) {
    const key = run && run.frame >= 0 ? 'there' : 'absent';
    if ($('go').dataset.key === key)
      return;
    $('go').dataset.key = key;
    const buttons = [['Page table', () => this.show('table')],
      ['Walk', () => this.goWalk(this.picked.pid, this.picked.page)]];
    if (key === 'there')
      buttons.push(['Its frame', () => this.show('frames')]);
    $('go').replaceChildren(...buttons.map(([label, act]) => {
      const b = Object.assign(document.createElement('button'),
                              {type: 'button', textContent: label});
      b.addEventListener('click', act);
      return b;
    }));
  }

  /* The processes whose address may be typed: the one that was chosen, too, if it has
   * ended. */
  addressList(was) {
    const list = this.state.spaces.map(s => [model.title(s), s.pid]);
    if (was && !list.some(([, pid]) => String(pid) === was) && this.names.has(Number(was)))
      list.push([`${this.nameOf(Number(was))}, ended`, was]);
    return list;
  }

  /* --- mouse and keys --- */

  stepWalk(by) {
    if (!this.walk || this.walk.error)
      return;
    const last = Math.max(walk.lastStep(this.walk),
      this.beside.walk ? walk.lastStep(this.beside.walk) : 0);
    this.step = Math.max(0, Math.min(last, Math.min(this.step, last) + by));
    this.render();
  }

  resize(by) {
    const sizes = frames.SIZES, now = this.size || (this.cells ? this.cells.cell : 4);
    const at = sizes.findIndex(s => s >= now);
    this.size = by === 0 ? 0
      : sizes[Math.max(0, Math.min(sizes.length - 1, (at < 0 ? sizes.length - 1 : at) + by))];
    this.scrolls = true;
    this.render();
  }

  /* The next class of frames alone is lit up; behind the last one, none. */
  lightNext() {
    if (this.view !== 'frames' || !this.frames)
      return;
    const all = ['', ...frames.classesThere(this.state, this.frames).map(([c]) => c)];
    this.lit = all[(all.indexOf(this.lit) + 1) % all.length];
    $('view').setAttribute('aria-label', this.lit ? `lit up: ${classWords(this.lit)}` : '');
    this.render();
  }

  toggleKernel() {
    this.usersOnly = !this.usersOnly;
    this.drawnControls = '';
    this.tour.render();
    this.render();
  }

  only(pid) {
    this.eventsOf = pid;
    this.render();
  }

  listen() {
    const view = $('view'), canvas = $('canvas');

    $('patterns').innerHTML = `<defs>${patternDefs()}</defs>`;
    for (const tab of $('tabs').children)
      tab.addEventListener('click', () => this.show(tab.dataset.view));
    $('tabs').addEventListener('keydown', e => this.tabKey(e));
    $('address').addEventListener('submit', e => {
      e.preventDefault();
      this.walkToTyped($('va').value.trim());
    });
    $('tourStart').addEventListener('click', () => this.tour.start());
    $('theme').addEventListener('click', () => this.theme(!this.dark));
    $('helpOpen').addEventListener('click', () => $('help').showModal());
    $('snapshot').addEventListener('click', () => {
      this.wire.ask('snapshot').then(() => this.say(''), e => this.say(e.message, true));
    });
    $('export').addEventListener('click', () => this.exportView());
    for (const menu of document.querySelectorAll('.menu')) {
      document.addEventListener('click', e => {
        if (!menu.contains(e.target) || e.target.closest('.pop button'))
          menu.open = false;
      });
      menu.addEventListener('keydown', e => {
        if (e.key !== 'Escape' || !menu.open)
          return;
        menu.open = false;
        menu.querySelector('summary').focus();
      });
    }
    for (const box of [view, $('cells')])
      box.addEventListener('scroll', () => this.lookAnew());
    const watcher = new ResizeObserver(() => this.lookAnew());
    for (const box of [view, $('cells')])
      watcher.observe(box);
    for (const svg of [$('drawing'), $('side'), $('share')]) {
      svg.addEventListener('mousemove', e => this.hover(e));
      svg.addEventListener('mouseleave', () => this.unhover());
      svg.addEventListener('click', e => this.click(e));
    }
    canvas.addEventListener('mousemove', e => this.hoverFrame(e));
    canvas.addEventListener('mouseleave', () => this.unhover());
    canvas.addEventListener('click', () => this.clickFrame());
    window.addEventListener('hashchange', () => this.fromAddressBar());
    document.addEventListener('keydown', e => this.key(e));
  }

  walkToTyped(typed) {
    /* hex, with 0x or without */
    const match = /^(?:(\d+):)?(?:0x)?([0-9a-f]{1,16})$/i.exec(typed);
    if (match)
      this.goWalkTo(Number(match[1] ?? $('addressOf').value),
                    entryText.hex(BigInt('0x' + match[2])));
    else
      this.complain(`“${typed}” is no address: type 0x1000, or 3:0x1000 for process 3`);
  }

  /* Say what was wrong, until another view is looked at. */
  complain(text) {
    this.say(text, true);
    this.passing = text;
  }

  shapeOf(event) {
    return event.target.shape;
  }

  hover(event) {
    const shape = this.shapeOf(event);
    this.tip(event, shape && (shape.tipAt ? shape.tipAt(event.offsetX) : shape.tip));
    const at = shape && shape.at;
    let frame = -1;
    if (at && at.frame !== undefined)
      frame = at.frame;
    else if (at && at.page !== undefined)
      frame = model.frameAt(model.spaceOf(this.state, at.pid), at.page);
    if (frame >= 0 && frame !== this.frame) {
      this.pointing = true;
      this.frame = frame;
      this.render();
    }
  }

  unhover() {
    $('tip').hidden = true;
    if (this.keyed)
      return;
    clearTimeout(this.hovering);
    this.pointing = false;
    this.frame = this.pickedFrame();
    this.render();
  }

  tip(event, says) {
    const tip = $('tip');
    tip.hidden = !says;
    if (!says)
      return;
    setText(tip, says);
    const {width, height} = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - width - 8)) + 'px';
    tip.style.top = (event.clientY + 18 + height > innerHeight
      ? event.clientY - height - 10 : event.clientY + 18) + 'px';
  }

  click(event) {
    const shape = this.shapeOf(event), at = shape && shape.at;
    if (!at)
      return;
    if (at.lit) {
      this.lit = this.lit === at.lit ? '' : at.lit;
      this.render();
    } else if (at.table) {
      this.toggleTable(at.table);
    } else if (at.pid !== undefined) {
      if (this.view === 'spaces' && event.currentTarget === $('drawing'))
        this.openTable(at);
      else if (this.view === 'events' && event.currentTarget === $('drawing'))
        this.openEvent(at);
      else
        this.pick(at);
    } else if (at.frame !== undefined) {
      this.pointing = true;
      this.frame = at.frame;
      this.show('frames');
    }
  }

  hoverFrame(event) {
    if (!this.cells || !this.frames)
      return;
    const i = frames.frameUnder(this.cells, event.offsetX, event.offsetY);
    if (i < 0) {
      this.unhover();
      return;
    }
    this.keyed = false;
    this.lookAtFrame(this.state.start + i, () => this.tip(event, this.frameWords()));
  }

  frameWords() {
    const known = this.frameAnswer;
    return frames.frameWords(this.state, this.frames, this.frame, this.cells.per,
      known && known.frame === this.frame ? known.answer : null);
  }

  /* Ask who maps it; then tell. */
  askFrame(frame, tell = () => this.render()) {
    this.wire.ask('frame', {pa: model.toHex(frame)}).then(answer => {
      this.frameAnswer = {frame, answer};
      if (this.frame === frame)
        tell();
    }, () => {});
  }

  /* Say what a frame is; and, a moment later, who maps it. */
  lookAtFrame(frame, tell) {
    const same = frame === this.frame && this.pointing;

    this.pointing = true;
    this.frame = frame;
    tell();
    if (same)
      return;
    this.render();
    clearTimeout(this.hovering);
    this.hovering = setTimeout(() => this.askFrame(frame, tell), HOVER);
  }

  /* The frame so many cells on. */
  moveFrame(by) {
    const from = Math.max(0, this.frame - this.state.start);
    const at = Math.max(0, Math.min(this.frames.n - 1, from + by * this.cells.per));

    this.keyed = this.scrolls = true;
    this.lookAtFrame(this.state.start + at, () => this.render());
  }

  /* A frame that a process maps: go to that page. */
  clickFrame() {
    const held = model.holders(this.state, this.frame);
    const one = held.find(h => h.space.pid !== model.KERNEL) || held[0];
    if (one)
      this.pick({pid: one.space.pid, page: one.page});
  }

  tabKey(event) {
    const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!by)
      return;
    const at = (VIEWS.indexOf(this.view) + by + VIEWS.length) % VIEWS.length;
    event.stopPropagation();
    this.show(VIEWS[at]);
    $('tabs').children[at].focus();
  }

  key(event) {
    const typing = event.target.closest('input, select, .xterm');
    if (event.key === 'F6' && !event.defaultPrevented) {
      event.preventDefault();
      this.nextRegion(event.shiftKey);
      return;
    }
    if (typing || event.ctrlKey || event.altKey || event.metaKey || !this.state ||
        $('help').open)
      return;
    const keys = {p: () => this.stop.toggle(), m: () => this.remember(),
      t: () => this.theme(!this.dark), k: () => this.toggleKernel(),
      '?': () => $('help').showModal(), '/': () => $('va').focus(),
      '+': () => this.resize(1), '-': () => this.resize(-1), l: () => this.lightNext(),
      w: () => this.picked && this.picked.page !== undefined &&
        this.goWalk(this.picked.pid, this.picked.page)};
    if (/^[1-5]$/.test(event.key))
      this.show(VIEWS[event.key - 1]);
    else if (keys[event.key])
      keys[event.key]();
    else if (event.target === $('view') || event.target === document.body)
      this.viewKey(event);
    else
      return;
    if (keys[event.key])
      event.preventDefault();
  }

  /* The parts of the page, from one to the next: the terminal takes Tab. */
  nextRegion(back) {
    const parts = [['header', '#tourStart'], ['#left', '#view'], ['#terminal', 'textarea'],
      ['#beside', 'textarea'], ['#tour', '.row button:enabled'], ['#details', '#details']]
      .map(([part, first]) => ({part: document.querySelector(part), first}))
      .map(({part, first}) => ({part, to: part.matches(first) ? part
        : part.querySelector(first)}))
      .filter(({part, to}) => part.checkVisibility() && to);
    const at = parts.findIndex(({part}) => part.contains(document.activeElement));
    const by = at < 0 ? 1 : at + (back ? -1 : 1); /* from nowhere: the view */

    parts[(by + parts.length) % parts.length].to.focus();
  }

  viewKey(event) {
    const arrow = event.key.startsWith('Arrow');
    if (this.view === 'walk' && /^Arrow(Left|Right)$/.test(event.key)) {
      this.stepWalk(event.key === 'ArrowLeft' ? -1 : 1);
    } else if (this.view === 'spaces' && arrow) {
      this.pick(spaces.step(this.state, this.picked, event.key));
    } else if (this.view === 'spaces' && event.key === 'Enter' && this.picked) {
      this.show('table');
    } else if (this.view === 'table' && /^Arrow(Up|Down)$|^Enter$/.test(event.key)) {
      this.tableKeys(event.key);
    } else if (this.view === 'frames' && arrow && this.cells) {
      this.moveFrame({ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.cells.cols,
        ArrowDown: this.cells.cols}[event.key]);
    } else if (this.view === 'frames' && event.key === 'Enter') {
      this.clickFrame();
    } else if (this.view === 'events' && /^Arrow(Up|Down)$|^Enter$/.test(event.key)) {
      this.eventKeys(event.key);
    } else {
      return;
    }
    event.preventDefault();
  }

  /* After a drawing: what was picked since the last one is in the window. */
  scrollToPick() {
    const box = this.pickBox(), view = $('view');

    if (!this.scrolls || !box)
      return;
    this.scrolls = false;
    if (this.view === 'frames')
      this.scrollCells();
    else
      reveal(view, box);
  }

  /* Where that is in the drawing: {x, y, w, h}; null: it is not drawn yet. */
  pickBox() {
    const {laid, picked} = this;

    if (this.view === 'frames')
      return this.cells && this.frame >= 0 ? {} : null;
    if (this.view === 'events')
      return laid.rows.find(r => this.event && r.key === this.event.key) || null;
    if (!picked)
      return null;
    if (this.view === 'table') {
      const row = this.followed && laid.rows &&
        laid.rows.findLast(r => r.page <= picked.page && picked.page < r.page + r.pages);
      return row ? {...row, x: 0, w: 0} : null;
    }
    const c = laid.columns && laid.columns.find(k => k.space.pid === picked.pid);
    if (!c)
      return null;
    const y = picked.page === undefined ? 0 : c.scale.y(picked.page + 1);
    const h = picked.page === undefined ? 0 : c.scale.y(picked.page) - y;
    return {...this.pickColumns(c), y, h: Math.min(h, 40)};
  }

  /* From the first to the last process that has the picked frame, if they can be seen
   * at once; else the column of the picked page alone. */
  pickColumns(c) {
    const pids = new Set(model.holders(this.state, this.pickedFrame())
      .map(m => m.space.pid).filter(pid => pid !== model.KERNEL));
    const all = this.laid.columns.filter(k => k === c || pids.has(k.space.pid));
    const {x} = all[0], last = all[all.length - 1], w = last.x + last.width - x;
    return w <= this.viewWidth() ? {x, w} : {x: c.x, w: c.width};
  }

  /* Rows begin at the top of the canvas, so they are scrolled whole. */
  scrollCells() {
    const {cells} = this, box = $('cells');
    const row = Math.floor((this.frame - this.state.start) / cells.per / cells.cols);
    const shown = Math.floor(box.clientHeight / cells.tall);
    const first = Math.floor(box.scrollTop / cells.tall);

    if (this.size && (row < first || row >= first + shown))
      box.scrollTop = (row < first ? row : row - shown + 1) * cells.tall;
  }

  /* Unfold it, or fold it. */
  toggleTable(pa) {
    if (!this.open.delete(pa)) {
      this.open.add(pa);
      this.askTables([pa]);
    }
    this.render();
  }

  tableKeys(key) {
    const rows = this.laid.rows || [];
    const at = rows.findLastIndex(r => this.picked && r.page === this.picked.page);
    if (key === 'Enter') {
      if (rows[at] && rows[at].table)
        this.toggleTable(rows[at].table);
      return;
    }
    const row = rows[Math.max(0, Math.min(rows.length - 1,
                                          at + (key === 'ArrowUp' ? -1 : 1)))];
    if (row)
      this.pick({pid: row.pid, page: row.page});
  }

  /* To the next event of the list, or to the page that one is about. */
  eventKeys(key) {
    const rows = this.laid.rows;
    const at = rows.findIndex(r => this.event && r.key === this.event.key);

    if (key === 'Enter' && this.event) {
      this.openEvent(this.event.at);
    } else if (key !== 'Enter' && rows.length) {
      const next = at < 0 ? 0 : at + (key === 'ArrowUp' ? -1 : 1);
      this.event = rows[Math.max(0, Math.min(rows.length - 1, next))];
      this.scrolls = true;
      this.render();
    }
  }

  openEvent(at) {
    if (!at)
      return;
    this.pick(at);
    this.show('spaces');
  }

  /* What Details tell of the event that keys have come to, though newer ones may have
   * taken its place in the list; "" if there is none. */
  eventSays() {
    const {event} = this;
    if (this.view !== 'events' || !event)
      return '';
    return event.says + (event.at ? '\nEnter shows its page.' : '') +
      (this.laid.rows.some(r => r.key === event.key) ? ''
        : '\nIt has left the list: an arrow key goes to the newest.');
  }

  exportView() {
    const laid = this.layoutNow(true);
    save(`pagewise-${this.view}.svg`,
         svgText(laid.shapes, laid.w, laid.h, `Pagewise: ${laid.label}`));
  }
}

/* Scroll a box no further than it takes to see a part of its content. */
function reveal(box, {x, y, w, h}) {
  const near = (from, size, at, length) => at < from ? at - 10
    : at + length > from + size ? at + length - size + 10 : from;

  box.scrollTo(near(box.scrollLeft, box.clientWidth, x, w),
               near(box.scrollTop, box.clientHeight, y, h));
}

function setText(element, s) {
  if (element.textContent !== s)
    element.textContent = s;
}

function legendItem({sign, words}) {
  const span = document.createElement('span');
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  draw(svg, sign(0, 0), 16, 15);
  span.append(svg, words);
  return span;
}

/* Let the browser keep something as a file. */
function save(name, content) {
  const a = document.createElement('a');
  a.href = URL.createObjectURL(new Blob([content]));
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 1000);
}

window.explorer = new App(); /* for who is curious in the browser's console */
