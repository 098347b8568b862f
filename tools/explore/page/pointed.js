/*
 * The frame that is pointed at, which the views mark: that of the picked page,
 * unless the mouse or keys have come to another. Who maps them only the kernel
 * knows, and is asked a moment after the mouse has stopped at one, and with each state.
 */
import {frameAt, spaceOf, toHex} from './model.js';

const HOVER = 80; /* ms until a frame under the mouse is asked for */

export class Pointed {
  constructor(app) {
    this.app = app;
    this.frame = -1;
    this.held = false;  /* the mouse, or a key, says which */
    this.keyed = false; /* a key: Details tell of it */
    this.told = new Map(); /* what the kernel says: a frame to an answer */
  }

  ofPick() {
    const {state, picked} = this.app;
    return picked && picked.page !== undefined
      ? frameAt(spaceOf(state, picked.pid), picked.page) : -1;
  }

  /* After each state, and when another page is picked. */
  update() {
    if (!this.held)
      this.frame = this.ofPick();
  }

  /* Neither mouse nor key say which. */
  release() {
    this.held = this.keyed = false;
  }

  /* The mouse has gone. */
  leave() {
    if (this.keyed)
      return;
    clearTimeout(this.asking);
    this.held = false;
    this.update();
    this.app.render();
  }

  hold(frame) {
    this.held = true;
    this.frame = frame;
  }

  /* The mouse or a key has come to a frame: ask, a moment later, who maps it. */
  lookAt(frame) {
    const same = frame === this.frame && this.held;

    this.hold(frame);
    if (same)
      return;
    this.app.render();
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.ask(frame), HOVER);
  }

  /* Those that the page tells of. */
  get frames() {
    return [...new Set([this.frame, this.ofPick()])].filter(f => f >= 0);
  }

  /* There is another state or pick: ask again. */
  refresh() {
    for (const frame of this.frames)
      this.ask(frame);
  }

  ask(frame) {
    this.app.wire.ask('frame', {pa: toHex(frame)}).then(answer => {
      this.told.set(frame, answer);
      for (const f of [...this.told.keys()].filter(k => !this.frames.includes(k)))
        this.told.delete(f);
      this.app.renderSoon();
    }, () => {});
  }

  /* What the kernel says of a frame, if it was asked. */
  answer(frame) {
    return this.told.get(frame);
  }
}
