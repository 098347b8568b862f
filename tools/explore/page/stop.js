/*
 * Stop and look: pause and go on, stop at the next event of a process, and remember
 * a moment, which all views then compare with.
 */
import {difference, title} from './model.js';

export class Stop {
  constructor(app, parts) {
    this.app = app;
    this.parts = parts;
    this.moment = null;
    parts.pause.addEventListener('click', () => this.toggle());
    parts.arm.addEventListener('click', () => this.arm());
    parts.remember.addEventListener('click', () => this.remember());
    parts.forget.addEventListener('click', () => this.forget());
  }

  tell(promise) {
    promise.catch(error => this.app.say(error.message, true));
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
    this.moment = {state: app.state, frames: app.frames, walks: new Map(app.walks),
      walk: app.walk, ns: app.state.ns};
    this.parts.forget.hidden = false;
    app.diff = null;
    app.render();
  }

  forget() {
    this.moment = null;
    this.parts.forget.hidden = true;
    this.app.diff = null;
    this.app.render();
  }

  /* After each state or frames. */
  update() {
    const {app, parts} = this, state = app.state;

    if (this.moment)
      app.diff = difference(this.moment, {state, frames: app.frames});
    parts.pause.textContent = state.paused ? 'Continue' : 'Pause';
    parts.pause.setAttribute('aria-pressed', String(state.paused));
    this.fillProcesses(parts.of, state);
  }

  fillProcesses(select, state) {
    const list = state.spaces.filter(s => s.pid !== 0);
    const key = list.map(s => s.pid + s.name).join();
    if (select.dataset.key === key)
      return;
    const was = select.value;
    select.dataset.key = key;
    select.replaceChildren(...list.map(s => new Option(title(s), s.pid)));
    if (list.some(s => String(s.pid) === was))
      select.value = was;
    else if (list.length)
      select.value = list[list.length - 1].pid;
  }
}
