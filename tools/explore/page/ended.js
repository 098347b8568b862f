/*
 * What is still said of processes that have ended: the names of all that were seen, and
 * the space of the one whose page is picked, as it was last. And what processes were
 * called before they became other programs.
 */
import {spaceOf, title} from './model.js';

const execKey = ({pid, ns}) => `${pid}:${ns}`;
const forkOf = ({events}, pid) =>
  events.find(e => e.kind === 'fork' && Number(e.a) === pid);

export class Ended {
  constructor() {
    this.names = new Map(); /* by pid */
    this.roots = new Map(); /* of the tables of all that were seen, by pid */
    this.were = new Map();  /* names that an exec has changed, by its pid and time */
    this.noted = new WeakSet(); /* spaces whose names are there */
    this.known = null;      /* the picked one's space */
  }

  /* After each state, and when a page is picked. */
  note(state, picked) {
    this.noteExecs(state);
    for (const space of state.spaces)
      if (!this.noted.has(space)) {
        this.noted.add(space);
        this.names.set(space.pid, space.name);
        this.roots.set(space.pid, space.root);
      }
    if (picked)
      this.known = spaceOf(state, picked.pid) || this.known;
  }

  /* What a process was called before an exec is known if it was seen since the exec before
   * that, and not with its new table already; what it is called then, when it is seen. */
  noteExecs(state) {
    const were = new Map(); /* of those that are still told of */

    for (const e of state.events.filter(({kind}) => kind === 'exec')) {
      const key = execKey(e);
      were.set(key, this.were.has(key) ? this.were.get(key)
        : this.noteExec(e) ?? this.bornAs(state, e.pid, e.ns));
    }
    this.were = were;
  }

  noteExec({pid, b}) {
    if (this.roots.get(pid) === b)
      return undefined;
    const was = this.names.get(pid);
    this.names.delete(pid);
    return was;
  }

  /* A child has its parent's name until its first exec: was that no earlier than `ns`? */
  bornAs(state, pid, ns = Infinity) {
    const {events} = state, fork = forkOf(state, pid);
    const ran = (by, from, to) => events.some(
      e => e.kind === 'exec' && e.pid === by && e.ns > from && e.ns < to);

    if (!fork || ran(pid, fork.ns, ns) || ran(fork.pid, fork.ns, Infinity))
      return undefined;
    return this.names.get(fork.pid) ?? spaceOf(state, fork.pid)?.name;
  }

  /* Its name before that exec; without one, its last. */
  nameBefore(state, pid, exec) {
    const name = exec ? this.were.get(execKey(exec))
      : this.names.get(pid) ?? this.bornAs(state, pid);

    return name && title({pid, name});
  }

  /* Was it there, and is no more? */
  had(state, pid) {
    return this.roots.has(pid) && !spaceOf(state, pid);
  }

  nameOf(pid) {
    const name = this.names.get(pid);
    return name ? title({pid, name}) : `process ${pid}`;
  }

  /* Who has forked it, if that is still told of. */
  parentOf(state, pid) {
    const fork = forkOf(state, pid);
    return fork && this.nameOf(fork.pid);
  }

  /* The space of what is picked, if it was ever seen. */
  spaceOf(picked) {
    return picked && this.known && this.known.pid === picked.pid ? this.known : null;
  }

  /* Pids have other processes now. */
  beginAnew() {
    for (const known of [this.names, this.roots, this.were])
      known.clear();
    this.noted = new WeakSet();
    this.known = null;
  }
}
