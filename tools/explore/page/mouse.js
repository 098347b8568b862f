/*
 * The mouse on drawings: what a shape says when it is hovered over, which frame
 * that points at, and where a click on it leads. Where the mouse rests, a drawing may
 * bring something else under it, or that says something else: so does the tip.
 */
import {$, setText} from './elements.js';
import {frameAt, spaceOf} from './model.js';
import {tipText} from './shapes.js';

export class Mouse {
  constructor(app) {
    this.app = app;
    this.rests = null; /* where it is on a drawing: {clientX, clientY} */
    for (const svg of [$('drawing'), $('side'), $('share')]) {
      svg.addEventListener('mousemove', e => this.hover(e));
      svg.addEventListener('mouseleave', () => this.leave());
      svg.addEventListener('click', e => this.click(e));
    }
  }

  hover(event) {
    this.rests = event;
    this.look(event, true);
  }

  /* After each drawing. */
  lookAnew() {
    if (!this.rests)
      return;
    const {clientX, clientY} = this.rests;
    const target = document.elementFromPoint(clientX, clientY);
    const on = target && target.closest('#drawing, #side, #share, #canvas');
    if (!on) {
      $('tip').hidden = true;
      return;
    }
    const {x, y} = on.getBoundingClientRect();
    const place = {target, clientX, clientY, offsetX: clientX - x, offsetY: clientY - y};
    if (on === $('canvas'))
      this.app.views.frames.look(place);
    else
      this.look(place);
  }

  /* moves: it has come here, and so points at what is here; else it does if nothing else
   * was picked since. */
  look(event, moves) {
    const {app} = this, {shape} = event.target, at = shape && shape.at;
    let frame = -1;

    this.tip(event, shape && this.words(shape, event.offsetX));
    if (at && at.frame !== undefined)
      frame = at.frame;
    else if (at && at.page !== undefined)
      frame = frameAt(spaceOf(app.state, at.pid), at.page);
    if (frame >= 0 && frame !== app.pointed.frame && (moves || app.pointed.held)) {
      app.pointed.hold(frame);
      app.render();
    }
  }

  words(shape, x) {
    return shape.tipAt ? shape.tipAt(x) : tipText(shape, this.app.state);
  }

  leave() {
    this.forget();
    this.app.pointed.leave();
  }

  /* Until it moves, it says nothing. */
  forget() {
    this.rests = null;
    $('tip').hidden = true;
  }

  /* Say something beside the mouse; nothing, if there is nothing to say. */
  tip(event, says) {
    const tip = $('tip');
    tip.hidden = !says;
    if (!says)
      return;
    setText(tip, says);
    const {width, height} = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - width - 8)) + 'px';
    tip.style.top = (event.clientY + 18 + height > innerHeight
      ? event.clientY - height - 10 : event.clientY + 18) + 'px';
  }

  click(event) {
    const {app} = this, {shape} = event.target, at = shape && shape.at;
    if (!at)
      return;
    if (at.lit) {
      app.views.frames.light(at.lit);
    } else if (at.table) {
      app.views.table.toggle(at.table);
    } else if (at.pid !== undefined) {
      if (event.currentTarget === $('drawing'))
        app.current.open(at);
      else
        app.pick(at);
    } else if (at.frame !== undefined) {
      app.pointed.hold(at.frame);
      app.show('frames');
    }
  }
}
