/*
 * Keys, where nobody types: those of the whole page (its help lists them), those of
 * the view that is shown (its key()), and F6, which goes from part to part.
 */
import {$} from './elements.js';

/* The parts of the page, from one to the next: the terminal takes Tab. */
export function nextRegion(back) {
  const parts = [['header', '#tourStart'], ['#left', '#view'], ['#terminal', 'textarea'],
    ['#beside', 'textarea'], ['#tour', '.row button:enabled'], ['#details', '#details']]
    .map(([part, first]) => ({part: document.querySelector(part), first}))
    .map(({part, first}) => ({part, to: part.matches(first) ? part
      : part.querySelector(first)}))
    .filter(({part, to}) => part.checkVisibility() && to);
  const at = parts.findIndex(({part}) => part.contains(document.activeElement));
  const by = at < 0 ? 1 : at + (back ? -1 : 1); /* from nowhere: the view */

  parts[(by + parts.length) % parts.length].to.focus();
}

export class Keys {
  constructor(app) {
    const {spaces, walk, frames} = app.views;

    this.app = app;
    this.acts = {p: () => app.stop.toggle(), m: () => app.stop.remember(),
      t: () => app.theme(!app.dark), k: () => spaces.toggleKernel(),
      '?': () => $('help').showModal(), '/': () => $('va').focus(),
      '+': () => frames.resize(1), '-': () => frames.resize(-1), l: () => frames.lightNext(),
      w: () => app.picked && app.picked.page !== undefined &&
        walk.go(app.picked.pid, app.picked.page)};
    Object.keys(app.views).forEach((name, i) => {
      this.acts[i + 1] = () => app.show(name);
    });
    document.addEventListener('keydown', e => this.key(e));
  }

  key(event) {
    const {app} = this, typing = event.target.closest('input, select, .xterm');

    if (event.key === 'F6' && !event.defaultPrevented) {
      event.preventDefault();
      nextRegion(event.shiftKey);
      return;
    }
    if (typing || event.ctrlKey || event.altKey || event.metaKey || !app.state ||
        $('help').open)
      return;
    const act = this.acts[event.key];
    if (act)
      act();
    else if (!this.inView(event) || !app.current.key(event.key, app.pane.laid))
      return;
    event.preventDefault();
  }

  inView(event) {
    return event.target === $('view') || event.target === document.body;
  }
}
