/*
 * The tour: five steps that answer one question, why two processes share a frame
 * after fork and stop sharing it after a write; and the demonstrations, programs
 * that are on every disk image (docs/tour).
 *
 * A step says what there is to see, has a button for what comes next, and knows
 * when that has happened.
 */
import {KERNEL, TRAMPOLINE, find, frameAt, spaceOf} from './model.js';
import {eventWords} from './events.js';
import {flagList} from './entry.js';

const NAME = 'tour_fork';
const runners = app => app.state.spaces.filter(s => s.name === NAME);

/* May the picked page be written, as its entry says? */
function writable(app) {
  const walk = app.place && app.walks.get(app.place.pid + ':' + app.place.page);
  const last = walk && walk.steps[walk.steps.length - 1];
  return Boolean(last && last.kind === 'leaf' &&
    flagList(app.hello, last.value).find(f => f.letter === 'w').on);
}

const framesOf = app => new Set(runners(app)
  .map(s => frameAt(s, app.place.page)).filter(f => f >= 0));
/* Does the program run that said where to look? */
const placed = app => Boolean(app.place && spaceOf(app.state, app.place.pid) &&
  spaceOf(app.state, app.place.pid).name === NAME &&
  find(spaceOf(app.state, app.place.pid), app.place.page).region);

const look = app => {
  app.pick({pid: app.place.pid, page: app.place.page});
  app.show('spaces');
};

const nextMoment = app => {
  app.remember();
  app.type('\n');
};

/* What every process has in common, and where the page shows it. */
const commonWords = app =>
  app.state.spaces.some(s => s.pid !== KERNEL &&
    s.regions.some(g => g.runs.some(r => r.flags & TRAMPOLINE)))
    ? 'The highest page of each process lights up wherever its frame is used.'
    : 'The kernel is in the page table of each process, above what you see there; it is ' +
      'drawn once, on the left.';

/* text: a string, or what makes one of the app. */
const STEPS = [
  {title: 'Every process has addresses of its own',
    text: app => 'Each column is the memory of one process, high addresses on top. What is ' +
      'solid is there; what is dashed is only promised. Move the mouse over anything ' +
      'to hear what it is. ' + commonWords(app) + ' Now start a program to look at.',
    label: 'Run tour_fork', act: app => app.run(NAME), done: placed},
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
      app.goWalk(app.place.pid, app.place.page);
    }, done: app => app.view === 'walk'},
];

/* [name, what it shows, view to look at, what to watch there] */
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
    'In Address spaces the child’s stack fills downwards, a fault for each page. Under ' +
    'it is a guard, where nothing may ever be: there the child is ended, and the ' +
    'terminal shows the walk to the entry that is 0.'],
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
    'Watch the stacks in the kernel’s column of Address spaces, and walk in process 0 to ' +
    'the page under one: its entry is 0. No program can make such a stack overflow; the ' +
    'kernel does it itself, and says so, when it is booted by ' +
    '“make qemu APPEND=selftest=stack”.'],
  ['tour_trap', 'into the kernel and back', 'walk',
    'The walk goes to the program’s own page, which has the flag u. Walk to the ' +
    'addresses that the program prints as “without u”: they are in its table, but for ' +
    'the kernel alone. Only that can be used when a trap comes.'],
  ['tour_levels', 'page tables of two to five levels', 'walk',
    'Step through the walk to a page of the program: each level takes its bits of the ' +
    'address as the index into its table. When the program touches a page far away, ' +
    'the page table view shows new tables for that one page.'],
  ['tour_machines', 'two machines side by side', 'table',
    'The terminal compares this machine with the other one: levels, flags, where the ' +
    'kernel is. The page table view shows the same flags, in words, for the variable ' +
    'that the program names at its end.'],
];

function button(label, act, c) {
  const b = document.createElement('button');
  b.type = 'button';
  b.textContent = label;
  b.className = c || '';
  b.addEventListener('click', act);
  return b;
}

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
  }

  start() {
    this.demo = null;
    this.go(0);
    this.app.show('spaces');
  }

  go(n) {
    this.at = n;
    this.was = undefined;
    const step = STEPS[n];
    if (step && step.enter && placed(this.app))
      step.enter(this.app);
    this.render();
  }

  stop() {
    this.demo = null;
    this.go(-1);
  }

  /* At the end of the tour: its program, too, need not wait any more. */
  finish() {
    if (runners(this.app).length)
      this.app.interrupt();
    this.stop();
  }

  runDemo([name, , view, watch]) {
    this.at = -1;
    this.demo = {name, watch, walks: view === 'walk',
      before: new Set(this.app.state.spaces.map(s => s.pid))};
    this.app.show(view);
    this.app.run(name);
    this.render();
  }

  /* When a demonstration of the walk runs: to a page that its program has. */
  walkDemo() {
    const {app, demo} = this;
    const space = app.state.spaces.findLast(
      s => s.name === demo.name && !demo.before.has(s.pid));
    const own = what => space && space.regions.find(
      r => r.what === what && r.runs.some(run => run.frame >= 0));
    const region = own('data') || own('text');

    if (!region)
      return;
    demo.walks = false;
    const {page} = region.runs.find(run => run.frame >= 0);
    app.pick({pid: space.pid, page});
    app.goWalk(space.pid, page);
  }

  /* After each state: has what the step asks for happened? */
  update() {
    const step = STEPS[this.at];
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
    const {parent, app} = this, step = STEPS[this.at];

    parent.hidden = !step && !this.demo;
    if (step)
      parent.replaceChildren(...this.stepParts(step));
    else if (this.demo)
      parent.replaceChildren(this.heading(this.demo.name), paragraph(this.demo.watch),
        paragraph('The program says in the terminal what it does next, and waits for ' +
        'Enter.'), this.row(
        button('Remember, then Enter', () => nextMoment(app), 'go'),
        button('Enter', () => app.type('\n'))));
  }

  heading(text) {
    const h = document.createElement('h2');
    const close = button('×', () => this.stop(), 'close');
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
    }, 'go');
    const back = button('Back', () => this.go(n - 1));
    const next = button(last ? 'Done' : 'Next', () => last ? this.finish()
      : this.go(n + 1), this.was ? 'go' : '');

    back.disabled = n === 0;
    act.disabled = !this.app.hello.control;
    const says = typeof step.text === 'string' ? step.text : step.text(this.app);
    return [this.heading(`${n + 1} of ${STEPS.length} · ${step.title}`),
      paragraph(says), this.row(act, back, next)];
  }

  /* Fill the list of demonstrations. */
  list(parent) {
    parent.replaceChildren(...DEMOS.map(demo => {
      const b = button('', () => {
        parent.closest('details').open = false;
        this.runDemo(demo);
      });
      const name = document.createElement('b');
      name.textContent = demo[0].replace('tour_', '');
      b.append(name, ' ' + demo[1]);
      b.dataset.demo = demo[0];
      b.disabled = !this.app.hello.control;
      return b;
    }));
  }
}
