/*
 * The walk to an address, step by step; the same on a machine beside, if one runs. Its
 * page is picked, and when another page is picked that is walked to.
 */
import * as walk from './walk.js';
import {button} from './elements.js';
import {isThere, spaceOf, title, toHex, toPage} from './model.js';
import {View} from './view.js';

export class WalkView extends View {
  constructor(app) {
    super(app);
    this.to = null;       /* {pid, va} */
    this.answer = null;   /* what the kernel's table says; or {error} */
    this.step = Infinity; /* Infinity: the last */
  }

  beginAnew() {
    this.answer = null;
  }

  go(pid, page) {
    this.goTo(pid, toHex(page));
  }

  goTo(pid, va) {
    const {app} = this;

    if (!spaceOf(app.state, pid)) {
      app.notice.complain(`no such process: ${pid}`);
      return;
    }
    this.turnTo(pid, va);
    if (!this.isTo(app.picked))
      app.pick({pid, page: toPage(va)});
    app.show('walk');
  }

  turnTo(pid, va) {
    this.to = {pid, va};
    this.step = Infinity;
    this.app.address.set(pid, va);
  }

  isTo(picked) {
    const {to} = this;
    return Boolean(to && picked) && picked.pid === to.pid && picked.page === toPage(to.va);
  }

  shown() {
    this.picked();
  }

  /* The walk is to what is picked. */
  picked() {
    const {state, picked} = this.app;

    if (picked && picked.page !== undefined && !this.isTo(picked) &&
        spaceOf(state, picked.pid))
      this.turnTo(picked.pid, toHex(picked.page));
  }

  refresh() {
    if (this.to)
      this.app.askWalk(this.to.pid, this.to.va, answer => {
        this.answer = answer;
      }, error => this.fail(error));
  }

  /* Of a process that has ended, the last answer stays. */
  fail(error) {
    const {state, ended} = this.app, {pid, va} = this.to, was = this.answer;

    if (!was || was.error || was.pid !== pid || BigInt(was.va) !== BigInt(va) ||
        spaceOf(state, pid))
      this.answer = {error: ended.had(state, pid) ? `${ended.nameOf(pid)} has ended` : error};
  }

  layout() {
    const {state, hello, ended, beside, pane} = this.app, {step, answer} = this;

    if (!answer || answer.error)
      return this.layoutWords('walk', answer ? `${this.to.va}: ${answer.error}`
        : 'Type an address above, or pick a page.');
    const space = spaceOf(state, answer.pid);
    const named = space ? title(space)
      : `${ended.nameOf(answer.pid)}, which has ended: as last read`;
    const options = {step, title: named, ...this.remembered(answer)};
    return beside.on ? beside.walksLayout(answer, {...options, width: pane.width})
      : {...walk.layout(hello, answer, options), label: 'walk to ' + answer.va};
  }

  /* What is known of this walk in the moment that is remembered: the walk itself, if it was
   * asked for then; else what has become of the process and its pages. */
  remembered({pid, va}) {
    const {moment, diff} = this.app.stop;

    if (!moment)
      return {};
    const change = diff && diff.spaces.get(pid);
    return {was: moment.walks.get(`${pid}:${toPage(va)}`),
      ...change && {newer: change.kind === 'new', changes: change.changes.filter(isThere)}};
  }

  controls() {
    return [button('◀ Step back', () => this.stepBy(-1), {title: 'left arrow'}),
      button('Step forward ▶', () => this.stepBy(1), {title: 'right arrow'}),
      button('From the start', () => this.stepBy(-99)),
      button('All', () => this.stepBy(99))];
  }

  stepBy(n) {
    const {app, answer} = this, {beside} = app;

    if (!answer || answer.error)
      return;
    const last = Math.max(walk.lastStep(answer),
      beside.walk ? walk.lastStep(beside.walk) : 0);
    this.step = Math.max(0, Math.min(last, Math.min(this.step, last) + n));
    app.render();
  }

  key(key) {
    const by = {ArrowLeft: -1, ArrowRight: 1}[key];
    if (by)
      this.stepBy(by);
    return Boolean(by);
  }
}
