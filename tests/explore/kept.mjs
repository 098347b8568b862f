/* A snapshot, without a machine: all views are there, nothing can be typed. */
import {check, run} from './harness.mjs';

run(async e => {
  check(!await e.ask(() => explorer.hello.live), 'a snapshot');
  check(await e.page.isHidden('#terminal'), 'no terminal');
  check(await e.page.isDisabled('#pause') && await e.page.isDisabled('#snapshot'),
        'nothing to stop');
  for (const view of ['spaces', 'table', 'frames', 'events']) {
    await e.show(view);
    await e.nothingCutOff(view);
  }
  await e.page.fill('#va', '1:0x0');
  await e.page.press('#va', 'Enter');
  await e.until(() => walkAnswer()?.result);
  await e.page.click('#tourStart');
  check(await e.page.isDisabled('#tour .go'), 'a tour to read');
  check((await e.page.textContent('#tour')).includes('No machine runs'), 'and why');
  await e.shot('kept');
});
