/*
 * The frame that is pointed at, which the views mark: that of the picked page,
 * unless the mouse or keys have come to another. Who maps it only the kernel
 * knows, and is asked a moment after the mouse has stopped at it.
 */
import {frameAt, spaceOf, toHex} from './model.js';

const HOVER = 80; /* ms until a frame under the mouse is asked for */

export class Pointed {
  constructor(app) {
    this.app = app;
    this.frame = -1;
    this.held = false;  /* the mouse, or a key, says which */
    this.keyed = false; /* a key: Details tell of it */
    this.told = null;   /* what the kernel says: {frame, answer} */
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

  /* Say what a frame is; and, a moment later, who maps it. */
  lookAt(frame, tell) {
    const same = frame === this.frame && this.held;

    this.hold(frame);
    tell();
    if (same)
      return;
    this.app.render();
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.ask(frame, tell), HOVER);
  }

  /* Ask who maps it; then tell. */
  ask(frame, tell = () => this.app.render()) {
    this.app.wire.ask('frame', {pa: toHex(frame)}).then(answer => {
      this.told = {frame, answer};
      if (this.frame === frame)
        tell();
    }, () => {});
  }

  /* What the kernel says of it, or null. */
  get answer() {
    return this.told && this.told.frame === this.frame ? this.told.answer : null;
  }
}
