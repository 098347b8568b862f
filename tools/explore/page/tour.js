/*
 * The tour: five steps that answer one question, why two processes share a frame
 * after fork and stop sharing it after a write; and the demonstrations, programs
 * that are on every disk image (docs/tour).
 *
 * A step says what there is to see, has a button for what comes next, and knows
 * when that has happened.
 */
import {KERNEL, TRAMPOLINE, find, frameAt, spaceOf} from './model.js';
import {button} from './elements.js';
import {eventWords} from './events.js';
import {flagList} from './entry.js';

const NAME = 'tour_fork';
const runners = app => app.state.spaces.filter(s => s.name === NAME);

/* May the picked page be written, as its entry says? */
function writable(app) {
  const {tour: {place}, details} = app;
  const walk = place && details.walks.get(place.pid + ':' + place.page);
  const last = walk && walk.steps[walk.steps.length - 1];
  return Boolean(last && last.kind === 'leaf' &&
    flagList(app.hello, last.value).find(f => f.letter === 'w').on);
}

const framesOf = app => new Set(runners(app)
  .map(s => frameAt(s, app.tour.place.page)).filter(f => f >= 0));
/* Does the program run that said where to look? */
function placed({state, tour: {place}}) {
  const space = place && spaceOf(state, place.pid);
  return Boolean(space && space.name === NAME && find(space, place.page).region);
}

const look = app => {
  app.pick(app.tour.place);
  app.show('spaces');
};

/* Why no program can be run; "" if it can. */
const whyNot = ({hello, state}) => !hello.control ? 'No machine runs behind this page'
  : state && state.ended ? 'The machine has ended'
  : state && state.panicked ? 'The kernel has panicked' : '';

const nextMoment = app => {
  app.stop.remember();
  app.tour.enter();
};

/* What every process has in common, and where the page shows it. */
const commonWords = app =>
  app.state.spaces.some(s => s.pid !== KERNEL &&
    s.regions.some(g => g.runs.some(r => r.flags & TRAMPOLINE)))
    ? 'The highest page of each process lights up wherever its frame is used.'
    : 'The kernel is in the page table of each process, above what you see there; it is ' +
      (app.views.spaces.usersOnly ? 'drawn once, when you press “Kernel”.' : 'drawn once, on the left.');

/* text: a string, or what makes one of the app. */
const STEPS = [
  {title: 'Every process has addresses of its own',
    text: app => 'Each column is the memory of one process, high addresses on top. What is ' +
      'solid is there; what is dashed is only promised. Move the mouse over anything ' +
      'to hear what it is. ' + commonWords(app) + ' Now start a program to look at.',
    label: 'Run tour_fork', act: app => app.tour.run(NAME), done: placed},
  {title: 'One page, one frame',
    text: 'The program has written to one page: it is picked, and Details shows which ' +
      'frame of memory is behind it. The entry of the page table that leads there has ' +
      'W, so the program may write. One entry, one frame. Let the program fork; what ' +
      'changes is marked in every view.',
    enter: look, label: 'Remember this, then fork', act: nextMoment,
    done: app => placed(app) && runners(app).length === 2},
  {title: 'After fork: two entries, one frame',
    text: 'fork copied the page table, not the memory. Both entries lead to the same ' +
      'frame: that is fast, and nobody has written yet. So that neither sees what the ' +
      'other writes, fork took W from both entries. A write is now a page fault, and ' +
      'the kernel decides what to do. Let the child write.',
    enter: look, label: 'Remember this, then let the child write', act: nextMoment,
    done: app => placed(app) && runners(app).length === 2 && framesOf(app).size === 2},
  {title: 'After the write: two frames',
    text: 'The child wrote where its entry had no W: a page fault. Two processes had ' +
      'the frame, so the kernel copied it, let the child’s entry lead to the copy, and ' +
      'gave it W. The parent’s entry is as it was. That is why they share after fork, ' +
      'and no longer after a write. Let the parent write, too.',
    enter: look, label: 'Remember this, then let the parent write', act: nextMoment,
    done: app => placed(app) && runners(app).length === 1 && writable(app)},
  {title: 'The last one needs no copy',
    text: 'The parent’s write was a page fault, too. But nobody else had the frame any ' +
      'more, so the kernel gave W back and copied nothing: “What happens” lists ' +
      `“${eventWords('fault_reuse')}”. Look at the entry itself: the walk takes the address through ` +
      'the table, level by level, and shows each flag.',
    enter: look, label: 'Walk to the page', act: app => {
      app.views.walk.go(app.tour.place.pid, app.tour.place.page);
    }, done: app => app.view === 'walk'},
];

/* [name, what it shows, view to look at, what to watch there, what runs beside it: the
 * first of those machines that can be started, with the program or without it; and
 * may it be started again?] */
const DEMOS = [
  ['tour_heap', 'memory comes when it is touched', 'spaces',
    'In Address spaces the heap is dashed: promised. A read brings the page of zeros, ' +
    'which all share, without W; a write brings a frame of its own. What happens shows ' +
    'a fault for each page of the heap, and fewer for the mapping.'],
  ['tour_fork', 'fork and the first write', 'spaces',
    'Watch the picked page in Details. After fork two entries lead to one frame, ' +
    'neither with W; the child’s write makes a copy, the parent’s brings W back without ' +
    'one.'],
  ['tour_stack', 'a stack grows down to its guard', 'spaces',
    'With each Enter the child calls itself once more: in Address spaces its stack gets ' +
    'a page more, downwards, and What happens lists a fault for it. With the last it ' +
    'calls without end. Under the stack is a guard, where nothing may ever be: there ' +
    'the child is ended, and the terminal shows the walk to the entry that is 0.'],
  ['tour_twice', 'a program that runs twice, once in memory', 'spaces',
    'In Address spaces hover over the text of both processes: it is one frame, that of ' +
    'the file’s cache. So are data that nobody has written; a write makes a copy of a ' +
    'private page, but not of the shared mapping of a file.'],
  ['tour_shared', 'shared memory: one frame, two writers', 'spaces',
    'Watch the picked page in Details. After this fork both entries keep W and lead to ' +
    'one frame: what the child writes, the parent reads, and no fault tells the kernel.'],
  ['tour_super', 'a superpage made, and split', 'table',
    'In the page table one entry, a level above the others, maps all around the byte ' +
    'that is written. After fork the child’s write splits it: pick the child’s page, ' +
    'and there is a table of pages, of which one was copied.'],
  ['tour_exec', 'exec: another program in the same process', 'table',
    'Remember, then Enter: pid and name stay, but the page table has another root, and ' +
    'Address spaces says “≠ exec”. The pages of text have the file’s frames, as before.'],
  ['tour_out', 'memory runs out', 'events',
    'In What happens free memory falls while a child takes it, page fault by page ' +
    'fault. Then the list says “out of memory”, the child is ended, and all of it is ' +
    'free again.'],
  ['tour_kstack', 'a kernel stack overflows', 'spaces',
    'No program can make a kernel stack overflow, so a second machine does, which is ' +
    'thrown away: as it starts, its kernel calls itself without end, panics, and names ' +
    'the guard page. Then the walk to that page is shown: the entry is 0. This machine ' +
    'goes on; the program here shows where its own kernel stacks are.',
    {machines: ['stack'], again: true}],
  ['tour_trap', 'into the kernel and back', 'walk',
    'The walk goes to the program’s own page, which has the flag u. Walk to the ' +
    'addresses that the program prints as “without u”: they are in its table, but for ' +
    'the kernel alone. Only that can be used when a trap comes.'],
  ['tour_levels', 'page tables of two to five levels', 'walk',
    'The same program runs on a second machine, beside this one. Step through the walks ' +
    'to the same address: each level takes its bits of it as the index into its table. ' +
    'What the machines do not have in common is at the top. When the program touches ' +
    'a page far away, the page table view shows new tables for that one page.',
    {machines: ['levels', 'other'], program: true}],
  ['tour_machines', 'two machines side by side', 'walk',
    'The same program runs on a machine of the other kind, beside this one. The walks ' +
    'show levels, sizes of entries and flags next to each other; Address spaces shows ' +
    'where the kernel is. Both terminals compare the rest. At last each names a variable ' +
    'of its own, and each walk goes there.',
    {machines: ['other'], program: true}],
];

/* Pages of its data and text that are there. */
const ownPages = space => !space ? [] : ['data', 'text'].flatMap(
  what => space.regions.filter(r => r.what === what).flatMap(r => r.runs)
    .filter(run => run.frame >= 0)
    .flatMap(run => [...Array(run.pages).keys()].map(i => run.page + i)));

function paragraph(text, c) {
  const p = document.createElement('p');
  p.textContent = text;
  p.className = c || '';
  return p;
}

export class Tour {
  constructor(app, parent) {
    this.app = app;
    this.parent = parent;
    this.at = -1;
    this.demo = null;
    this.why = '';
    this.place = null; /* what a program said where to look: {pid, page, what} */
  }

  start() {
    if (this.demo)
      this.stop();
    this.go(0);
    this.app.show('spaces');
    this.focus();
  }

  go(n) {
    this.at = n;
    this.was = undefined;
    const step = STEPS[n];
    if (step && step.enter && placed(this.app))
      step.enter(this.app);
    this.render();
  }

  /* Its program need not wait any more, and nothing runs beside it. */
  stop() {
    const {app, demo} = this;
    const runs = demo ? app.console.next || this.space(app) : runners(app).length;

    this.demo = null;
    app.beside.stop();
    if (runs)
      app.console.interrupt();
    this.go(-1);
    document.getElementById('tourStart').focus();
  }

  runDemo(demo) {
    const {app} = this, [name, , view, watch, other] = demo;

    this.at = -1;
    this.demo = {name, watch, other, walks: view === 'walk', again: () => this.runDemo(demo),
      before: new Set(app.state.spaces.map(s => s.pid))};
    app.beside.stop();
    app.show(view);
    this.run(name);
    this.startOther();
    this.render();
    this.focus();
  }

  /* To the button that goes on; or to the one that had the focus, which is made anew. */
  focus(label) {
    const all = [...this.parent.querySelectorAll('button:enabled')];
    const to = all.find(b => b.textContent === label) ||
      all.find(b => b.classList.contains('go')) || all[0];
    if (to)
      to.focus();
  }

  /* Run a program, whatever else waits for a key: that is ended. */
  run(name) {
    this.place = null;
    this.app.console.run(name);
  }

  /* Enter, for a program that waits; for the same beside, too. */
  enter() {
    const {console: here, beside} = this.app;

    here.type('\n');
    if (beside.program)
      beside.type('\n');
  }

  /* Another boot. */
  beginAnew() {
    this.place = null;
  }

  /* The machine beside, if the demonstration has one that can be started. */
  startOther() {
    const {app, demo} = this;
    const found = demo.other && demo.other.machines.find(
      m => app.hello.beside.includes(m));

    demo.lacks = Boolean(demo.other) && !found;
    demo.both = Boolean(found) && Boolean(demo.other.program);
    if (found)
      app.beside.start(found, demo.other.program ? demo.name : '');
  }

  /* The demonstration's program, on one of the machines. */
  space({state}) {
    const {name, before} = this.demo;
    return state && state.spaces.findLast(s => s.name === name &&
      (state !== this.app.state || !before.has(s.pid)));
  }

  /* When a demonstration of the walk runs: to a page that its program has, on both
   * machines if there are two. */
  walkDemo() {
    const {app, demo} = this;
    const space = this.space(app), mine = ownPages(space);
    const theirs = demo.both ? ownPages(this.space(app.beside)) : mine;

    if (!mine.length || !theirs.length)
      return;
    demo.walks = false;
    app.views.walk.go(space.pid, mine.find(p => theirs.includes(p)) ?? mine[0]);
  }

  /* After each state: has what the step asks for happened? */
  update() {
    const step = STEPS[this.at];
    this.noteWhy();
    this.noteEnd();
    if (this.demo && this.demo.walks)
      this.walkDemo();
    if (!step)
      return;
    const done = step.done(this.app);
    if (done === this.was)
      return;
    this.was = done;
    if (done && this.at + 1 < STEPS.length && this.acted === this.at)
      this.go(this.at + 1);
    else
      this.render();
  }

  render() {
    const {parent} = this, step = STEPS[this.at], had = document.activeElement;
    const label = parent.contains(had) ? had.textContent : null;

    parent.hidden = !step && !this.demo;
    if (step)
      parent.replaceChildren(...this.stepParts(step));
    else if (this.demo)
      parent.replaceChildren(...this.demoParts());
    if (label !== null)
      this.focus(label);
  }

  demoParts() {
    const {app, demo} = this;
    const buttons = demo.over ? [button('Run it again', demo.again, {class: 'go'})]
      : [button('Remember, then Enter', () => nextMoment(app), {class: 'go'}),
        button('Enter', () => this.enter())];

    if (demo.other && demo.other.again && !demo.lacks)
      buttons.push(button('Overflow it again', () => this.startOther()));
    for (const b of this.why ? buttons : [])
      b.disabled = true;
    return [this.heading(demo.name), paragraph(demo.watch),
      ...demo.lacks ? [paragraph('Only, there is no second machine now: “make explore” ' +
        'offers those that it can build (docs/explore.md).', 'bad')] : [],
      paragraph(this.why ? `${this.why}, so the program does not go on.`
        : demo.over ? 'The program has ended.'
        : 'The program says in the terminal what it does next, and waits for Enter.'),
      this.row(...buttons)];
  }

  heading(text) {
    const h = document.createElement('h2');
    const close = button('×', () => this.stop(), {class: 'close'});
    close.setAttribute('aria-label', 'Leave the tour');
    h.append(text, close);
    return h;
  }

  row(...buttons) {
    const div = document.createElement('div');
    div.className = 'row';
    div.append(...buttons);
    return div;
  }

  stepParts(step) {
    const n = this.at, last = n + 1 === STEPS.length;
    const act = button(step.label, () => {
      this.acted = n;
      step.act(this.app);
    }, {class: 'go'});
    const back = button('Back', () => this.go(n - 1));
    const next = button(last ? 'Done' : 'Next', () => last ? this.stop()
      : this.go(n + 1), {class: this.was ? 'go' : ''});

    back.disabled = n === 0;
    act.disabled = Boolean(this.why);
    const says = typeof step.text === 'string' ? step.text : step.text(this.app);
    const why = this.why ? [paragraph(this.why +
      ', so nothing can be started here: read on with Next.')] : [];
    return [this.heading(`${n + 1} of ${STEPS.length} · ${step.title}`),
      paragraph(says), ...why, this.row(act, back, next)];
  }

  /* Fill the list of demonstrations. */
  list(parent) {
    parent.replaceChildren(...DEMOS.map(demo => {
      const b = button('', () => this.runDemo(demo));
      const name = document.createElement('b');
      name.textContent = demo[0].replace('tour_', '');
      b.append(name, ' ' + demo[1]);
      b.dataset.demo = demo[0];
      return b;
    }));
    this.demos = parent;
    this.why = undefined;
    this.noteWhy();
  }

  /* Nothing can be pressed that would do nothing, or be for the shell. */
  noteEnd() {
    const {demo} = this;
    if (!demo)
      return;
    const runs = Boolean(this.space(this.app)), over = Boolean(demo.ran && !runs);

    demo.ran ||= runs;
    if (over !== Boolean(demo.over)) {
      demo.over = over;
      this.render();
    }
  }

  /* The same of a machine that has no shell. */
  noteWhy() {
    const why = whyNot(this.app);
    if (why === this.why)
      return;
    this.why = why;
    for (const b of this.demos.children) {
      b.disabled = Boolean(why);
      b.title = why;
    }
    this.render();
  }
}
