/*
 * The menu Keep: what the browser saves as a file. A snapshot of the machine comes
 * from the server when it is asked for; the view as SVG is made here.
 */
import {$} from './elements.js';
import {svgText} from './shapes.js';

function save(name, content) {
  const a = document.createElement('a');
  a.href = URL.createObjectURL(new Blob([content]));
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 1000);
}

export class Keep {
  constructor(app) {
    this.app = app;
    $('snapshot').addEventListener('click', () => this.ask());
    $('export').addEventListener('click', () => this.view());
  }

  /* A snapshot has no machine that could be kept. */
  greet(hello) {
    $('snapshot').disabled = !hello.live;
    $('snapshot').title = hello.live ? '' : 'what is shown is a snapshot already';
  }

  ask() {
    const {wire, notice} = this.app;
    wire.ask('snapshot').then(() => notice.pass(), e => notice.complain(e.message));
  }

  snapshot(bytes) {
    save('pagewise.snap', bytes);
  }

  view() {
    const {view, pane, state} = this.app, laid = pane.layout(true);
    save(`pagewise-${view}.svg`,
         svgText(state, laid.shapes, laid.w, laid.h, `Pagewise: ${laid.label}`));
  }
}
