/*
 * The tour: five steps that answer one question, why two processes share a frame
 * after fork and stop sharing it after a write; and the demonstrations, programs
 * that are on every disk image (docs/tour).
 *
 * A step says what there is to see, has a button for what comes next, and knows
 * when that has happened.
 */
import {find, frameAt, spaceOf} from './model.js';
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

const STEPS = [
  {title: 'Every process has addresses of its own',
    text: 'Each column is the memory of one process, high addresses on top. What is ' +
      'solid is there; what is dashed is only promised. Move the mouse over anything ' +
      'to hear what it is. The highest page lights up wherever its frame is used. ' +
      'Now start a program to look at.',
    label: 'Run tour_fork', act: app => app.type(NAME + '\n'), done: placed},
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
      'fault_reuse. Look at the entry itself: the walk takes the address through ' +
      'the table, level by level, and shows each flag.',
    enter: look, label: 'Walk to the page', act: app => {
      app.goWalk(app.place.pid, app.place.page);
    }, done: app => app.view === 'walk'},
];

/* [name, what it shows, view to look at] */
const DEMOS = [
  ['tour_heap', 'memory comes when it is touched', 'spaces'],
  ['tour_fork', 'fork and the first write', 'spaces'],
  ['tour_stack', 'a stack grows down to its guard', 'spaces'],
  ['tour_twice', 'a program that runs twice, once in memory', 'spaces'],
  ['tour_shared', 'shared memory: one frame, two writers', 'spaces'],
  ['tour_super', 'a superpage made, and split', 'table'],
  ['tour_exec', 'exec: another program in the same process', 'table'],
  ['tour_out', 'memory runs out', 'events'],
  ['tour_kstack', 'a kernel stack overflows', 'spaces'],
  ['tour_trap', 'the trampoline: into the kernel and back', 'walk'],
  ['tour_levels', 'page tables of three, four, five levels', 'walk'],
  ['tour_machines', 'two machines side by side', 'table'],
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

  runDemo([name, what, view]) {
    this.at = -1;
    this.demo = [name, what];
    this.app.show(view);
    this.app.type(name + '\n');
    this.render();
  }

  /* After each state: has what the step asks for happened? */
  update() {
    const step = STEPS[this.at];
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
      parent.replaceChildren(this.heading(this.demo[0]), paragraph(
        `Watch: ${this.demo[1]}. The program says in the terminal what it does next, ` +
        'and waits for Enter.'), this.row(
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
    const next = button(last ? 'Done' : 'Next', () => last ? this.stop()
      : this.go(n + 1), this.was ? 'go' : '');

    back.disabled = n === 0;
    act.disabled = !this.app.hello.control;
    return [this.heading(`${n + 1} of ${STEPS.length} · ${step.title}`),
      paragraph(step.text), this.row(act, back, next)];
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
