/*
 * Sixty processes, and as many frames as 4 GiB have: the page must stay fluent. It
 * draws four times a second, so a drawing that takes half of that time would be felt;
 * the limit leaves room for a computer that has something else to do.
 *
 *   node load.mjs ADDRESS SCREENSHOTS SERVER     SERVER: its process
 *
 * A machine that changes all the time is measured by what an update costs: the
 * processes' own time on a CPU, over so many updates, which depends less on what else
 * the computer does than time on the clock. One in which nothing happens (the shells are ended
 * that run programs) sends none, and is measured over seconds.
 */
import fs from 'node:fs';
import {check, run} from './harness.mjs';

const PROCESSES = 60, FRAMES = 1 << 20, ROUNDS = 12, LIMIT = 125; /* ms */
const UPDATES = Number(process.env.UPDATES || 8); /* that are counted, of a view */
const FIRST = 12;       /* updates that are not: the browser compiles what it runs often */
const VIEWS = ['spaces', 'table', 'walk', 'frames', 'events'];
const RATE = 4;          /* updates a second, */
const SHARE = 10;        /* which may take the server so much of a CPU, in percent, */
const ALL = 20;          /* and so much it and the browser: twice what is meant */
const SHELLS = [1, 10];  /* that run programs without end */
const TICK = 10;         /* ms: of /proc/PID/stat (proc(5), USER_HZ) */
const [server] = process.argv.slice(4);

const median = list => [...list].sort((a, b) => a - b)[list.length >> 1];

/* How long drawings take while everything changes: the worst that a state can do. */
async function drawing(e, name) {
  const times = await e.ask(async rounds => {
    explorer.drawingTimes.length = 0;
    for (let i = 0; i < rounds; i++) {
      for (const svg of document.querySelectorAll('svg'))
        svg.drawn = null; /* nothing is as it was */
      explorer.render();
      await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    }
    return explorer.drawingTimes;
  }, ROUNDS);
  const ms = median(times);
  console.log(`${name}: ${ms.toFixed(1)} ms`);
  check(ms < LIMIT * Number(process.env.PATIENCE || 1), `${name}: ${ms} ms`);
  return ms;
}

/* What a process is, by its arguments: Chromium's say so with --type. */
const typeOf = pid => (/--type=([a-z]+)/.exec(
  fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8')) || ['', 'browser'])[1];

/* All processes that run: [pid, its parent, ms of CPU time]. proc(5): the name may have
 * spaces; what follows it begins with field 3. */
function processes() {
  return fs.readdirSync('/proc').filter(name => /^\d+$/.test(name)).flatMap(pid => {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
      return [[Number(pid), fields[4 - 3], (fields[14 - 3] + fields[15 - 3]) * TICK]];
    } catch {
      return []; /* it has ended */
    }
  });
}

/* ms that the server, and each kind of this browser's processes, have had. */
function spent() {
  const all = processes(), mine = new Set([process.pid]), ms = {server: 0};
  for (let n = 0; n < mine.size;) {
    n = mine.size;
    for (const [pid, parent] of all)
      if (mine.has(parent))
        mine.add(pid);
  }
  mine.delete(process.pid);
  for (const [pid, , time] of all) {
    const of = pid === Number(server) ? 'server' : mine.has(pid) && typeOf(pid);
    if (of)
      ms[of] = (ms[of] || 0) + time;
  }
  return ms;
}

/* What was spent, in percent of a CPU. The limits leave room for a busy computer. */
function tell(name, before, after, seconds) {
  const percent = Object.fromEntries(Object.keys(after).map(
    of => [of, (after[of] - (before[of] || 0)) / 10 / seconds]));
  const {server: serves, ...parts} = percent, words = n => `${n.toFixed(1)}%`;
  const browser = Object.values(parts).reduce((a, b) => a + b, 0);
  const each = Object.entries(parts).filter(([, n]) => n > 0)
    .map(([of, n]) => `${of} ${words(n)}`).join(', ') || 'none';
  console.log(`${name}: server ${words(serves)}, browser ${words(browser)} of a CPU (${each})`);
  check(serves < SHARE, `${name}: server ${words(serves)}`);
  check(serves + browser < ALL * Number(process.env.PATIENCE || 1),
        `${name}: server and browser ${words(serves + browser)}`);
}

/* Look at a page of a process, in this view. */
async function look(e, view) {
  if (view === 'walk')
    await e.ask(() => {
      const s = explorer.state.spaces.find(p => p.name === 'sleep');
      explorer.views.walk.go(s.pid, s.regions[0].start);
    });
  await e.show(view);
}

/* What updates cost in this view, of a machine that changes all the time. */
async function cost(e, load, view) {
  await look(e, view);
  await e.ask(updates, FIRST);
  const before = spent();
  await e.ask(updates, UPDATES);
  tell(`${RATE} updates a second, ${load}, ${view}`, before, spent(), UPDATES / RATE);
}

/* So many more shells run programs without end. */
async function busier(e, shells) {
  const numbers = [...Array(shells).keys()].join(' ');
  await e.type(`for i in ${numbers}; do sh -c 'while :; do ls > /listed$0; done' $i & ` +
    'loops="$loops $!"; done\n');
  await e.until(n => explorer.state.spaces.filter(s => s.name === 'sh').length > n, shells);
}

/* What it costs to look at a machine in which nothing happens. */
async function standstill(e, view) {
  await look(e, view);
  await e.settled();
  const seconds = UPDATES / RATE, before = spent();
  await new Promise(done => setTimeout(done, seconds * 1000));
  tell(`nothing changes, ${view}`, before, spent(), seconds);
}

/* In the page: that so many updates have come. The page is not asked meanwhile, as
 * until() would, at each frame of the display. */
const updates = n => new Promise(done => {
  const {on} = explorer.wire, take = on.message;
  on.message = m => {
    take(m);
    n -= m.type === 'state';
    if (n > 0)
      return;
    on.message = take;
    done();
  };
});

/* The message that a machine of 4 GiB would send: nothing is like its neighbour. */
const million = n => {
  const bytes = new ArrayBuffer(12 + 8 * n), view = new DataView(bytes);
  [...'FRAM'].forEach((c, i) => view.setUint8(i, c.charCodeAt(0)));
  view.setUint32(8, n, true);
  for (let i = 0; i < n; i++) {
    view.setUint32(12 + 8 * i, 1, true);
    view.setUint8(16 + 8 * i, i * 5 % explorer.state.classes.length);
    view.setUint8(17 + 8 * i, i % 11);
  }
  const from = performance.now();
  explorer.wire.receive(bytes);
  explorer.frames.cls.at(0); /* else it is not read yet */
  return performance.now() - from;
};

run(async e => {
  await e.until(n => explorer.state.spaces.length > n, PROCESSES);
  let running = 0;
  for (const shells of SHELLS) {
    await busier(e, shells - running);
    running = shells;
    for (const view of VIEWS)
      await cost(e, `${shells} busy`, view);
  }
  await e.type('kill $loops\n'); /* sleepers are left */
  await e.until(() => explorer.state.spaces.filter(s => s.name === 'sh').length === 1);
  for (const view of VIEWS)
    await standstill(e, view);
  await e.page.click('#pause'); /* so that nothing else comes */
  await e.until(() => explorer.state.paused);
  await e.show('spaces');
  await e.shot('load-spaces');
  await drawing(e, `${PROCESSES} processes`);
  const shown = await e.page.$$eval('#drawing [role=group]', all => all.length);
  check(shown < PROCESSES, 'columns out of sight are not made');
  await e.ask(() => {
    document.getElementById('view').scrollLeft = 1e6;
  });
  await e.settled();
  const last = await e.ask(() => explorer.state.spaces.findLast(s => s.name === 'sleep'));
  check((await e.texts()).includes(`${last.name} [${last.pid}]`), 'the last column');
  await e.show('events');
  await drawing(e, 'what happens');
  await e.show('frames');
  const parsing = await e.ask(million, FRAMES);
  console.log(`${FRAMES} frames, read: ${parsing.toFixed(1)} ms`);
  check(await e.ask(n => explorer.frames.n === n, FRAMES), 'all frames');
  await drawing(e, `${FRAMES} frames`);
  await e.shot('load-frames');
});
