/* A snapshot, without a machine: all views are there, nothing can be typed. */
import fs from 'node:fs';
import {check, run, same} from './harness.mjs';

/* Charts are as they were when it was kept, and there is something in them. */
async function charts(e) {
  same(await e.charts(), fs.readFileSync(`${process.argv[3]}/pagewise.snap.charts`, 'utf8'),
       'charts');
  await e.show('events');
  const drawn = selector => e.page.$$eval(`#drawing ${selector}`, all => all.map(
    shape => shape.getAttribute('d')).join('').split(/[ML]/).length - 1);
  check(await drawn('path.series') > 20, 'a line of free memory');
  check(await drawn('path[class^=c-]') > 20, 'bars');
  await e.shot('keptevents');
}

run(async e => {
  check(!await e.ask(() => explorer.hello.live), 'a snapshot');
  check(await e.page.isHidden('#terminal'), 'no terminal');
  check(await e.page.isDisabled('#pause') && await e.page.isDisabled('#snapshot'),
        'nothing to stop');
  check(/snapshot already/.test(await e.page.getAttribute('#snapshot', 'title')), 'why not');
  for (const view of ['spaces', 'table', 'frames', 'events']) {
    await e.show(view);
    await e.nothingCutOff(view);
  }
  await charts(e);
  await e.page.fill('#va', '1:0x0');
  await e.page.press('#va', 'Enter');
  await e.until(() => walkAnswer()?.result);
  /* No state comes that would say it. */
  await e.page.click('#remember');
  await e.until(() => document.getElementById('changes').textContent.includes(
    'nothing has changed'));
  await e.page.click('#tourStart');
  check(await e.page.isDisabled('#tour .go'), 'a tour to read');
  check((await e.page.textContent('#tour')).includes('No machine runs'), 'and why');
  await e.shot('kept');
});
