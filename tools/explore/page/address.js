/*
 * Where an address is typed that is walked to: the form above the views, whose list
 * offers processes, and the browser's own address bar ("#3:0x1000").
 */
import {$} from './elements.js';
import {hex} from './entry.js';
import {title} from './model.js';
import {ProcessList} from './processes.js';

/* What a browser wrote with "%", or the words themselves if that is no text. */
function decoded(words) {
  try {
    return decodeURIComponent(words);
  } catch {
    return words;
  }
}

export class Address {
  constructor(app) {
    this.app = app;
    this.of = new ProcessList($('addressOf'), was => this.list(was),
      list => Math.min(2, list.length - 1));
    $('address').addEventListener('submit', e => {
      e.preventDefault();
      this.typed($('va').value.trim());
    });
    window.addEventListener('hashchange', () => this.fromBar());
  }

  /* The processes whose address may be typed: the one that was chosen, too, if it has
   * ended. */
  list(was) {
    const {state, ended} = this.app, list = state.spaces.map(s => [title(s), s.pid]);

    if (was && !list.some(([, pid]) => String(pid) === was) && ended.had(state, Number(was)))
      list.push([`${ended.nameOf(Number(was))}, ended`, was]);
    return list;
  }

  /* After each state. */
  update() {
    this.of.update();
  }

  fromBar() {
    const words = location.hash.slice(1);
    if (words)
      this.typed(decoded(words));
  }

  typed(words) {
    /* hex, with 0x or without */
    const match = /^(?:(\d+):)?(?:0x)?([0-9a-f]{1,16})$/i.exec(words);
    if (match)
      this.app.views.walk.goTo(Number(match[1] ?? $('addressOf').value),
                               hex(BigInt('0x' + match[2])));
    else
      this.app.notice.complain(
        `“${words}” is no address: type 0x1000, or 3:0x1000 for process 3`);
  }

  /* This one is walked to. */
  set(pid, va) {
    history.replaceState(null, '', `#${pid}:${va}`);
    $('va').value = va;
    this.of.choose(pid);
  }
}
