/* A kernel that has panicked: the page says that nothing moves any more. */
import {check, run} from './harness.mjs';

run(async e => {
  await e.until(() => explorer.state.panicked);
  await e.settled();
  const says = await e.page.textContent('#notice');
  check(says.includes('has panicked'), says);
  check(await e.page.isVisible('#notice.bad'), 'seen');
  await e.shot('panic');
}, () => explorer.hello && explorer.state);
