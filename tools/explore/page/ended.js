/*
 * What is still said of processes that have ended: the names of all that were seen,
 * and the space of the one whose page is picked, as it was last.
 */
import {spaceOf, title} from './model.js';

export class Ended {
  constructor() {
    this.names = new Map(); /* by pid */
    this.noted = new WeakSet(); /* spaces whose names are there */
    this.known = null;      /* the picked one's space */
  }

  /* After each state, and when a page is picked. */
  note(state, picked) {
    for (const space of state.spaces)
      if (!this.noted.has(space)) {
        this.noted.add(space);
        this.names.set(space.pid, title(space));
      }
    if (picked)
      this.known = spaceOf(state, picked.pid) || this.known;
  }

  nameOf(pid) {
    return this.names.get(pid) || `process ${pid}`;
  }

  /* The space of what is picked, if it was ever seen. */
  spaceOf(picked) {
    return picked && this.known && this.known.pid === picked.pid ? this.known : null;
  }

  /* Pids have other processes now. */
  beginAnew() {
    this.names.clear();
    this.noted = new WeakSet();
    this.known = null;
  }
}
