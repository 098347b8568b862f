/*
 * A select that offers processes. Where a shell runs programs, each state has another
 * list of them, and a list of options that changes is work for a browser. Unless
 * somebody is at it, no more of it is seen than what is chosen: so it is made anew
 * when somebody comes, and else when what is chosen is not offered any more.
 */
import {offer} from './shapes.js';

const BEHIND = 1000; /* ms that what is chosen may be */

export class ProcessList {
  /* list(was): what is offered, [[words, value]], if the value was chosen before;
   * instead(list, before): what is chosen if that is not in it; before: the list that it
   * was in. */
  constructor(select, list, instead) {
    Object.assign(this, {select, list, instead, key: null});
    for (const event of ['pointerenter', 'focus'])
      select.addEventListener(event, () => this.key === null || this.fill());
  }

  /* Processes have come or gone, perhaps. */
  update() {
    if (this.key === null || this.select.matches(':hover, :focus'))
      this.fill();
    else if (!this.waits)
      this.waits = setTimeout(() => this.fill(true), BEHIND);
  }

  /* Is what is chosen in a list, in the same words? */
  isChosen(list) {
    const {selectedIndex, offered} = this.select;
    return selectedIndex >= 0 && list.some(each => each.join() === offered[selectedIndex].join());
  }

  /* unseen: nobody is at it. */
  fill(unseen) {
    const {select} = this, was = select.value, list = this.list(was);
    const before = select.offered || [];
    const key = list.join();

    clearTimeout(this.waits);
    this.waits = 0;
    if (this.key === key || (unseen && this.isChosen(list)))
      return;
    this.key = key;
    offer(select, list);
    select.value = list.some(([, pid]) => String(pid) === was) ? was : this.instead(list, before);
  }

  choose(pid) {
    this.fill();
    this.select.value = pid;
  }
}
