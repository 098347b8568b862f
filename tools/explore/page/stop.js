/*
 * Stop and look: pause and go on, stop at the next event of a process, and remember
 * a moment, which all views then compare with.
 */
import {ANY_PROCESS, KERNEL, difference, title, toPage} from './model.js';
import {setOnce} from './shapes.js';
import {related} from './share.js';
import {ProcessList} from './processes.js';

/* The newest process of a list; of one that has changed, the newest that was there before:
 * where a shell runs programs, the very newest ends at once. */
function newest(list, before) {
  const pids = new Set(before.map(([, pid]) => pid));
  const last = list.findLast(([, pid]) => pids.has(pid)) || list[list.length - 1];
  return last[1];
}

export class Stop {
  constructor(app, parts) {
    this.app = app;
    this.parts = parts;
    this.moment = this.diff = null;
    /* Of a command for the shell no process is there to be chosen before it is typed. */
    this.of = new ProcessList(parts.of, () => [['any process', ANY_PROCESS],
      ...app.state.spaces.filter(s => s.pid !== KERNEL).map(s => [title(s), s.pid])],
    newest);
    parts.pause.addEventListener('click', () => this.toggle());
    parts.arm.addEventListener('click', () => this.arm());
    parts.remember.addEventListener('click', () => this.remember());
    parts.forget.addEventListener('click', () => this.forget());
  }

  tell(promise) {
    promise.catch(error => this.app.notice.complain(error.message));
  }

  toggle() {
    const {app} = this;
    if (app.hello && app.hello.control)
      this.tell(app.wire.ask(app.state && app.state.paused ? 'continue' : 'pause'));
  }

  arm() {
    const {app, parts} = this;
    this.tell(app.wire.ask('stop', {at: parts.at.value, pid: Number(parts.of.value)}));
  }

  remember() {
    const {app} = this;
    this.moment = {state: app.state, frames: app.frames, walks: this.walksNow(),
      ns: app.state.ns};
    this.parts.forget.hidden = false;
    this.compare();
    app.render();
  }

  /* Walks that are asked for with each state, so that they are of this moment: to the
   * picked page and its like, and in the view. By "pid:page". */
  walksNow() {
    const {state, picked, details, view, views} = this.app, {answer} = views.walk;
    const keys = picked && picked.page !== undefined
      ? related(state, picked).map(r => `${r.pid}:${r.page}`) : [];
    const walks = keys.map(k => [k, details.walks.get(k)]);

    if (view === 'walk' && answer && !answer.error)
      walks.push([`${answer.pid}:${toPage(answer.va)}`, answer]);
    return new Map(walks);
  }

  forget() {
    this.moment = this.diff = null;
    this.parts.forget.hidden = true;
    this.app.render();
  }

  compare() {
    const {state, frames} = this.app;

    if (this.moment)
      this.diff = difference(this.moment, {state, frames});
  }

  /* After each state or frames. */
  update() {
    const {app, parts} = this, state = app.state;

    this.compare();
    const paused = state.paused && !state.ended;
    const words = paused ? 'Continue' : 'Pause';
    if (parts.pause.textContent !== words)
      parts.pause.textContent = words;
    setOnce(parts.pause, 'aria-pressed', paused);
    for (const part of [parts.pause, parts.arm, parts.at, parts.of])
      part.toggleAttribute('disabled', Boolean(!app.hello.control || state.ended));
    this.of.update();
  }
}
