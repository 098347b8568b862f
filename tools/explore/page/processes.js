/*
 * A select that offers processes. Where a shell runs programs, each state has another
 * list of them, and a list of options that changes is work for a browser: so, unless
 * somebody is at it, it is made anew once a second.
 */
import {offer} from './shapes.js';

const BEHIND = 1000; /* ms */

export class ProcessList {
  /* list(was): what is offered, [[words, value]], if the value was chosen before;
   * instead(list): what is chosen if that is not in it. */
  constructor(select, list, instead) {
    Object.assign(this, {select, list, instead, key: null, filled: -Infinity});
    for (const event of ['pointerenter', 'focus'])
      select.addEventListener(event, () => this.key === null || this.fill());
  }

  /* Processes have come or gone, perhaps. */
  update() {
    if (performance.now() - this.filled >= BEHIND || this.select.matches(':hover, :focus'))
      this.fill();
    else if (!this.waits) /* perhaps no other state comes */
      this.waits = setTimeout(() => this.fill(), BEHIND);
  }

  fill() {
    const {select} = this, was = select.value, list = this.list(was);
    const key = list.join();

    clearTimeout(this.waits);
    this.waits = 0;
    this.filled = performance.now();
    if (this.key === key)
      return;
    this.key = key;
    offer(select, list);
    select.value = list.some(([, pid]) => String(pid) === was) ? was : this.instead(list);
  }

  choose(pid) {
    this.fill();
    this.select.value = pid;
  }
}
