/*
 * The left of the page: tabs, the view with its buttons above and its legend below.
 *
 *    draw() --> controls() of the view that is shown
 *          |--> its layout() --> the drawing; or its paint()
 *          `--> its legend()
 *    scrollToPick() --> its pickBox(), scrollTo()
 */
import {$, hide} from './elements.js';
import {draw, setOnce, withLegend} from './shapes.js';

const MARGIN = 14; /* pixels of the view that nothing is drawn on */

function legendItem({sign, words}) {
  const span = document.createElement('span');
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  draw(svg, sign(0, 0), 16, 15);
  span.append(svg, words);
  return span;
}

export class Pane {
  constructor(app) {
    const view = $('view');

    this.app = app;
    this.laid = {};       /* what was drawn last */
    this.scrolls = false; /* to what is picked, once that is drawn */
    for (const tab of $('tabs').children)
      tab.addEventListener('click', () => app.show(tab.dataset.view));
    $('tabs').addEventListener('keydown', e => this.tabKey(e));
    view.addEventListener('scroll', () => this.lookAnew());
    new ResizeObserver(() => this.lookAnew()).observe(view);
  }

  tabKey(event) {
    const by = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!by)
      return;
    const names = Object.keys(this.app.views), n = names.length;
    const at = (names.indexOf(this.app.view) + by + n) % n;
    event.stopPropagation();
    this.app.show(names[at]);
    $('tabs').children[at].focus();
  }

  /* The part of the view that is seen: {x, y, w, h}. It is kept until that may be
   * another: to ask a browser makes it lay out all that has changed at once. */
  seen() {
    const view = $('view');
    this.part = this.part || {x: view.scrollLeft, y: view.scrollTop, w: view.clientWidth,
      h: view.clientHeight};
    return this.part;
  }

  /* Another part may be seen. */
  lookAnew() {
    this.part = null;
    this.app.render();
  }

  /* There is this much for a drawing. */
  get width() {
    return this.seen().w - MARGIN;
  }

  get height() {
    return this.seen().h - MARGIN;
  }

  /* A view is shown from now on; other: not the one before. */
  shown(other) {
    if (other)
      $('view').scrollTo(0, 0);
    this.part = null;
    this.scrolls = true;
  }

  /* What is picked must be seen, when it is drawn. */
  scrollsToPick() {
    this.scrolls = true;
    this.app.render();
  }

  /* The buttons are others, though the view is the same. */
  controlsAnew() {
    this.drawnControls = '';
  }

  draw() {
    const {view, current} = this.app, canvas = Boolean(current.paint);

    for (const tab of $('tabs').children) {
      const on = tab.dataset.view === view;
      setOnce(tab, 'aria-selected', on);
      setOnce(tab, 'tabindex', on ? 0 : -1);
    }
    hide($('physical'), !canvas);
    $('drawing').toggleAttribute('hidden', canvas);
    if (this.drawnControls !== view) {
      this.drawnControls = view;
      $('controls').replaceChildren(...current.controls());
    }
    if (canvas) {
      current.paint();
    } else {
      const laid = this.layout();
      draw($('drawing'), laid.shapes, laid.w, laid.h);
      setOnce($('drawing'), 'aria-label', laid.label);
      this.laid = laid;
    }
    this.drawLegend();
  }

  drawLegend() {
    const items = this.app.current.legend();
    const key = items.map(item => item.words).join();
    if (this.legendKey === key)
      return;
    this.legendKey = key;
    $('legend').replaceChildren(...items.map(legendItem));
  }

  /* The view as shapes; whole: all of it with its legend, for a file. */
  layout(whole) {
    const {current} = this.app, laid = current.layout(whole);
    const items = whole ? current.legend(whole) : [];

    return items.length ? withLegend(laid, items) : laid;
  }

  /* After a drawing: what was picked since the last one is in the window. */
  scrollToPick() {
    const {current} = this.app, box = this.scrolls && current.pickBox(this.laid);

    if (!box)
      return;
    this.scrolls = false;
    current.scrollTo(box);
  }
}
