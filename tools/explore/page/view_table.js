/*
 * A page table: that of the picked page's process, with the tables that are
 * unfolded. Those that lead to the page are unfolded once, from the root down, as
 * they come:
 *
 *    refresh() --> ask(root) --> follow() --> ask(next on the way) --> follow() ...
 *
 * What is kept is the root and what is unfolded, of one space, since these alone are
 * asked for again with each state: a machine that stands still sends no other.
 */
import * as table from './table.js';
import {note} from './elements.js';
import {isThere, spaceOf, title} from './model.js';
import {NARROWEST, View} from './view.js';

export class TableView extends View {
  constructor(app) {
    super(app);
    this.tables = new Map(); /* address to an answer */
    this.unfolded = new Set();
    this.whose = '';         /* the space that they are of: pid, root */
    this.followed = '';      /* the way that is unfolded: space, root, page */
  }

  beginAnew() {
    this.turnTo('');
  }

  /* Of another space nothing is kept: its tables' addresses may be used again. */
  turnTo(whose) {
    if (this.whose === whose)
      return;
    this.whose = whose;
    this.tables.clear();
    this.unfolded.clear();
  }

  space() {
    const {state, picked, ended} = this.app;
    return ended.spaceOf(picked) || state.spaces[0];
  }

  /* Is there none that could be asked for? */
  ended() {
    const space = this.space();
    return !space || !spaceOf(this.app.state, space.pid);
  }

  layout() {
    const {hello, picked, stop, pane} = this.app, space = this.space();

    if (!space)
      return this.layoutWords('page table', 'The kernel has no page table yet.');
    const change = stop.diff && stop.diff.spaces.get(space.pid);
    return {...table.layout(hello, space, this.tables, {open: this.unfolded,
      page: picked ? picked.page : -1, width: Math.max(pane.width, NARROWEST),
      ended: this.ended(), changes: change ? change.changes.filter(isThere) : []}),
    label: 'page table of ' + title(space)};
  }

  controls() {
    return [note('▸ opens a table; click an entry to pick its page')];
  }

  refresh() {
    const space = this.space();

    if (!space)
      return;
    this.turnTo(`${space.pid}:${space.root}`);
    if (!this.ended())
      this.ask([space.root, ...this.unfolded]);
  }

  /* Answers may come when another space is shown, or the table has been folded. One
   * that is not there any more is folded, and forgotten. */
  ask(list) {
    const {app, whose} = this, {pid, root} = this.space();
    const kept = pa => this.whose === whose && (pa === root || this.unfolded.has(pa));

    for (const pa of list)
      app.wire.ask('table', {pid, pa}).then(answer => {
        if (!kept(pa))
          return;
        this.tables.set(pa, answer);
        this.follow();
        app.renderSoon();
      }, () => {
        if (!kept(pa) || !spaceOf(app.state, pid) || !app.wire.connected)
          return; /* ended: what was there last stays */
        this.fold(pa);
      });
  }

  fold(pa) {
    this.tables.delete(pa);
    return this.unfolded.delete(pa);
  }

  /* Another page is picked: unfold what leads there. */
  followAnew() {
    this.followed = '';
  }

  /* Unfold the tables that lead to the picked page, once. */
  follow() {
    const {hello, picked} = this.app, space = this.space();
    if (!space)
      return;
    const key = `${this.whose}:${picked ? picked.page : ''}`;
    if (this.followed === key)
      return;
    const root = this.tables.get(space.root);
    const way = picked && picked.page !== undefined
      ? table.wayTo(hello, space, this.tables, picked.page)
      : root ? root.entries.filter(e => e[3] === 'table').map(e => e[4]).slice(0, 2) : [];
    const fresh = way.filter(pa => !this.unfolded.has(pa));
    for (const pa of fresh)
      this.unfolded.add(pa);
    this.ask(fresh);
    if (root && way.every(pa => this.tables.has(pa)))
      this.followed = key;
  }

  /* Unfold it, or fold it. */
  toggle(pa) {
    if (!this.fold(pa)) {
      this.unfolded.add(pa);
      this.ask([pa]);
    }
    this.app.render();
  }

  key(key, {rows = []}) {
    const {app} = this;

    if (!/^Arrow(Up|Down)$|^Enter$/.test(key))
      return false;
    const at = rows.findLastIndex(r => app.picked && r.page === app.picked.page);
    if (key === 'Enter') {
      if (rows[at] && rows[at].table)
        this.toggle(rows[at].table);
      return true;
    }
    const row = rows[Math.max(0, Math.min(rows.length - 1,
                                          at + (key === 'ArrowUp' ? -1 : 1)))];
    if (row)
      app.pick({pid: row.pid, page: row.page});
    return true;
  }

  pickBox({rows}) {
    const {picked} = this.app, row = picked && this.followed && rows &&
      rows.findLast(r => r.page <= picked.page && picked.page < r.page + r.pages);
    return row ? {...row, x: 0, w: 0} : null;
  }
}
