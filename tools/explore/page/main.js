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
import {CLASS_NAMES, classWords, patternDefs, styleText} from './palette.js';
import {Console, INTERRUPT} from './console.js';
import {draw, svgText, swatch} from './shapes.js';
import {Stop} from './stop.js';
import {Tour} from './tour.js';
import {Wire} from './wire.js';

const $ = id => document.getElementById(id);
const VIEWS = ['spaces', 'table', 'walk', 'frames', 'events'];
const HOVER = 80;   /* ms until a frame under the mouse is asked for */
const TIMES = 100;  /* how many drawing times are kept */

class App {
  constructor() {
    this.hello = this.state = this.frames = this.diff = this.walk = null;
    this.view = 'spaces';
    this.picked = null;       /* {pid, page} */
    this.frame = -1;          /* a frame that is picked or under the mouse */
    this.place = null;        /* what a program of the tour said where to look */
    this.pointing = false;    /* the mouse says which */
    this.walks = new Map();   /* "pid:page" to an answer */
    this.tables = new Map();  /* address to an answer */
    this.open = new Set();    /* tables that are unfolded */
    this.samples = [];
    this.step = Infinity;     /* of the walk; Infinity: the last */
    this.size = 0;            /* of a cell; 0: so that all are seen */
    this.lit = '';            /* the class that is lit up */
    this.usersOnly = false;
    this.drawingTimes = [];
    this.dark = matchMedia('(prefers-color-scheme: dark)').matches;
    this.tour = new Tour(this, $('tour'));
    this.stop = new Stop(this, Object.fromEntries(['pause', 'at', 'of', 'arm',
      'remember', 'forget'].map(id => [id, $(id)])));
    this.console = new Console($('terminal'), {
      place: place => {
        this.place = place;
        this.pick(place);
      },
      leave: () => $('view').focus()});
    this.wire = new Wire({
      message: m => this.take(m),
      frames: f => {
        this.frames = f;
        if (this.state)
          this.stop.update();
        this.render();
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
      events.sample(this.samples, this.state, performance.now());
      this.notePause(before);
      this.stop.update();
      this.fillProcesses();
      if (!this.started)
        this.fromAddressBar();
      this.started = true;
      if (!this.pointing)
        this.frame = this.pickedFrame();
      this.refresh();
      this.tour.update();
    } else if (message.type === 'error' || message.error) {
      this.say(message.error || message.text, true);
      return;
    }
    this.render();
  }

  connected(is) {
    if (is && this.state)
      this.state.events = []; /* all of them come again */
    this.say(is ? '' : 'The explorer does not answer; what it showed last stays.', !is);
  }

  greet(hello) {
    $('machine').textContent = `${hello.kernel} · ${hello.arch}, ${hello.mode}` +
      (hello.live ? '' : ' · a snapshot');
    for (const id of ['pause', 'arm', 'at', 'of'])
      $(id).disabled = !hello.control;
    $('snapshot').disabled = !hello.live;
    $('terminal').hidden = !hello.control;
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
      : s.paused ? `Paused: ${s.why || 'nothing moves until you continue'}` : waits || '';
    if (says !== this.pauseSays && (says || this.pauseSays)) {
      this.say(says, s.paused);
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
      }, error => {
        this.walk = {error};
      });
    if (this.view === 'table')
      this.askTables([this.tableSpace().root, ...this.open]);
  }

  askVa(pid, va, take, fail = () => {}) {
    this.wire.ask('walk', {pid, va}).then(answer => {
      take({...answer, pid});
      this.tour.update();
    }, error => fail(error.message)).then(() => this.render());
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
        this.tables.delete(pa);
        this.open.delete(pa);
      });
  }

  /* --- what is looked at --- */

  tableSpace() {
    return (this.picked && model.spaceOf(this.state, this.picked.pid)) ||
      this.state.spaces[0];
  }

  pick(at) {
    this.picked = at && {pid: at.pid, page: at.page};
    this.followed = '';
    this.pointing = false;
    if (this.state) {
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
    this.view = view;
    if (this.passing)
      this.say(this.pauseSays || '');
    this.passing = false;
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
    $('addressOf').value = pid;
    this.show('walk');
  }

  /* "#3:0x1000" in the address bar opens the walk. */
  fromAddressBar() {
    const match = /^#(\d+):(0x[0-9a-f]+)$/i.exec(location.hash);
    if (match)
      this.goWalkTo(Number(match[1]), match[2]);
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

  /* End the program that runs. */
  interrupt() {
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
    this.console.theme(name);
    this.render();
  }

  /* --- drawing --- */

  render() {
    if (this.asked)
      return;
    this.asked = true;
    requestAnimationFrame(() => {
      const from = performance.now();
      this.asked = false;
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
      tab.setAttribute('aria-selected', String(on));
      tab.tabIndex = on ? 0 : -1;
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
      $('drawing').setAttribute('aria-label', laid.label);
      this.laid = laid;
    }
    this.renderDetails();
  }

  viewWidth() {
    return $('view').clientWidth - 14;
  }

  /* The current view as shapes; whole: all of it, for a file. */
  layoutNow(whole) {
    const {state, hello, picked, diff} = this, width = this.viewWidth();

    if (this.view === 'spaces') {
      const view = $('view');
      const laid = spaces.layout(state, {pick: picked, diff, usersOnly: this.usersOnly,
        width, height: view.clientHeight - 14,
        ...(whole ? {} : {from: view.scrollLeft - 50,
          to: view.scrollLeft + view.clientWidth + 50})});
      return {...laid, label: 'address spaces', shapes: [...laid.shapes,
        ...spaces.marks(laid, state, this.frame), ...spaces.pickMark(laid, picked)]};
    }
    if (this.view === 'table') {
      const space = this.tableSpace();
      const change = diff && diff.spaces.get(space.pid);
      const laid = table.layout(hello, space, this.tables, {open: this.open,
        page: picked ? picked.page : -1, width: Math.max(width, 820),
        changes: change ? change.changes : []});
      return {...laid, label: 'page table of ' + model.title(space)};
    }
    if (this.view === 'walk') {
      if (!this.walk || this.walk.error)
        return {w: width, h: 60, label: 'walk', shapes: [{k: 'text', x: 16, y: 30, c:
          'soft', s: this.walk ? `${this.walkTo.va}: ${this.walk.error}`
            : 'Type an address above, or pick a page and press w.'}]};
      const space = model.spaceOf(state, this.walk.pid);
      const was = this.stop.moment && this.stop.moment.walk;
      return {...walk.layout(hello, this.walk, {step: this.step, title:
        space ? model.title(space) : `[${this.walk.pid}], which has ended`,
        was: was && was.pid === this.walk.pid && was.va === this.walk.va ? was : null}),
      label: 'walk to ' + this.walk.va};
    }
    if (this.view === 'frames') { /* for a file */
      const side = frames.sideLayout(state, this.frames, {width: 250, lit: this.lit});
      const laid = frames.layout(this.frames.n, width - 270, Math.max(500, side.h), {});
      const move = s => ({...s, x: s.x === undefined ? s.x : s.x + width - 256});
      return {w: width, h: Math.max(laid.height, side.h) + 20, label: 'physical memory',
        shapes: [...frames.shapesOf(laid, this.frames, state.classes, 10),
          ...side.shapes.map(move)]};
    }
    return {...events.layout(state, this.samples, {width: Math.max(width, 800),
      since: this.stop.moment ? this.stop.moment.ns : undefined,
      pid: this.eventsOf}), label: 'what happens'};
  }

  renderFrames() {
    if (!this.frames)
      return;
    const box = $('cells'), canvas = $('canvas');
    const w = box.clientWidth - 4, h = box.clientHeight;
    const laid = frames.layout(this.frames.n, w, h, {size: this.size, top: box.scrollTop});

    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w;
      canvas.height = h;
    }
    $('tall').style.height = (this.size ? laid.height : 0) + 'px';
    frames.paint(canvas, laid, this.frames, this.state.classes, {dark: this.dark,
      lit: this.lit, changed: this.diff && this.diff.frames,
      marked: this.frame >= 0 ? [this.frame - this.state.start] : []});
    const side = frames.sideLayout(this.state, this.frames, {width: 250, lit: this.lit});
    draw($('side'), side.shapes, side.w, side.h);
    this.cells = laid;
    const label = laid.per > 1 ? `a cell is ${model.plural(laid.per, 'frame')}, ${
      model.pagesText(laid.per)}` : 'a cell is a frame, 4 KiB';
    $('cellSays').textContent = `${label}; lowest address first`;
    canvas.setAttribute('aria-label', 'physical memory: ' + label);
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
      add('Picked process alone', () => this.only(this.picked && this.picked.pid));
      note('newest first');
    } else {
      note('▸ opens a table; click an entry to pick its page');
    }
  }

  /* The classes that there are, and what marks mean. */
  renderLegend() {
    const seen = new Set();
    if (this.view === 'spaces')
      for (const space of this.state.spaces)
        for (const region of space.regions)
          for (const run of region.runs)
            seen.add(run.cls).add(run.flags & model.SUPER ? 'super' : '');
    const key = [...seen, Boolean(this.diff), this.view].join();
    if (this.legendKey === key)
      return;
    this.legendKey = key;
    const items = CLASS_NAMES.filter(c => seen.has(c)).map(c =>
      legendItem(swatch(1, 1, 14, 13, c), classWords(c)));
    const box = c => [{k: 'rect', x: 2, y: 2, w: 12, h: 11, c}];
    if (seen.has('super'))
      items.push(legendItem([...box('region'), {k: 'rect', x: 4.5, y: 4.5, w: 7, h: 6,
        c: 'super'}], 'superpage'));
    if (seen.size)
      items.push(legendItem(box('guard'), 'guard'));
    if (this.diff && ['table', 'walk', 'frames'].includes(this.view))
      items.push(legendItem([{k: 'rect', x: 2, y: 2, w: 12, h: 11, c: 'changed'}],
                            'not as remembered'));
    if (this.diff && this.view === 'spaces')
      items.push(...[['+', 'new'], ['≠', 'another frame'], ['~', 'another class'],
        ['−', 'gone'], ['÷', 'superpage split or made']].map(([m, w]) => legendWords(m, w)));
    $('legend').replaceChildren(...items);
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
    $('share').toggleAttribute('hidden', !has);
    $('go').hidden = !has;
    if (!has) {
      setText($('picked'), picked && !space ? `Process ${picked.pid} has ended` : 'Details');
      setText($('sentence'), 'Hover over anything to hear what it is. Click a page to open ' +
        'it in the page table, and to see here who else has its frame. New here? Press Tour.');
      setText($('facts'), '');
      return;
    }
    const {region, run} = model.find(space, picked.page);
    const laid = share.layout(this.hello, state, share.related(state, picked), this.walks,
      {width: Math.min(440, $('details').clientWidth - 28), diff});
    draw($('share'), laid.shapes, laid.w, laid.h);
    setText($('picked'), `${model.toHex(picked.page)} of ${model.title(space)}`);
    setText($('sentence'), region ? laid.words : 'No region has this address any more.');
    setText($('facts'), region && run
      ? model.runWords(space, region, run, picked.page) : '');
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

  fillProcesses() {
    const select = $('addressOf'), key = this.state.spaces.map(s => s.pid + s.name).join();
    if (select.dataset.key === key)
      return;
    const was = select.value;
    select.dataset.key = key;
    select.replaceChildren(...this.state.spaces.map(
      s => new Option(model.title(s), s.pid)));
    if (was && this.state.spaces.some(s => String(s.pid) === was))
      select.value = was;
    else
      select.value = Math.min(2, this.state.spaces.length - 1);
  }

  /* --- mouse and keys --- */

  stepWalk(by) {
    if (!this.walk || this.walk.error)
      return;
    const last = walk.lastStep(this.walk);
    this.step = Math.max(0, Math.min(last, Math.min(this.step, last) + by));
    this.render();
  }

  resize(by) {
    const sizes = frames.SIZES, now = this.size || (this.cells ? this.cells.cell : 4);
    const at = sizes.findIndex(s => s >= now);
    this.size = by === 0 ? 0
      : sizes[Math.max(0, Math.min(sizes.length - 1, (at < 0 ? sizes.length - 1 : at) + by))];
    this.render();
    if (by !== 0 && this.frame >= 0) {
      const cols = Math.floor(($('cells').clientWidth - 4) / this.size);
      $('tall').style.height = Math.ceil(this.frames.n / cols) * this.size + 'px';
      $('cells').scrollTop = Math.floor((this.frame - this.state.start) / cols) *
        this.size - $('cells').clientHeight / 2;
    }
  }

  toggleKernel() {
    this.usersOnly = !this.usersOnly;
    this.drawnControls = '';
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
      this.submitAddress();
    });
    $('tourStart').addEventListener('click', () => this.tour.start());
    $('theme').addEventListener('click', () => this.theme(!this.dark));
    $('helpOpen').addEventListener('click', () => $('help').showModal());
    $('snapshot').addEventListener('click', () => {
      this.wire.ask('snapshot').then(() => this.say(''), e => this.say(e.message, true));
    });
    $('export').addEventListener('click', () => this.exportView());
    for (const menu of document.querySelectorAll('.menu'))
      document.addEventListener('click', e => {
        if (!menu.contains(e.target))
          menu.open = false;
      });
    view.addEventListener('scroll', () => this.render());
    $('cells').addEventListener('scroll', () => this.render());
    new ResizeObserver(() => this.render()).observe(view);
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

  submitAddress() {
    const typed = $('va').value.trim();
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
    this.passing = true;
  }

  shapeOf(event) {
    return event.target.shape;
  }

  hover(event) {
    const shape = this.shapeOf(event);
    this.tip(event, shape && shape.tip);
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
      if (!this.open.delete(at.table)) {
        this.open.add(at.table);
        this.askTables([at.table]);
      }
      this.render();
    } else if (at.pid !== undefined) {
      if (this.view === 'spaces' && event.currentTarget === $('drawing'))
        this.openTable(at);
      else if (this.view === 'events' && event.currentTarget === $('drawing')) {
        this.pick(at);
        this.show('spaces');
      } else
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
    this.lookAtFrame(this.state.start + i, says => this.tip(event, says));
  }

  /* Say what a frame is; and, a moment later, who maps it. */
  lookAtFrame(frame, tell) {
    tell(frames.frameWords(this.state, this.frames, frame, this.cells.per));
    if (frame === this.frame && this.frameAsked === frame)
      return;
    this.pointing = true;
    this.frame = frame;
    this.render();
    clearTimeout(this.hovering);
    this.hovering = setTimeout(() => {
      this.frameAsked = frame;
      this.wire.ask('frame', {pa: model.toHex(frame)}).then(answer => {
        if (this.frame === frame)
          tell(frames.frameWords(this.state, this.frames, frame, this.cells.per, answer));
      }, () => {});
    }, HOVER);
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
      this.console.focus();
      return;
    }
    if (typing || event.ctrlKey || event.altKey || event.metaKey || !this.state ||
        $('help').open)
      return;
    const keys = {p: () => this.stop.toggle(), m: () => this.remember(),
      t: () => this.theme(!this.dark), k: () => this.toggleKernel(),
      '?': () => $('help').showModal(), '/': () => $('va').focus(),
      '+': () => this.resize(1), '-': () => this.resize(-1),
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

  viewKey(event) {
    const arrow = event.key.startsWith('Arrow');
    if (this.view === 'walk' && /^Arrow(Left|Right)$/.test(event.key)) {
      this.stepWalk(event.key === 'ArrowLeft' ? -1 : 1);
    } else if (this.view === 'spaces' && arrow) {
      this.pick(spaces.step(this.state, this.picked, event.key));
      this.scrollToPick();
    } else if (this.view === 'spaces' && event.key === 'Enter' && this.picked) {
      this.show('table');
    } else if (this.view === 'table' && /^Arrow(Up|Down)$|^Enter$/.test(event.key)) {
      this.tableKeys(event.key);
    } else if (this.view === 'frames' && arrow && this.cells) {
      const by = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.cells.cols,
        ArrowDown: this.cells.cols}[event.key] * this.cells.per;
      const at = Math.max(0, Math.min(this.frames.n - 1,
        Math.max(0, this.frame - this.state.start) + by));
      this.lookAtFrame(this.state.start + at, says => setText($('facts'), says));
    } else {
      return;
    }
    event.preventDefault();
  }

  scrollToPick() {
    requestAnimationFrame(() => {
      const c = this.laid && this.laid.columns &&
        this.laid.columns.find(k => k.space.pid === this.picked.pid);
      const view = $('view');
      if (!c)
        return;
      if (c.x < view.scrollLeft)
        view.scrollLeft = c.x - 10;
      else if (c.x + c.width > view.scrollLeft + view.clientWidth)
        view.scrollLeft = c.x + c.width - view.clientWidth + 10;
    });
  }

  tableKeys(key) {
    const rows = this.laid.rows || [];
    const at = rows.findLastIndex(r => this.picked && r.page === this.picked.page);
    if (key === 'Enter') {
      const row = rows[at];
      if (row && row.table && !this.open.delete(row.table)) {
        this.open.add(row.table);
        this.askTables([row.table]);
      }
      this.render();
      return;
    }
    const row = rows[Math.max(0, Math.min(rows.length - 1,
                                          at + (key === 'ArrowUp' ? -1 : 1)))];
    if (row)
      this.pick({pid: row.pid, page: row.page});
  }

  exportView() {
    const laid = this.layoutNow(true);
    save(`pagewise-${this.view}.svg`,
         svgText(laid.shapes, laid.w, laid.h, `Pagewise: ${laid.label}`));
  }
}

function setText(element, s) {
  if (element.textContent !== s)
    element.textContent = s;
}

function legendItem(shapes, words) {
  const span = document.createElement('span');
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  draw(svg, shapes, 16, 15);
  span.append(svg, words);
  return span;
}

function legendWords(mark, words) {
  const span = document.createElement('span');
  const b = document.createElement('b');
  b.textContent = mark;
  span.append(b, words);
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
