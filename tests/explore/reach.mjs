/*
 * What a page must not lose: the keyboard reaches everything, what is picked is in the
 * window, a narrow window has all parts, a process that has ended stays what it was, and
 * a machine that starts anew leaves nothing of the boot before.
 */
import {check, run, same} from './harness.mjs';

const focused = e => e.ask(() => {
  const at = document.activeElement;
  return at.closest('#terminal') ? 'terminal' : at.closest('#tour') ? 'tour' : at.id;
});

/* Each part of the page, with F6 alone, and the tour with Enter. */
async function regions(e) {
  await e.page.focus('#tourStart');
  await e.page.keyboard.press('Enter');
  await e.settled();
  same(await focused(e), 'tour', 'the tour has the focus');
  const seen = [];
  for (let i = 0; i < 5; i++) {
    await e.page.keyboard.press('F6');
    seen.push(await focused(e));
  }
  same(seen, ['details', 'tourStart', 'view', 'terminal', 'tour'], 'around');
  await e.page.keyboard.press('Shift+F6');
  same(await focused(e), 'terminal', 'back');
  await e.page.keyboard.press('Shift+F6');
  same(await focused(e), 'view', 'out of the terminal, back');
  check(/F6/.test(await e.page.textContent('#keysOut')), 'the terminal says so');
  await e.page.keyboard.press('F6');
  await e.page.keyboard.press('F6');
  await e.page.keyboard.press('Enter'); /* Run tour_fork */
  await e.until(() => document.querySelector('#tour h2').textContent.startsWith('2 of 5'));
  same(await focused(e), 'tour', 'the next step has it, too');
  await e.page.keyboard.press('Enter');
  await e.until(() => document.querySelector('#tour h2').textContent.startsWith('3 of 5'));
  await e.page.focus('#tour .close');
  await e.page.keyboard.press('Enter');
  same(await focused(e), 'tourStart', 'where it began');
  await e.page.click('#forget');
  await e.ask(() => explorer.console.interrupt());
  await e.until(() => !explorer.state.spaces.some(s => s.name === 'tour_fork'));
}

/* Menus end after use, and by Escape. */
async function menus(e) {
  const keep = '.menu:nth-of-type(2)';
  const open = () => e.ask(k => document.querySelector(k).open, keep);

  await e.page.click(keep + ' summary');
  check(await open(), 'open');
  await e.page.keyboard.press('Escape');
  check(!await open(), 'Escape closes it');
  await e.page.click(keep + ' summary');
  await e.download('#export');
  check(!await open(), 'closed after use');
  await e.demonstrate('tour_heap');
  same(await focused(e), 'tour', 'a demonstration has the focus');
  await e.waitsForEnter('now ask for 64 pages');
}

/* A process that ends while it is looked at. tour_heap runs. */
async function ended(e) {
  const pid = await e.ask(() => explorer.state.spaces.find(s => s.name === 'tour_heap').pid);
  const name = `tour_heap [${pid}]`;
  await e.ask(p => {
    const space = explorer.state.spaces.find(s => s.pid === p);
    const {page} = space.regions[0].runs[0];
    explorer.pick({pid: p, page});
    explorer.views.walk.go(p, page);
  }, pid);
  await e.until(p => walkAnswer()?.pid === p && walkAnswer().result, pid);
  await e.show('table');
  await e.until(() => explorer.views.table.followed); /* all tables on the way are there */
  await e.until(() => document.querySelectorAll('#drawing .wash').length > 0);
  await e.settled();
  const rows = await e.ask(() => explorer.pane.laid.rows.length);
  await e.page.click('#tour .close');
  await e.ask(() => explorer.console.interrupt());
  await e.until(p => !explorer.state.spaces.some(s => s.pid === p), pid);
  await e.settled();
  const says = (await e.texts()).find(t => t.startsWith('Page table of'));
  check(says.includes(name) && says.includes('has ended'), says);
  same(await e.ask(() => explorer.pane.laid.rows.length), rows, 'the table as it was');
  check((await e.page.textContent('#picked')).includes(name + ' has ended'), 'Details');
  await e.show('walk');
  await e.settled();
  check((await e.texts()).some(t => t.includes(name) && t.includes('has ended')), 'the walk');
  await e.until(words => document.getElementById('addressOf').selectedOptions[0].text === words,
                name + ', ended'); /* whose address it is */
  await e.shot('ended');
}

/* Whatever is drawn meanwhile, Details tell of the frame that keys have come to. */
async function framesByKey(e) {
  await e.show('frames');
  await e.page.focus('#view');
  await e.page.keyboard.press('ArrowRight');
  for (let i = 0; i < 2; i++) {
    await e.page.keyboard.press('ArrowRight');
    const seq = await e.ask(() => explorer.state.seq);
    await e.type('true\n');
    await e.until(n => explorer.state.seq > n, seq);
    await e.settled();
    const frame = await e.ask(() => '0x' + (explorer.pointed.frame * 4096).toString(16));
    check((await e.page.textContent('#facts')).includes('frame ' + frame), frame);
  }
  for (let i = 0; i < 6; i++)
    await e.page.keyboard.press('+');
  await e.settled();
  for (let i = 0; i < 40; i++)
    await e.page.keyboard.press('ArrowDown');
  await e.until(() => {
    const {state, pointed: {frame}, views: {frames: {cells}}} = explorer;
    const box = document.getElementById('cells');
    const row = Math.floor((frame - state.start) / cells.per / cells.cols);
    const first = Math.floor(cells.first / cells.per / cells.cols);
    return row >= 40 && row >= first && (row - first + 1) * cells.tall <= box.clientHeight;
  });
  await e.shot('framesdown');
  await e.page.keyboard.press('l');
  await e.settled();
  check(await e.ask(() => explorer.views.frames.lit !== '' &&
    document.querySelector('#side rect.wash')), 'a class by key');
  await e.ask(() => {
    explorer.views.frames.lit = '';
    explorer.views.frames.resize(0);
  });
}

async function tableByKey(e) {
  await e.page.setViewportSize({width: 1280, height: 420});
  await e.ask(() => explorer.pick({pid: 0,
    page: explorer.state.spaces[0].regions[0].start}));
  await e.show('table');
  await e.until(() => explorer.pane.laid.rows && explorer.pane.laid.rows.length > 5);
  await e.page.focus('#view');
  const inside = () => {
    const all = [...document.querySelectorAll('#drawing .wash')];
    const view = document.getElementById('view').getBoundingClientRect();
    const box = all.length && all[all.length - 1].getBoundingClientRect();
    return box && box.top >= view.top && box.bottom <= view.bottom;
  };
  for (const [key, times] of [['ArrowDown', 25], ['ArrowUp', 25]]) {
    for (let i = 0; i < times; i++)
      await e.page.keyboard.press(key);
    await e.until(inside);
  }
  await e.page.setViewportSize({width: 1280, height: 800});
}

async function eventsByKey(e) {
  await e.type('ls\n');
  await e.show('events');
  await e.until(() => explorer.pane.laid.rows && explorer.pane.laid.rows.some(r => r.at));
  await e.pause(); /* or newer events may take the rows' places */
  await e.page.focus('#view');
  for (let i = 0; i < 3; i++)
    await e.page.keyboard.press('ArrowDown');
  await e.settled();
  check(/ s, CPU \d/.test(await e.page.textContent('#facts')),
        await e.page.textContent('#facts'));
  check(await e.page.$('#drawing .picked'), 'a row is marked');
  const at = await e.ask(() => explorer.pane.laid.rows.findIndex(r => r.at));
  check(at >= 0, 'an event of a page');
  await e.ask(i => {
    explorer.views.events.row = explorer.pane.laid.rows[i];
    explorer.render();
  }, at);
  const {key, says} = await e.ask(() => explorer.views.events.row);
  await e.goOn();
  await e.page.focus('#view');
  await e.type('for i in 1 2 3 4 5; do for j in 1 2 3 4; do ls; done; done\n'); /* more events than the list has */
  await e.until(k => !explorer.pane.laid.rows.some(r => r.key === k), key);
  await e.settled();
  const facts = await e.page.textContent('#facts');
  check(facts.includes(says) && facts.includes('has left the list'), facts);
  await e.page.keyboard.press('Enter');
  same(await e.ask(() => explorer.view), 'spaces', 'Enter shows its page');
  await e.show('events');
  await e.ask(() => explorer.pick(null));
  await e.page.click('#controls button:nth-child(2)');
  check((await e.page.textContent('#notice')).includes('No process is picked'), 'said so');
  await e.prompt(); /* that was the last of them */
}

/* In a superpage the bits under its level are of the offset. */
async function superpage(e) {
  const va = await e.walkToSuperpage();
  await e.until(a => walkAnswer()?.va === a && walkAnswer().result, va);
  await e.settled();
  const texts = await e.texts(), offset = texts.find(t => t.startsWith('offset: bits'));
  const high = await e.ask(() => 11 + explorer.hello.bits[0]);
  same(offset, `offset: bits ${high}–0`, 'the offset');
  check(!texts.some(t => t.startsWith('level 0: bits')), 'no index of level 0');
  await e.shot('superpage');
}

/* The address bar takes what the page's own does, and says what it does not. */
async function addressBar(e) {
  const go = hash => e.ask(h => {
    location.hash = h;
  }, hash);
  await go('#2:3000');
  await e.until(() => walkAnswer()?.va === '0x3000' &&
    walkAnswer().pid === 2);
  await go('#%E0%A4%A');
  await e.until(() => document.getElementById('notice').textContent.includes('“%E0%A4%A”'));
  await go('#2:nonsense');
  await e.until(() => document.getElementById('notice').textContent.includes(
    '“2:nonsense” is no address'));
  await e.pause();
  await e.type('x');
  check(!/Paused: paused/.test(await e.page.textContent('#notice')), 'words');
  await e.goOn();
  await e.until(() => printed().trimEnd().endsWith('x'));
  await e.type('\x03');
  await e.prompt();
}

/* Why the machine stands still is said for as long as it does, though other things are
 * said meanwhile. */
async function saysPaused(e) {
  const paused = async when => check((await e.page.textContent('#notice')).includes('Paused') &&
    await e.page.isVisible('#notice'), `paused ${when}`);

  await e.pause();
  await e.page.click('.menu:nth-of-type(2) summary');
  await e.download('#snapshot');
  await e.page.click('h1');
  await e.settled();
  await paused('and kept');
  await e.ask(() => explorer.stop.tell(explorer.wire.ask('stop', {at: 'copy', pid: 77777})));
  await e.until(() => document.getElementById('notice').textContent.includes('no such process'));
  await e.show('frames');
  await paused('and looked at from elsewhere');
  await e.ask(() => { /* which is said until the server is found again: not for long */
    const notice = document.getElementById('notice');
    new MutationObserver(() => {
      window.wasGone = window.wasGone || notice.textContent.includes('does not answer');
    }).observe(notice, {childList: true});
    explorer.wire.socket.close();
  });
  await e.until(() => window.wasGone);
  await e.until(() => explorer.wire.connected);
  await e.settled();
  await paused('and seen again');
  await e.goOn();
}

/* A terminal that has lost its server and found it again shows all once. */
async function consoleAgain(e) {
  const all = await e.ask(() => printed());

  await e.ask(() => {
    window.lost = explorer.console.socket;
    lost.close();
  });
  await e.until(() => explorer.console.socket !== lost &&
    explorer.console.socket.readyState === WebSocket.OPEN);
  await e.until(text => printed().trimEnd() === text.trimEnd(), all);
}

/* Page tables of two processes in turn, each before the answers of the other have come:
 * what leads to the page is unfolded at last. */
async function tablesInTurn(e) {
  const levels = await e.ask(() => explorer.hello.levels);

  for (let ms = 0; ms < 20; ms += 2) {
    await e.ask(n => {
      const open = pid => explorer.openTable({pid, page: explorer.state.spaces.find(
        s => s.pid === pid).regions[0].start});
      open(1);
      open(2);
      setTimeout(() => open(1), n);
    }, ms);
    await e.ask(n => new Promise(done => setTimeout(done, n)), ms);
    await e.until(n => explorer.picked.pid === 1 &&
      document.querySelectorAll('#drawing .wash').length === n, levels);
  }
}

/* A file explains itself. */
async function legend(e) {
  await e.show('spaces');
  await e.ask(() => explorer.stop.remember());
  await e.type('sleep 1000 &\n'); /* whose frames were free */
  await e.until(() => explorer.stop.diff);
  const said = await e.ask(() => explorer.pane.layout(true).shapes.filter(
    s => s.k === 'text').map(s => s.s));
  for (const words of ['code (read and execute)', 'guard', 'promised, not there yet',
    'unused addresses', 'another frame'])
    check(said.includes(words), 'the legend has ' + words);
  await e.ask(() => explorer.pick({pid: 2, page: explorer.state.spaces.find(
    s => s.pid === 2).regions.find(r => r.what === 'data').start}));
  await e.show('frames');
  await e.until(() => explorer.stop.diff.frames && explorer.stop.diff.frames.some(Boolean));
  const {marks, shades, words} = await e.ask(() => {
    const all = explorer.pane.layout(true).shapes;
    return {marks: ['changed', 'hit'].map(c => all.filter(s => s.c === c).length),
      shades: new Set(all.filter(s => /^free-/.test(s.c)).map(s => s.c)).size,
      words: all.filter(s => s.k === 'text').map(s => s.s)};
  });
  check(marks[0] > 1 && marks[1] === 2, `marks, and in the legend: ${marks}`);
  check(shades > 3, `${shades} shades of free blocks`);
  check(words.includes('not as remembered') && words.includes('the picked frame'), words);
  await e.page.click('#forget');
}

async function widths(e) {
  for (const width of [1920, 1440, 1280, 1001]) {
    await e.page.setViewportSize({width, height: 800});
    await e.settled();
    const columns = await e.ask(() => explorer.console.terminal.cols);
    check(columns >= 80, `a line of 80 letters at ${width}: ${columns}`);
    await e.nothingCutOff(`a window of ${width}`);
  }
  await e.ask(() => { /* whose name is long takes most room */
    document.getElementById('of').options[0].text = 'tour_machines [12345]';
    document.getElementById('addressOf').options[0].text = 'tour_machines [12345], ended';
  });
  for (const width of [1000, 700, 400, 320]) {
    await e.page.setViewportSize({width, height: 600});
    for (const view of ['spaces', 'walk', 'frames']) {
      await e.show(view);
      await e.settled();
      await e.nothingCutOff(`${view} at ${width}`);
      const covered = await e.ask(() => [...document.querySelectorAll(
        'header button, #tabs button, #bar button, #bar select, #bar input')].filter(k => {
        if (!k.checkVisibility() || k.closest('.pop'))
          return false;
        k.scrollIntoView({block: 'center'});
        const r = k.getBoundingClientRect();
        const top = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
        return !top || !(k.contains(top) || top.contains(k));
      }).map(k => k.outerHTML));
      same(covered, [], `covered at ${width}`);
    }
    check(await e.ask(() => document.getElementById('cells').clientWidth) >=
      Math.min(200, width / 2), 'the map');
    await e.shot('narrow-' + width);
  }
  await e.page.setViewportSize({width: 1280, height: 800});
}

/* `uptime` executes after the one before has printed, and before it prints. */
async function timesSinceBoot(e) {
  const uptime = async n => {
    await e.type('uptime\n');
    const all = await e.until(k => {
      const found = [...printed().matchAll(/up (\d+):(\d+):(\d+), /g)];
      return found.length > k && found;
    }, n);
    const [, h, m, s] = all.at(-1).map(Number);
    return {n: all.length, s: 3600 * h + 60 * m + s};
  };

  const first = await uptime(await e.ask(() => printed().split('busy since boot').length - 1));
  const second = await uptime(first.n);
  await e.now();
  const {pid, ns} = await e.ask(() => explorer.state.events.findLast(v => v.kind === 'exec'));
  check(ns >= first.s * 1e9 && ns < (second.s + 1) * 1e9,
        `process ${pid}: ${ns} ns, between ${first.s} and ${second.s} s`);
}

/* Nothing of the boot before is left. */
async function reboot(e) {
  await e.show('events');
  await e.ask(() => explorer.stop.remember());
  await e.type('reboot\n');
  await e.until(() => explorer.state.boots > 0);
  await e.until(() => explorer.state.spaces.some(s => s.name === 'sh'));
  check(/started anew.*forgotten/.test(await e.page.textContent('#notice')),
        await e.page.textContent('#notice'));
  check(await e.page.isHidden('#forget') && !await e.ask(() => explorer.stop.diff), 'forgotten');
  const {forks} = await e.ask(() => explorer.state.counters);
  check(forks < 10, `${forks} forks`);
  await e.prompt();
  await timesSinceBoot(e);
  await e.type('true\n');
  await e.until(n => explorer.state.counters.forks > n + 2, forks); /* uptime, twice */
  await e.prompt();
  await e.now(); /* nothing forks meanwhile */
  const [listed, counted] = await e.ask(() => [explorer.state.events.filter(
    v => v.kind === 'fork').length, explorer.state.counters.forks]); /* of one state */
  same(listed, counted, 'each fork of this boot');
  await e.shot('reboot');
}

/* When the machine has ended, what can be pressed does something, or it says why not. */
async function off(e) {
  await e.page.click('#tourStart');
  check(await e.page.isEnabled('#tour .row .go'), 'can be run');
  await e.type('poweroff\n');
  await e.until(() => explorer.state.ended);
  await e.until(() => document.getElementById('tour').textContent.includes(
    'The machine has ended, so nothing can be started here'));
  same(await e.ask(() => [...document.querySelectorAll('#tour .row button:enabled')].map(
    b => b.textContent)), ['Next'], 'what is left of the first step');
  same(await e.ask(() => document.querySelectorAll('#demos button:enabled').length), 0,
       'demonstrations');
  await e.shot('off');
}

run(async e => {
  for (const part of [regions, menus, ended, framesByKey, tableByKey, eventsByKey, superpage,
    addressBar, saysPaused, consoleAgain, tablesInTurn, legend, widths, reboot, off])
  {
    const from = Date.now();
    await part(e);
    console.log(`${part.name}: ${((Date.now() - from) / 1000).toFixed(1)} s`);
  }
});
