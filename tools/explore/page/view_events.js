/*
 * What happens: the counters over time, and the newest events, of everybody or of
 * one process.
 */
import * as events from './events.js';
import {button, note} from './elements.js';
import {BEYOND, NARROWEST, View} from './view.js';

export class EventsView extends View {
  constructor(app) {
    super(app);
    this.samples = [];      /* of the counters */
    this.of = undefined;    /* the process whose events are shown alone */
    this.row = null;        /* of the event that keys have come to */
  }

  beginAnew() {
    this.samples = [];
    this.row = null;
  }

  /* A state has come. */
  sample(state) {
    events.sample(this.samples, state);
  }

  layout(whole) {
    const {state, ended, stop, pane} = this.app, {y, h} = pane.seen();

    return {...events.layout(state, this.samples, {width: Math.max(pane.width, NARROWEST),
      since: stop.moment ? stop.moment.ns : undefined, pid: this.of,
      key: this.row && this.row.key, whole,
      nameOf: (pid, exec) => ended.nameBefore(state, pid, exec), from: y - BEYOND, to: y + h}),
    label: 'what happens'};
  }

  controls() {
    const {app} = this;
    return [button('Everybody', () => this.only(undefined)),
      button('Picked process alone', () => app.picked ? this.only(app.picked.pid)
        : app.notice.complain('No process is picked: click on one in Address spaces.')),
      note('newest first')];
  }

  legend() {
    return [];
  }

  only(pid) {
    this.of = pid;
    this.app.render();
  }

  /* To the next event of the list, or to the page that one is about. */
  key(key, {rows = []}) {
    if (!/^Arrow(Up|Down)$|^Enter$/.test(key))
      return false;
    const at = this.rowIn(rows);
    if (key === 'Enter' && this.row) {
      this.open(this.row.at);
    } else if (key !== 'Enter' && rows.length) {
      const next = at < 0 ? 0 : at + (key === 'ArrowUp' ? -1 : 1);
      this.row = rows[Math.max(0, Math.min(rows.length - 1, next))];
      this.app.pane.scrollsToPick();
    }
    return true;
  }

  /* Which of them the keys have come to; -1: none. */
  rowIn(rows) {
    return rows.findIndex(r => this.row && r.key === this.row.key);
  }

  open(at) {
    if (!at)
      return;
    this.app.pick(at);
    this.app.show('spaces');
  }

  pickBox({rows}) {
    return rows[this.rowIn(rows)] || null;
  }

  /* Newer events may have taken its place in the list. */
  facts() {
    const {row} = this, {rows} = this.app.pane.laid;
    if (!row)
      return '';
    return row.says + (row.at ? '\nEnter shows its page.' : '') +
      (this.rowIn(rows) >= 0 ? ''
        : '\nIt has left the list: an arrow key goes to the newest.');
  }
}
