/*
 * Address spaces: all of this machine; or, if another runs beside it, both kernels
 * with a process each.
 */
import * as spaces from './spaces.js';
import {button, note} from './elements.js';
import {Lately} from './lately.js';
import {KERNEL, holders} from './model.js';
import {BEYOND, View} from './view.js';

const ROOM = 40;   /* pixels of a picked page that must be seen */
const PAST = 2000; /* ms that what has gone is heeded */

export class SpacesView extends View {
  constructor(app) {
    super(app);
    this.usersOnly = false;
    this.past = []; /* spaces that are not there, or not so, any more */
    this.spaces = new Lately(PAST, () => app.renderSoon());
    this.counts = new Lately(PAST, () => app.renderSoon()); /* of processes */
  }

  beginAnew() {
    this.past = [];
    this.spaces.forget();
    this.counts.forget();
  }

  shown() {
    this.beginAnew();
  }

  /* What was there a moment ago has a say in the layout, or all columns would move each
   * time that a shell runs a program. */
  lately() {
    const {state} = this.app, n = state.spaces.filter(s => s.pid !== KERNEL).length;

    this.past = this.spaces.heed(new Map(state.spaces.map(s => [spaces.looksOf(s), s])));
    return {past: this.past, most: Math.max(n, ...this.counts.heed(new Map([[n, n]])))};
  }

  layout(whole) {
    const {state, picked, pointed, stop, beside, pane} = this.app, {x, w} = pane.seen();
    const size = {width: pane.width, height: pane.height, usersOnly: this.usersOnly};

    if (beside.on)
      return {...beside.spacesLayout(this.besidePid(), size),
        label: 'address spaces of both machines'};
    const laid = spaces.layout(state, {...size, pick: picked, diff: stop.diff,
      ...(whole ? {} : {...this.lately(), from: x - BEYOND, to: x + w + BEYOND})});
    return {...laid, label: 'address spaces', shapes: [...laid.shapes,
      ...spaces.marks(laid, state, pointed.frame), ...spaces.pickMark(laid, picked)]};
  }

  /* The process that is shown beside its like: that of the walk, or of the tour. */
  besidePid() {
    const {state, beside, views} = this.app, {to} = views.walk;
    const runs = state.spaces.findLast(s => beside.program && s.name === beside.program);
    return runs ? runs.pid : to ? to.pid : KERNEL;
  }

  controls() {
    return [button('Kernel', () => this.toggleKernel(),
                   {title: 'k', 'aria-pressed': !this.usersOnly}),
      note('the same address is at the same height in all processes')];
  }

  toggleKernel() {
    const {app} = this;

    this.usersOnly = !this.usersOnly;
    app.pane.controlsAnew();
    app.tour.render();
    app.render();
  }

  /* The classes that there are, and what marks mean. */
  legend(whole) {
    const {state, stop, beside} = this.app;
    return spaces.legend(state, {diff: stop.diff, usersOnly: this.usersOnly,
      past: whole || beside.on ? [] : this.past});
  }

  key(key) {
    const {app} = this;

    if (key.startsWith('Arrow'))
      app.pick(spaces.step(app.state, app.picked, key));
    else if (key === 'Enter' && app.picked)
      app.show('table');
    else
      return false;
    return true;
  }

  open(at) {
    this.app.openTable(at);
  }

  pickBox(laid) {
    const {picked} = this.app;
    const c = picked && laid.columns && laid.columns.find(k => k.space.pid === picked.pid);
    if (!c)
      return null;
    const y = picked.page === undefined ? 0 : c.scale.y(picked.page + 1);
    const h = picked.page === undefined ? 0 : c.scale.y(picked.page) - y;
    return {...this.pickColumns(c, laid), y, h: Math.min(h, ROOM)};
  }

  /* From the first to the last process that has the picked frame, if they can be seen
   * at once; else the column of the picked page alone. */
  pickColumns(c, laid) {
    const {state, pointed, pane} = this.app;
    const pids = new Set(holders(state, pointed.ofPick())
      .map(m => m.space.pid).filter(pid => pid !== KERNEL));
    const all = laid.columns.filter(k => k === c || pids.has(k.space.pid));
    const {x} = all[0], last = all[all.length - 1], w = last.x + last.width - x;
    return w <= pane.width ? {x, w} : {x: c.x, w: c.width};
  }
}
