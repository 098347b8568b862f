/* The demonstrations that start a second machine: one click each, and both are shown
 * next to each other. What is drawn of either is what that machine says. */
import {check, run, same} from './harness.mjs';

/* Both walks are drawn: each level's entry, at the same height as the same level of
 * the other machine. */
async function bothWalks(e) {
  const {drawn, said} = await e.atOnce(() => ({
    drawn: [0, 1].map(i => {
      const g = document.querySelectorAll('#drawing > [role=group]')[i];
      return [...g.querySelectorAll('text')].map(t => ({s: t.textContent,
        y: Math.round(t.getBoundingClientRect().top)}));
    }),
    said: [[explorer.hello, walkAnswer()], [explorer.beside.hello, explorer.beside.walk]]}));
  const heights = new Map();

  for (const [i, [hello, walk]] of said.entries()) {
    check(drawn[i].some(t => t.s.startsWith(`${hello.arch}, ${hello.mode}`)), hello.mode);
    for (const s of walk.steps) {
      const head = drawn[i].find(t => t.s === `level ${s.level}, entry ${s.index}`);
      check(head && drawn[i].some(t => /^0x[0-9a-f]+$/.test(t.s) &&
        BigInt(t.s) === BigInt(s.value)), JSON.stringify(s));
      same(heights.get(s.level) ?? head.y, head.y, `height of level ${s.level}`);
      heights.set(s.level, head.y);
    }
    /* Under a leaf all bits are of the offset. */
    same(drawn[i].filter(t => /^level \d+$/.test(t.s)).length,
         walk.result ? walk.steps.length : hello.levels, 'indexes');
    check(drawn[i].some(t => t.s === (walk.result
      ? `physical address ${walk.result}` : 'page fault')), 'how it ends');
  }
  await e.nothingCutOff('both walks');
  await e.fitsAcross('both walks');
  return said;
}

async function stepsTogether(e) {
  const cards = () => e.ask(() => [0, 1].map(i => [...document.querySelectorAll(
    '#drawing > [role=group]')[i].querySelectorAll('text')].filter(
    t => /^level \d+, entry/.test(t.textContent)).length));
  await e.page.click('#controls button:nth-child(3)'); /* From the start */
  await e.settled();
  same(await cards(), [0, 0], 'at the start');
  await e.page.click('#controls button:nth-child(2)');
  await e.settled();
  same(await cards(), [1, 1], 'a step on both');
  await e.page.click('#controls button:nth-child(4)');
}

/* This machine's half of a view: how much is marked in it, and in the other's. */
const marked = e => e.atOnce(() => {
  const marks = side => [...document.querySelectorAll('#drawing > [role=group]')].filter(
    (g, i, all) => i % 2 === side).reduce((n, g) => n + g.querySelectorAll('.changed').length, 0);
  return [marks(0), marks(1)];
});

/* What has come since the moment that is remembered is marked, on the machine that it is
 * remembered of. */
async function differences(e, name) {
  const at = await e.until(n => {
    const {state: {spaces}, stop: {diff}} = explorer;
    const {pid} = spaces.find(s => s.name === n);
    const page = diff?.spaces.get(pid)?.changes.find(c => c.how === 'new' && c.is === 'private')
      ?.page;
    return page !== undefined && {pid, page};
  }, name);
  const other = 'not remembered';
  await e.show('spaces');
  const [mine, theirs] = await marked(e);
  check(mine > 0 && theirs === 0, `address spaces: ${mine}, ${theirs} marks`);
  same((await e.texts()).filter(t => t.includes(other)).length, 1, 'whose marks those are');
  await e.nothingCutOff('both address spaces, marked');
  await e.ask(({pid, page}) => explorer.views.walk.go(pid, page), at);
  await e.until(({pid, page}) => walkAnswer()?.pid === pid &&
    Number(BigInt(walkAnswer().va) >> 12n) === page && walkAnswer().result &&
    explorer.beside.walk?.va === walkAnswer().va, at);
  await bothWalks(e);
  const levels = await e.ask(() => walkAnswer().steps.length);
  same(await marked(e), [levels, 0], 'the walk to what is new');
  same((await e.texts()).filter(t => t.includes(other)).length, 1, 'whose walk is marked');
  await e.shot(name + '-marked');
  await e.page.click('#forget');
  same(await marked(e), [0, 0], 'forgotten');
}

/* The second machine is gone, and so is the program on the first. */
async function leave(e, name) {
  await e.page.click('#tour .close');
  await e.until(n => !explorer.state.spaces.some(s => s.name === n), name);
  check(await e.page.isHidden('#tour') && await e.page.isHidden('#beside'), 'all closed');
}

/* Both terminals show that their programs have come so far. */
const bothSay = (e, words) => e.until(w => [explorer.console, explorer.beside.console].every(
  c => printed(c).includes(w)), words);

/* In its last step each program names its variable, and each walk goes there. */
async function variables(e) {
  for (const step of ['now the address spaces', "now an address of this machine's"]) {
    await bothSay(e, step);
    await e.page.click('#tour .row .go');
  }
  await bothSay(e, 'the walk to it has the same entries');
  const said = await e.ask(() => [explorer.console, explorer.beside.console].map(
    c => '0x' + BigInt(/a variable is at (\w+)/.exec(printed(c))[1]).toString(16)));
  await e.until(([here, there]) => walkAnswer()?.va === here &&
    explorer.beside.walk?.va === there, said);
  for (const [i, [, walk]] of (await bothWalks(e)).entries()) {
    same([walk.what, walk.steps.at(-1)?.flags.includes('w'), Boolean(walk.result)],
         ['data', true, true], `the variable at ${said[i]}`);
    check((await e.texts()).some(t => t.startsWith(`${said[i]} in tour_machines`)), said[i]);
  }
  await e.shot('variables');
  await e.show('spaces');
  same(await e.page.$$eval('#drawing .picked', all => all.length), 2, 'marked in both');
  await e.ask(() => explorer.views.walk.go(explorer.tour.place.pid, 0));
  await e.until(() => [walkAnswer(), explorer.beside.walk].every(w => w && w.va === '0x0'));
}

async function compare(e, name, differ) {
  await e.demonstrate(name);
  await e.until(() => explorer.beside.on && explorer.beside.walk &&
    explorer.beside.walk.result && walkAnswer()?.result);
  const [[here, mine], [there, theirs]] = await bothWalks(e);
  check(differ(here, there), `${here.mode}, ${there.mode}`);
  same([mine.va, mine.steps.length, theirs.steps.length],
       [theirs.va, here.levels, there.levels], 'one address, all levels of each');
  await e.shot(name);
  await stepsTogether(e);
  const va = await e.walkToSuperpage();
  await e.until(a => [walkAnswer(), explorer.beside.walk].every(w => w && w.va === a), va);
  const [[, large]] = await bothWalks(e);
  check(large.steps.at(-1).level > 0, 'a superpage');
  await e.shot(name + '-superpage');
  /* One Enter for both. */
  await e.page.click('#tour .row .go');
  if (name === 'tour_levels') { /* whose step brings pages */
    await bothSay(e, 'goes through');
    await differences(e, name);
  } else {
    await variables(e);
  }
  await e.show('spaces');
  const texts = await e.texts();
  same(texts.filter(t => t === 'kernel').length, 2, 'both kernels');
  same(texts.filter(t => t.startsWith(name + ' [')).length, 2, 'both programs');
  await e.nothingCutOff('both address spaces');
  await e.fitsAcross('both address spaces');
  await e.page.keyboard.press('k');
  await e.settled();
  same((await e.texts()).filter(t => t === 'kernel' || t.startsWith(name + ' [')).map(
    t => t.split(' ')[0]), [name, name], 'the programs alone');
  await e.page.keyboard.press('k');
  await e.settled();
  await e.shot(name + '-spaces');
  await leave(e, name);
}

/* Another page ends it: what was there stays, and nobody tries to reach it again, which
 * would be errors in the browser's console. */
async function endedElsewhere(e) {
  await e.ask(() => explorer.wire.ask('beside', {name: null}));
  await e.until(() => explorer.beside.wire.closed);
  await e.page.waitForTimeout(2000); /* longer than until another try */
  check((await e.page.textContent('#besideSays')).includes('has ended'), 'ended elsewhere');
  check(await e.page.isVisible('#beside') && await e.ask(() => explorer.beside.on), 'it stays');
}

/* A kernel stack overflows in the machine beside; the first goes on. */
async function overflow(e) {
  await e.demonstrate('tour_kstack');
  const walked = () => explorer.beside.walk && explorer.beside.state.ended &&
    explorer.view === 'walk' && walkAnswer() && !walkAnswer().result &&
    explorer.beside.walk.va === walkAnswer().va && walkAnswer().va;
  const guard = await e.until(walked);
  const [, [, theirs]] = await bothWalks(e);
  same([theirs.result, theirs.what], [null, 'guard'], 'the guard page');
  const stack = await e.ask(va => explorer.beside.state.spaces[0].regions.find(
    r => r.what === 'stack' && BigInt(r.start) * 4096n === BigInt(va) + 4096n), guard);
  check(stack, 'a stack is above it');
  check((await e.page.textContent('#besideSays')).includes('has ended'), 'it is over');
  check((await e.page.textContent('#notice')).includes('is in the guard page'), 'told so');
  await e.shot('overflow');
  await e.show('spaces');
  await e.shot('overflow-spaces');
  same(await e.page.$$eval('#drawing .picked', all => all.length), 2, 'marked in both');
  await e.ask(() => {
    window.first = explorer.beside.console;
  });
  await e.page.click('#tour .row button:last-child'); /* again */
  await e.until(() => explorer.beside.console && explorer.beside.console !== window.first);
  await e.until(walked);
  check(!await e.ask(() => explorer.state.ended || explorer.state.paused), 'it goes on');
  await e.until(() => explorer.state.spaces.some(s => s.name === 'tour_kstack'));
  await endedElsewhere(e);
  await leave(e, 'tour_kstack');
}

run(async e => {
  const offered = await e.ask(() => explorer.hello.beside);
  if (offered.includes('levels'))
    await compare(e, 'tour_levels', (a, b) => a.arch === b.arch && a.levels < b.levels);
  if (offered.includes('other'))
    await compare(e, 'tour_machines', (a, b) => a.arch !== b.arch);
  await overflow(e);
  console.log('beside: ' + offered.join(', '));
});
