/*
 * The mouse on drawings: what a shape says when it is hovered over, which frame
 * that points at, and where a click on it leads.
 */
import {$, setText} from './elements.js';
import {frameAt, spaceOf} from './model.js';

export class Mouse {
  constructor(app) {
    this.app = app;
    for (const svg of [$('drawing'), $('side'), $('share')]) {
      svg.addEventListener('mousemove', e => this.hover(e));
      svg.addEventListener('mouseleave', () => this.leave());
      svg.addEventListener('click', e => this.click(e));
    }
  }

  hover(event) {
    const {app} = this, {shape} = event.target, at = shape && shape.at;
    let frame = -1;

    this.tip(event, shape && (shape.tipAt ? shape.tipAt(event.offsetX) : shape.tip));
    if (at && at.frame !== undefined)
      frame = at.frame;
    else if (at && at.page !== undefined)
      frame = frameAt(spaceOf(app.state, at.pid), at.page);
    if (frame >= 0 && frame !== app.pointed.frame) {
      app.pointed.hold(frame);
      app.render();
    }
  }

  leave() {
    $('tip').hidden = true;
    this.app.pointed.leave();
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
