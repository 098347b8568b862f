/*
 * A page table: that of the picked page's process, with the tables that are
 * unfolded. Those that lead to the page are unfolded once, from the root down, as
 * they come:
 *
 *    refresh() --> ask(root) --> follow() --> ask(next on the way) --> follow() ...
 */
import * as table from './table.js';
import {note} from './elements.js';
import {spaceOf, title} from './model.js';
import {NARROWEST, View} from './view.js';

export class TableView extends View {
  constructor(app) {
    super(app);
    this.tables = new Map(); /* address to an answer */
    this.unfolded = new Set();
    this.followed = '';      /* the way that is unfolded: space, root, page */
  }

  beginAnew() {
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
      ended: this.ended(), changes: change ? change.changes : []}),
    label: 'page table of ' + title(space)};
  }

  controls() {
    return [note('▸ opens a table; click an entry to pick its page')];
  }

  refresh() {
    if (!this.ended())
      this.ask([this.space().root, ...this.unfolded]);
  }

  /* A table that is not there any more is folded, and forgotten. */
  ask(list) {
    const {app} = this, {pid} = this.space();

    for (const pa of list)
      app.wire.ask('table', {pid, pa}).then(answer => {
        this.tables.set(pa, answer);
        this.follow();
        app.renderSoon();
      }, () => {
        if (!spaceOf(app.state, pid))
          return; /* ended: what was there last stays */
        this.tables.delete(pa);
        this.unfolded.delete(pa);
      });
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
    const key = `${space.pid}:${space.root}:${picked ? picked.page : ''}`;
    if (this.whose !== space.pid + space.root) {
      this.whose = space.pid + space.root;
      this.unfolded.clear();
    }
    if (this.followed === key)
      return;
    const root = this.tables.get(space.root);
    const way = picked && picked.page !== undefined
      ? table.wayTo(hello, space, this.tables, picked.page)
      : root ? root.entries.filter(e => e[3] === 'table').map(e => e[4]).slice(0, 2) : [];
    const fresh = way.filter(pa => !this.unfolded.has(pa));
    for (const pa of fresh)
      this.unfolded.add(pa);
    if (fresh.some(pa => !this.tables.has(pa)))
      this.ask(fresh);
    else if (root)
      this.followed = key;
  }

  /* Unfold it, or fold it. */
  toggle(pa) {
    if (!this.unfolded.delete(pa)) {
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
