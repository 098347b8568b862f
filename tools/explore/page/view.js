/*
 * What every view of the page can do: view_*.js have one each, which keeps what is
 * chosen in it, asks for what comes by request alone, and hands that to the module
 * that lays it out (spaces, table, walk, frames, events). Each has besides
 *
 *    layout(whole) -> {shapes, w, h, label}, and what its pickBox() and key() need
 *
 * where `whole` is all of it, for a file, which nobody can point at; else what is
 * seen will do. One with paint() draws itself; layout() is then for files alone.
 */
import {$} from './elements.js';
import {rect, text} from './shapes.js';

export const BEYOND = 50;     /* pixels around what is seen that are drawn, too */
export const NARROWEST = 740; /* pixels: what a window of 1280 leaves beside a scroll bar */

/* An item of a legend: a box of that CSS class. */
export const legendBox = (c, words) => ({words,
  sign: (x, y) => [rect(x + 2, y + 2, 12, 11, c)]});

/* Scroll a box no further than it takes to see a part of its content. */
function reveal(box, {x, y, w, h}) {
  const near = (from, size, at, length) => at < from ? at - 10
    : at + length > from + size ? at + length - size + 10 : from;

  box.scrollTo(near(box.scrollLeft, box.clientWidth, x, w),
               near(box.scrollTop, box.clientHeight, y, h));
}

export class View {
  constructor(app) {
    this.app = app;
  }

  /* Nothing but a sentence. */
  layoutWords(label, words) {
    return {w: this.app.pane.width, h: 60, label, shapes: [text(16, 30, words, 'soft')]};
  }

  /* Elements above the view. */
  controls() {
    return [];
  }

  /* What marks mean; whole: see layout(). */
  legend() {
    return this.app.stop.diff ? [legendBox('changed', 'not as remembered')] : [];
  }

  /* While it is shown, and there is another state or pick: ask again for what comes by
   * request alone. */
  refresh() {}

  /* It is shown from now on. */
  shown() {}

  /* While it is shown, something else is picked. */
  picked() {}

  /* Another boot: what was found out of the one before is true no more. */
  beginAnew() {}

  /* A key, and what was drawn last: was it one of this view's? */
  key() {
    return false;
  }

  /* A click on what stands for {pid, page}. */
  open(at) {
    this.app.pick(at);
  }

  /* Where in the drawing that is which must be seen: {x, y, w, h}; null: it is not
   * drawn yet. */
  pickBox() {
    return null;
  }

  /* Bring that into the window. */
  scrollTo(box) {
    reveal($('view'), box);
  }

  /* What Details tell instead of the picked page: {title, sentence, facts}; or null. */
  instead() {
    return null;
  }

  /* What they tell of something else that keys have come to; or "". */
  facts() {
    return '';
  }
}
