/* Memory in which that kernel does not run: a sentence says why nothing is shown. */
import {check, run} from './harness.mjs';

run(async e => {
  const says = await e.page.textContent('#notice');

  check(/has not started, or this is not its memory/.test(says), says);
  check(await e.ask(() => explorer.state.spaces.length === 0), 'nothing is shown');
}, () => explorer.state && !document.getElementById('notice').hidden);
