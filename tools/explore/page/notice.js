/*
 * The line above the views. Why the machine stands still, or what it waits for,
 * stays there; a complaint lasts until another view is looked at, and what the
 * first has covered comes back.
 */
import {ANY_PROCESS} from './model.js';

/* Why the machine stands still, or what is waited for; "" if it runs. nameOf: of a pid, which
 * is all that the server says. */
function stillWords(s, nameOf) {
  const waits = s.waiting && `waiting: ${s.waiting.at} of ${
    s.waiting.pid === ANY_PROCESS ? 'any process' : nameOf(s.waiting.pid)
  } will stop the machine`;
  const why = s.why && s.why.replace(/^process (\d+)/, (_, pid) => nameOf(Number(pid)));

  return s.ended ? 'The machine has ended; this is what was last there.'
    : s.panicked ? 'The kernel has panicked and does nothing any more; the terminal says why.'
    : s.paused ? `Paused: ${why || 'nothing moves until you continue'}`
      : s.unseen || waits || '';
}

export class Notice {
  constructor(element, nameOf) {
    this.element = element;
    this.nameOf = nameOf;
    this.stays = '';   /* what is said of the machine, */
    this.bad = false;  /* and that it does not run */
    this.passing = ''; /* a complaint */
  }

  say(text, bad) {
    this.element.hidden = !text;
    this.element.textContent = text;
    this.element.classList.toggle('bad', Boolean(bad));
  }

  /* Say what was wrong, until another view is looked at. */
  complain(text) {
    this.say(text, true);
    this.passing = text;
  }

  /* Another view is looked at. */
  pass() {
    if (this.passing)
      this.say(this.stays, this.bad);
    this.passing = '';
  }

  /* What something else has covered, as that the server does not answer. */
  comeBack() {
    this.say(this.stays || this.passing, this.stays ? this.bad : this.passing);
  }

  /* After each state: is something else said of the machine now? */
  update(state) {
    const says = stillWords(state, this.nameOf), differs = says !== this.stays;

    this.stays = says;
    this.bad = state.paused || state.panicked;
    if (differs)
      this.comeBack();
    return differs;
  }

  /* What was said of the machine is true no more. */
  beginAnew(text) {
    this.stays = '';
    this.complain(text);
  }
}
