/*
 * Details, on the right: what the picked page is, who else has its frame, where to
 * go from there; of a process without a page, what all of it has; or what keys have
 * come to in a view. Above, what is different since
 * the moment that is remembered.
 */
import {holderWords} from './frames.js';
import * as share from './share.js';
import {$, button, hide, setText} from './elements.js';
import {copiedWords, find, runWords, spaceOf, spaceWords, title, toHex} from './model.js';
import {draw} from './shapes.js';

const WIDEST = 440, MARGIN = 28; /* pixels: of the drawing, and around it */

export class Details {
  constructor(app) {
    this.app = app;
    this.walks = new Map(); /* to the page, in all who share it: "pid:page" to an answer */
  }

  beginAnew() {
    this.walks.clear();
  }

  refresh() {
    const {app} = this, {state, picked} = app;

    if (picked && picked.page !== undefined)
      for (const {pid, page} of share.related(state, picked))
        app.askWalk(pid, toHex(page), a => this.walks.set(`${pid}:${page}`, a));
  }

  draw() {
    const {state, picked, ended, current} = this.app;
    const space = picked && spaceOf(state, picked.pid);
    const has = space && picked.page !== undefined, instead = current.instead();

    this.drawChanges();
    $('share').toggleAttribute('hidden', !has || Boolean(instead));
    hide($('go'), !has || Boolean(instead));
    if (instead)
      this.say(instead);
    else if (has)
      this.drawPage(space, picked);
    else if (space)
      this.drawSpace(space);
    else
      this.say({title: picked ? `${ended.nameOf(picked.pid)} has ended` : 'Details',
        sentence: 'Hover over anything to hear what it is. Click a page to open it in the ' +
          'page table, and to see here who else has its frame. New here? Press Tour.',
        facts: current.facts()});
  }

  say({title: heading, sentence, facts}) {
    setText($('picked'), heading);
    setText($('sentence'), sentence);
    setText($('facts'), facts);
  }

  drawSpace(space) {
    const {state, ended, current} = this.app, parent = ended.parentOf(state, space.pid);

    this.say({title: title(space), sentence: (parent ? `Forked by ${parent}. ` : '') +
      'No page of it is picked: click one to see here who else has its frame.',
    facts: current.facts() || spaceWords(space)});
  }

  drawPage(space, picked) {
    const {hello, state, stop, current, pointed} = this.app;
    const {region, run} = find(space, picked.page), answer = pointed.answer(pointed.ofPick());
    const laid = share.layout(hello, state, share.related(state, picked), this.walks,
      {width: Math.min(WIDEST, $('details').clientWidth - MARGIN), diff: stop.diff});

    draw($('share'), laid.shapes, laid.w, laid.h);
    this.say({title: `${toHex(picked.page)} of ${title(space)}`,
      sentence: region ? laid.words : 'No region has this address.',
      facts: current.facts() || (region && run
        ? [runWords(space, region, run, picked.page),
          ...run.cls === 'cow' ? [copiedWords(state, region, run, picked.page)] : [],
          ...answer ? holderWords(answer, true) : []].join('\n') : '')});
    this.drawGo(run);
  }

  /* Buttons that lead to what the page has. */
  drawGo(run) {
    const {app} = this, key = run && run.frame >= 0 ? 'there' : 'absent';
    if ($('go').dataset.key === key)
      return;
    $('go').dataset.key = key;
    $('go').replaceChildren(button('Page table', () => app.show('table')),
      button('Walk', () => app.views.walk.go(app.picked.pid, app.picked.page)),
      ...key === 'there' ? [button('Its frame', () => app.show('frames'))] : []);
  }

  drawChanges() {
    const {diff} = this.app.stop;

    hide($('changes'), !diff);
    if (!diff)
      return;
    const words = diff.words.length ? diff.words : ['nothing has changed'];
    const key = words.join('\n');
    if (this.changesKey === key)
      return;
    this.changesKey = key;
    const list = document.createElement('ul');
    list.append(...words.map(w => Object.assign(document.createElement('li'),
                                                {textContent: w})));
    const head = Object.assign(document.createElement('h2'),
                               {textContent: 'Since the moment you remembered'});
    $('changes').replaceChildren(head, list);
  }
}
