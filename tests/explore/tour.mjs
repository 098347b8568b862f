/*
 * Somebody who has never seen the page presses Tour and the buttons that the tour
 * offers. At each step the machine must be in the state that the text tells of, and
 * the page must show it.
 */
import {check, run, same} from './harness.mjs';

/* In the page: what each process has where the program said to look. */
const define = () => {
  window.seen = () => {
    const {state, tour: {place}, details: {walks}} = explorer;
    return state.spaces.filter(s => s.name === 'tour_fork').flatMap(s => {
      const run = s.regions.flatMap(r => r.runs).find(
        r => r.page <= place.page && place.page < r.page + r.pages);
      if (!run)
        return []; /* it begins, or ends */
      const walk = walks.get(`${s.pid}:${place.page}`);
      const last = walk && walk.steps[walk.steps.length - 1];
      return [{pid: s.pid, frame: run.frame + place.page - run.page,
               w: Boolean(last && last.flags.includes('w'))}];
    });
  };
};

const atStep = (e, n) => e.until(
  k => document.querySelector('#tour h2')?.textContent.startsWith(`${k} of 5`), n);
/* Details say so, if need be when more has been answered. */
const says = (e, words) => e.until(w => [...document.querySelectorAll('#share text')].some(
  t => t.textContent.includes(w)) || document.getElementById('sentence').textContent.includes(w),
words);
const differs = (e, words) => e.until(
  w => document.getElementById('changes').textContent.includes(w), words);

run(async e => {
  await e.ask(define);
  /* A program that waits for Enter is not in the way. */
  await e.type('tour_heap\n');
  await e.until(() => explorer.state.spaces.some(s => s.name === 'tour_heap'));
  await e.page.click('#tourStart');
  await atStep(e, 1);
  check((await e.page.textContent('#tour')).includes('highest page') === await e.ask(
    () => explorer.state.spaces.some(s => s.pid && s.regions.some(
      r => r.what === 'trampoline'))), 'what all have in common');
  await e.shot('tour1');
  await e.page.click('#tour .row .go');
  await atStep(e, 2);
  await e.until(() => seen().some(p => p.w));
  same((await e.ask(() => seen())).length, 1, 'one process');
  await says(e, 'it may write there');
  await e.shot('tour2');

  await e.page.click('#tour .row .go');
  await atStep(e, 3);
  await e.until(() => document.getElementById('share').textContent.includes('no W'));
  const forked = await e.ask(() => seen());
  same(forked.length, 2, 'two processes');
  check(forked[0].frame === forked[1].frame, 'after fork one frame');
  await e.until(() => seen().every(p => !p.w));
  await says(e, '2 entries lead to one frame, and none has W');
  await says(e, 'mapped 2 times');
  await differs(e, 'is new'); /* the child is named */
  await e.settled();
  check(await e.page.$$eval('#drawing .hit', all => {
    const seen = document.getElementById('view').getBoundingClientRect();
    return all.filter(h => h.getBoundingClientRect().right < seen.right).length;
  }) >= 2, 'both are lit up where they are seen');
  await e.nothingCutOff('the tour');
  await e.shot('tour3');

  await e.page.click('#tour .row .go');
  await atStep(e, 4);
  await e.until(() => seen().some(p => p.w));
  const written = await e.ask(() => seen());
  check(written[0].frame !== written[1].frame, 'after the write two frames');
  same(written.map(p => p.w), [false, true], 'the child alone has W');
  check(written[0].frame === forked[0].frame, 'the parent has the old frame');
  await differs(e, 'copied to a frame of its own');
  await says(e, 'Each has a frame of its own');
  await e.shot('tour4');

  await e.page.click('#tour .row .go');
  await atStep(e, 5);
  const alone = await e.ask(() => seen());
  same(alone.map(p => [p.frame, p.w]), [[forked[0].frame, true]], 'W without a copy');
  await e.until(() => {
    const {state, tour: {place}} = explorer;
    return state.events.some(v => v.kind === 'fault_reuse' && v.pid === place.pid &&
      BigInt(v.a) >> 12n === BigInt(place.page));
  });
  check(await e.ask(async () => {
    const {eventWords} = await import('./events.js');
    return document.getElementById('tour').textContent.includes(
      eventWords('fault_reuse'));
  }), 'the step has the words of the list');
  await e.shot('tour5');
  await e.page.click('#tour .row .go');
  await e.until(() => explorer.view === 'walk' && walkAnswer()?.result);
  await e.settled();
  check((await e.texts()).some(t => t.startsWith('physical address')), 'the walk ends');
  await e.shot('tour6');
  await e.page.click('#tour .row button:last-child');
  check(await e.page.isHidden('#tour'), 'the tour is over');
  await e.until(() => !explorer.state.spaces.some(s => s.name === 'tour_fork'));
  /* What is one frame for all to write is no promise that nobody writes it. */
  await e.demonstrate('tour_twice');
  for (const step of ['start this program a second time', 'now I write to my data',
    'now I map the file'])
  {
    await e.waitsForEnter(step);
    await e.type('\n');
  }
  await e.waitsForEnter("now I write 'b' to it");
  await e.ask(() => {
    const space = explorer.state.spaces.find(s => s.name === 'tour_twice');
    const map = space.regions.find(r => r.shared && r.rights.includes('w') && r.file);
    explorer.pick({pid: space.pid, page: map.start});
  });
  await says(e, 'which brings W and no copy');
  await e.page.click('#remember');
  await e.type('\n');
  await differs(e, '1 page got W: may be written now');
  await e.ask(() => explorer.console.interrupt());
  await e.until(() => !explorer.state.spaces.some(s => s.name === 'tour_twice'));
  /* Who leaves it in the middle leaves no program behind, either. */
  await e.page.click('#tourStart');
  await e.page.click('#tour .row .go');
  await atStep(e, 2);
  await e.page.click('#tour .close');
  check(await e.page.isHidden('#tour'), 'the tour is left');
  await e.until(() => !explorer.state.spaces.some(s => s.name === 'tour_fork'));
});
