/* Every view with a live machine: what it shows is what the machine has, and mouse,
 * keys and the address bar do what they should.
 *
 *   node views.mjs ADDRESS SCREENSHOTS [LEVELS]     LEVELS: page tables have so many; those
 *                                                   views alone that show them */
import fs from 'node:fs';
import {check, run, same} from './harness.mjs';

/* Some kernel stacks with a guard under each, whose they are; the others folded. */
async function kernelStacks(e, inside) {
  const drawn = await e.ask(() => {
    const column = [...document.querySelectorAll('#drawing [role=group]')].find(
      g => g.getAttribute('aria-label') === 'kernel');
    const tips = [...column.querySelectorAll('rect')].filter(r => r.shape)
      .map(r => ({top: r.getBoundingClientRect().top, h: r.getBoundingClientRect().height,
        page: r.shape.at.page, tip: r.shape.tip}));
    return {text: column.textContent, stacks: tips.filter(t => / · stack of /.test(t.tip)),
      guards: tips.filter(t => / · guard of /.test(t.tip) && t.h >= 8)};
  });
  same(drawn.guards.length, 3, 'guards');
  for (const g of drawn.guards) {
    const above = drawn.stacks.filter(s => s.top < g.top && s.page > g.page)
      .sort((a, b) => a.page - b.page)[0];
    same(above.page, g.page + 1, 'a guard is the page under a stack');
  }
  check(/\d+ more stacks/.test(drawn.text), drawn.text);
  const all = await e.ask(() => explorer.state.spaces[0].regions.filter(
    r => r.what === 'stack').map(r => r.of || ''));
  for (const name of await e.ask(() => explorer.state.spaces.filter(s => s.pid)
    .map(s => `${s.name} [${s.pid}]`)))
    same(all.filter(of => of === name).length, 1, 'stacks of ' + name);
  const at = await inside([' · guard of kernel', 'a stack that overflows']);
  await e.page.mouse.move(at.x, at.y);
  check(/kernel stack of /.test(await e.page.textContent('#tip')), 'whose guard');
  await e.shot('kernelstacks');
}

/* The machine stands still: a column that moves would not be where the mouse goes. */
async function spaces(e) {
  await e.pause();
  await e.until(() => !explorer.views.spaces.past.length); /* the scale is at rest, too */
  const names = await e.ask(() => explorer.state.spaces.map(
    s => s.pid ? `${s.name} [${s.pid}]` : s.name));
  for (const name of names)
    check((await e.texts()).includes(name), 'a column for ' + name);
  /* The frame that all have in common lights up in every column. */
  const top = await e.ask(() => {
    const own = explorer.state.spaces.filter(s => s.pid);
    const last = s => s.regions[s.regions.length - 1];
    return last(own[0]).what === 'trampoline' ? own.length : 0;
  });
  if (top) {
    await e.page.locator('#drawing rect[class=c-text]').last().scrollIntoViewIfNeeded();
    const at = await e.ask(() => [...document.querySelectorAll('#drawing rect')].find(
      r => r.shape && r.shape.tip && r.shape.tip.includes('trampoline of init')
    ).getBoundingClientRect().toJSON());
    await e.page.mouse.move(at.x + at.width / 2, at.y + at.height / 2);
    await e.until(n => document.querySelectorAll('#drawing .hit').length > n, top);
    check((await e.page.textContent('#tip')).includes('the same frame in every table'),
          await e.page.textContent('#tip'));
  }
  await e.shot('spaces');
  /* Where nothing is, the inside answers, too. */
  const inside = words => e.ask(says => {
    const r = [...document.querySelectorAll('#drawing rect')].find(
      k => k.shape && k.shape.tip && says.every(w => k.shape.tip.includes(w)));
    r.scrollIntoView({block: 'center', inline: 'nearest'});
    const box = r.getBoundingClientRect();
    return {x: box.x + box.width / 2, y: box.y + box.height / 2, page: r.shape.at.page};
  }, words);
  const comes = 'the first touch brings a page';
  for (const [words, never] of [[['stack of sh', comes], 'guard'],
    [['guard of sh', 'whoever comes here is stopped'], comes]])
  {
    const at = await inside(words);
    await e.page.mouse.move(at.x, at.y);
    const says = await e.page.textContent('#tip');
    check(await e.page.isVisible('#tip') && words.every(w => says.includes(w)) &&
      !says.includes(never), says);
    await e.page.mouse.click(at.x, at.y);
    await e.until(() => explorer.view === 'table');
    same((await e.ask(() => explorer.picked)).page, at.page, 'a click on ' + words[0]);
    await e.until(says => document.querySelector('#sentence').textContent.includes(says),
                  never === comes ? 'nothing may ever be there' : 'brings one');
    await e.show('spaces');
  }
  await kernelStacks(e, inside);
  /* Hover says all, a click opens the page table there. */
  const stack = await e.ask(() => {
    const r = [...document.querySelectorAll('#drawing rect')].find(
      k => k.shape && k.shape.tip && k.shape.tip.includes('stack of sh') &&
      k.shape.tip.includes('class private'));
    return {...r.getBoundingClientRect().toJSON(), page: r.shape.at.page};
  });
  await e.page.mouse.move(stack.x + 8, stack.y + stack.height / 2);
  const tip = await e.page.textContent('#tip');
  for (const word of ['may: read, write, user mode', 'frame 0x', 'written'])
    check(tip.includes(word), `${word} in ${tip}`);
  await e.page.mouse.click(stack.x + 8, stack.y + stack.height / 2);
  await e.until(() => explorer.view === 'table');
  same((await e.ask(() => explorer.picked)).page, stack.page, 'what was clicked');
  await e.goOn();
}

async function table(e) {
  await e.until(() => [...document.querySelectorAll('#drawing .wash')].length >=
    explorer.hello.levels);
  await e.settled();
  const texts = await e.texts(), space = await e.ask(() => {
    const s = explorer.state.spaces.find(k => k.pid === explorer.picked.pid);
    return {tables: s.tables, root: s.root, name: `${s.name} [${s.pid}]`};
  });
  check(texts.includes('Page table of ' + space.name), 'whose table');
  check(texts.some(t => t.startsWith(`${space.tables} table pages`) &&
    t.includes('A flat table')), 'what a flat table costs');
  check(texts.some(t => t.includes(space.root)), 'the root');
  check(texts.some(t => t.includes('empty entries')), 'empty entries are folded');
  check(texts.some(t => /read, write, user/.test(t) || /write, user/.test(t)),
        'flags in words');
  /* The entries of each table sum to all that it has. */
  const rows = texts.filter(t => /^\[\d+(–\d+)?\]$/.test(t)).length;
  check(rows > 5, `${rows} rows`);
  await e.nothingCutOff('the page table');
  await e.shot('table');
}

async function walk(e) {
  await e.page.keyboard.press('w');
  await e.until(() => explorer.view === 'walk' && walkAnswer()?.result);
  await e.settled();
  const steps = await e.ask(() => walkAnswer().steps.length);
  same(steps, await e.ask(() => explorer.hello.levels), 'a step for each level');
  for (const s of await e.ask(() => walkAnswer().steps)) {
    const texts = await e.texts();
    check(texts.some(t => t.includes(s.entry_pa)), 'where the entry is');
    check(texts.includes(s.value), 'its value');
  }
  /* The bits of the address are all there. */
  const bits = (await e.texts()).filter(t => /^[01]{9,12}$/.test(t)).join('');
  const va = await e.ask(() => walkAnswer().va);
  same(BigInt('0b' + bits).toString(16), BigInt(va).toString(16), 'bits of the address');
  await e.nothingCutOff('the walk');
  await e.fitsAcross('the walk');
  await e.shot('walk');
  await e.page.focus('#view');
  for (let n = steps; n >= 0; n--) {
    await e.page.keyboard.press('ArrowLeft');
    await e.settled();
    same((await e.texts()).filter(t => t.startsWith('entry at')).length, n, 'steps back');
  }
  await e.page.keyboard.press('ArrowRight');
  await e.settled();
  same((await e.texts()).filter(t => t.startsWith('entry at')).length, 1, 'and forward');
  await e.shot('walk1');
  /* An address that is not there; through the address bar of the browser. */
  await e.ask(() => {
    location.hash = '#2:0x3f000';
  });
  await e.until(() => walkAnswer()?.va === '0x3f000' &&
    [...document.querySelectorAll('#drawing text')].some(t => t.textContent === 'page fault'));
  await e.shot('walkfault');
  /* And through the page's own. */
  await e.page.fill('#va', '1:1000');
  await e.page.press('#va', 'Enter');
  await e.until(() => walkAnswer()?.va === '0x1000' &&
    walkAnswer().pid === 1);
  /* What is walked to is picked; and what is picked, here or elsewhere, is walked to. */
  same(await e.ask(() => explorer.picked), {pid: 1, page: 1}, 'the walk’s page');
  await e.until(() => document.getElementById('picked').textContent.includes('0x1000 of init'));
  await e.ask(() => explorer.pick({pid: 2, page: 4}));
  await e.until(() => walkAnswer()?.va === '0x4000' && walkAnswer().pid === 2);
  await e.show('table');
  await e.ask(() => explorer.pick({pid: 2, page: 3}));
  await e.show('walk');
  await e.until(() => walkAnswer()?.va === '0x3000' && walkAnswer().pid === 2);
  same(await e.page.inputValue('#va'), '0x3000', 'and the address above');
  await e.page.fill('#va', '1:1000');
  await e.page.press('#va', 'Enter');
  await e.page.fill('#va', 'nonsense');
  await e.page.press('#va', 'Enter');
  check((await e.page.textContent('#notice')).includes('is no address'), 'told so');
  await e.page.fill('#va', '99:0x1000');
  await e.page.press('#va', 'Enter');
  check((await e.page.textContent('#notice')).includes('no such process: 99'), 'nobody');
  same(await e.ask(() => [explorer.views.walk.to.pid, explorer.views.walk.to.va]), [1, '0x1000'],
       'the walk stays');
  await e.page.fill('#va', '');
}

/* In the page: change frames here and there, at each size of cells, with a moment
 * remembered. What is drawn over the last drawing must be what a new canvas would
 * show; and if nothing has changed, nothing is drawn. What was wrong, in words. */
const drawnOver = async () => {
  const {SIZES, paint} = await import('./frames.js'), wrong = [];
  const was = explorer.views.frames.size, canvas = document.getElementById('canvas');
  const changed = new Uint8Array(explorer.frames.n);
  const draw = on => paint(on, explorer.views.frames.cells, explorer.frames,
    explorer.state.classes, {dark: explorer.dark, ...explorer.views.frames.marks(), changed});
  const pixels = on => on.getContext('2d').getImageData(0, 0, on.width, on.height).data;

  for (const size of [0, ...SIZES]) {
    explorer.views.frames.size = size;
    explorer.renderNow();
    draw(canvas); /* for the marks */
    const {first, cols, per} = explorer.views.frames.cells;
    for (const i of [0, 1, 3 * cols, 3 * cols + 5, 11 * cols + 7]) {
      const frame = first + i * per;
      explorer.frames.cls.fill((explorer.frames.cls[frame] + 1) % 5, frame, frame + per);
      changed[frame + per] ^= 1;
    }
    const rows = draw(canvas), all = new OffscreenCanvas(canvas.width, canvas.height);
    if (rows < 5 || rows >= explorer.views.frames.cells.rows)
      wrong.push(`size ${size}: ${rows} of ${explorer.views.frames.cells.rows} rows drawn`);
    if (draw(canvas) !== 0)
      wrong.push(`size ${size}: drawn though nothing has changed`);
    draw(all);
    const is = pixels(canvas), other = pixels(all).findIndex((v, i) => v !== is[i]) >> 2;
    if (other >= 0)
      wrong.push(`size ${size}: ${other % canvas.width}, ${Math.floor(other / canvas.width)}`);
  }
  explorer.views.frames.size = was;
  explorer.renderNow();
  return wrong;
};

async function frames(e) {
  await e.page.click('#tabs [data-view=spaces]');
  await e.ask(() => explorer.pick({pid: 2, page: explorer.state.spaces.find(
    s => s.pid === 2).regions.find(r => r.what === 'data').start}));
  await e.show('frames');
  await e.until(() => explorer.views.frames.cells && document.querySelector('#side text'));
  const side = (await e.texts('side')).join(' ');
  check(side.includes('Free blocks, by size') && side.includes('private'), side);
  const counted = await e.ask(() => {
    const c = new Array(explorer.state.classes.length).fill(0);
    for (const x of explorer.frames.cls)
      c[x]++;
    return c.reduce((a, b) => a + b, 0) === explorer.state.nframes;
  });
  check(counted, 'each frame has one class');
  same(await e.ask(drawnOver), [], 'drawn over what was there');
  await e.shot('frames');
  /* The picked frame, under the mouse: who maps it. */
  await e.page.click('#controls button:nth-child(3)');
  await e.page.click('#controls button:nth-child(3)');
  await e.settled();
  const at = await e.ask(async () => {
    const {placeOf} = await import('./frames.js');
    const p = placeOf(explorer.views.frames.cells, explorer.pointed.frame - explorer.state.start);
    const box = document.getElementById('canvas').getBoundingClientRect();
    const {cell, tall} = explorer.views.frames.cells;
    return {x: box.x + p.x + cell / 2, y: box.y + p.y + tall / 2};
  });
  await e.page.mouse.move(at.x, at.y);
  await e.until(() => document.getElementById('tip').textContent.includes('sh [2]'));
  const tip = await e.page.textContent('#tip');
  check(/the kernel says: user, 1 holder/.test(tip), tip);
  await e.shot('frameswho');
  await e.page.click('#side rect.touch >> nth=1');
  check(await e.ask(() => explorer.views.frames.lit !== ''), 'one class is lit up');
  await e.settled();
  await e.shot('frameslit');
  await e.page.click('#side rect.wash');
  await e.page.click('#controls button:nth-child(1)');
}

/* In the page: the middle of a frame's cell, in the window. */
const placeOfFrame = async frame => {
  const {placeOf} = await import('./frames.js'), {cells} = explorer.views.frames;
  const p = placeOf(cells, frame - explorer.state.start);
  const box = document.getElementById('canvas').getBoundingClientRect();
  return {x: box.x + p.x + cells.cell / 2, y: box.y + p.y + cells.tall / 2};
};

/* In the page: where tour_fork has its page of data, of so many as there are of it. */
const forkedPage = n => {
  const all = explorer.state.spaces.filter(s => s.name === 'tour_fork');
  const says = /a page of data[^\n]*?(0x[0-9a-f]+)/.exec(printed().slice(
    printed().lastIndexOf('tour_fork')));
  if (all.length !== n || !says)
    return null;
  const page = Number(BigInt(says[1]) >> 12n);
  const {runs} = all[0].regions.find(r => r.start <= page && page < r.end);
  const run = runs.find(r => r.page <= page && page < r.page + r.pages);
  return run.frame < 0 ? null : {pid: all[0].pid, page, frame: run.frame + page - run.page};
};

/* The mouse rests: what is under it changes, and so does what is said. */
async function restingMouse(e) {
  await e.type('tour_fork\n');
  await e.waitsForEnter('now fork');
  const {frame} = await e.until(forkedPage, 1);
  await e.show('frames');
  const at = await e.ask(placeOfFrame, frame);
  await e.page.mouse.move(at.x, at.y);
  await e.until(() => /private[^]*mapped 1 time [^]*1 holder/.test(
    document.getElementById('tip').textContent));
  await e.type('\n');
  await e.until(() => {
    const says = document.getElementById('tip').textContent;
    return /cow: [^]*mapped 2 times [^]*2 holders/.test(says) &&
      explorer.state.spaces.filter(s => s.name === 'tour_fork').every(
        s => new RegExp(`tour_fork .*${s.pid}[\\]–]`).test(says) || says.includes(`–${s.pid}]`));
  });
  await e.shot('restingframes');
  await e.page.mouse.move(2, 2);
  check(await e.page.isHidden('#tip'), 'the mouse has gone');
  /* The same page in a column: it is shared, until the child writes. */
  await e.waitsForEnter('now it writes');
  await e.show('spaces');
  await e.until(() => !explorer.views.spaces.past.length); /* the scale is at rest */
  const {pid, page} = await e.ask(forkedPage, 2);
  const box = await e.ask(([p, n]) => {
    const r = [...document.querySelectorAll('#drawing rect')].find(k => k.shape && k.shape.tip &&
      k.shape.at.pid === p && k.shape.at.page <= n && n < k.shape.at.page + k.shape.at.pages);
    r.scrollIntoView({block: 'center', inline: 'nearest'});
    const b = r.getBoundingClientRect();
    return {x: b.x + b.width / 2, y: b.y + b.height / 2};
  }, [pid, page]);
  await e.page.mouse.move(box.x, box.y);
  const shared = 'copy on write: the entry lacks W, though the region may be written; ' +
    '2 processes have the frame';
  const tip = await e.page.textContent('#tip'); /* of a run of such pages, perhaps */
  check(tip.replace('have each frame', 'have the frame').includes(shared), tip);
  await e.shot('restingspaces');
  await e.ask(at => explorer.pick(at), {pid, page});
  await e.until(words => document.getElementById('facts').textContent.includes(words), shared);
  await e.type('\n'); /* the child writes */
  await e.waitsForEnter('a frame of its own');
  await e.until(([{x, y}, words]) => {
    const says = document.getElementById('tip').textContent;
    const {shape} = document.elementFromPoint(x, y);
    return !says.includes(words) && Boolean(shape && shape.tip) &&
      says === explorer.mouse.words(shape);
  }, [box, shared]);
  await e.page.mouse.move(2, 2);
  await e.type('\n\n');
  await e.until(() => !explorer.state.spaces.some(s => s.name === 'tour_fork'));
  await e.prompt();
}

/* A frame that more have than a tip has lines for: Details list all of them. */
async function manyHolders(e) {
  await e.ask(() => explorer.pick(null));
  const frame = await e.ask(() => explorer.state.spaces.find(s => s.name === 'sh')
    .regions[0].runs.find(r => r.frame >= 0).frame);
  const n = 20, maps = Array.from({length: n}, (_, i) => ({name: 'program', pid: 2 * i + 1,
    va: '0x' + (4096 * (i + 1)).toString(16), what: 'text'}));
  await e.show('frames');
  await e.ask(list => { /* more than this machine runs */
    const {wire} = explorer, ask = wire.ask.bind(wire);
    wire.ask = (what, more) => ask(what, more).then(
      answer => what === 'frame' ? {...answer, count: list.length, maps: list} : answer);
    window.asks = ask;
  }, maps);
  const at = await e.ask(placeOfFrame, frame);
  await e.page.mouse.move(at.x, at.y);
  await e.until(() => document.getElementById('tip').textContent.includes(
    'and 4 more: click, and Details list all'));
  await e.page.mouse.click(at.x, at.y);
  const all = list => list.every(m => document.getElementById('facts').textContent.includes(
    `program [${m.pid}] ${m.va} text`));
  await e.until(all, maps);
  await e.page.focus('#view');
  await e.page.keyboard.press('ArrowRight');
  await e.until(() => document.getElementById('picked').textContent.startsWith('Frame '));
  check(await e.page.isHidden('#tip'), 'keys have come to another');
  await e.until(all, maps);
  await e.ask(() => {
    explorer.wire.ask = window.asks;
    explorer.pick(null);
  });
  await e.page.mouse.move(2, 2);
}

/* In a cell of several frames: the one whose colour it has is told of. */
async function cellOfSeveral(e) {
  await e.show('frames');
  await e.page.setViewportSize({width: 1280, height: 420});
  await e.until(() => explorer.views.frames.cells.per > 1);
  await e.pause();
  const {frame, first, cls, there, per} = await e.ask(() => {
    const {state, frames: all, views: {frames: {cells}}} = explorer, {per: n} = cells;
    const is = i => state.classes[all.cls[i]];
    for (let i = 0; i < all.n; i++)
      if (['table', 'private', 'cow'].includes(is(i)) &&
          ['free', 'kernel', 'slab', 'stack', 'cache'].includes(is(i - i % n)))
        return {frame: state.start + i, first: i - i % n, cls: is(i), per: n,
          there: [...new Set(Array.from({length: n}, (_, k) => is(i - i % n + k)))]};
    return {there: []};
  });
  check(there.length > 1, 'a cell whose first frame is of another class');
  const at = await e.ask(placeOfFrame, frame);
  await e.page.mouse.move(at.x, at.y);
  const shown = await e.ask(() => explorer.pointed.frame - explorer.state.start);
  check(shown > first && shown < first + per, 'which one');
  await e.until(() => document.getElementById('tip').textContent.includes('the kernel says'));
  const says = await e.page.textContent('#tip');
  check(says.includes(`its cell is of ${per} frames: `) && there.every(c => says.includes(' ' + c)) &&
    says.includes(`\n${says.match(/that of (\w+)/)[1]}: `) && !says.includes('free block'),
        `${cls} in ${says}`);
  await e.shot('cellofseveral');
  await e.page.mouse.move(2, 2);
  await e.goOn();
  await e.page.setViewportSize({width: 1280, height: 800});
}

/* In the page: of each chart of bars, the class and the pattern of the signs in its legend
 * and of what is drawn. */
const patterns = () => {
  const all = selector => document.querySelectorAll('#drawing ' + selector);
  const sign = colour => {
    const over = colour.nextElementSibling, lies = name =>
      over.getAttribute(name) === colour.getAttribute(name);
    const fill = over && over.getAttribute('fill');
    const there = fill && ['x', 'y', 'width', 'height', 'd'].every(lies);
    return `${colour.getAttribute('class')} ${there ? fill : ''}`;
  };
  const signs = [...all('rect[class^=c-]')].map(sign);
  return [...all('g')].map(g => [...g.querySelectorAll('path[class^=c-]')].map(sign))
    .filter(bars => bars.length)
    .map(bars => ({bars, legend: signs.splice(0, bars.length / 2)})); /* in two parts */
};

/* Who sees no colours tells the bars of a chart by their patterns, as its legend has them. */
async function barsDiffer(e) {
  const charts = await e.ask(patterns);

  same(charts.length, 2, 'charts of bars');
  for (const {legend, bars} of charts) {
    same(new Set(legend.map(sign => sign.split(' ')[1])).size, legend.length,
         `patterns of ${legend}`);
    same(bars.sort(), [...legend, ...legend].sort(), 'bars are as the legend says');
  }
}

async function whatHappens(e) {
  await e.show('events');
  const before = await e.ask(() => explorer.state.counters.forks);
  await e.now();
  await e.page.click('#remember');
  await e.type('true\ncrash heap\n');
  for (const word of ['exec: another program', 'fork', 'exit']) /* in the window or below it */
    await e.until(w => explorer.pane.laid.rows.some(
      r => r.e.ns > explorer.stop.moment.ns && r.says.includes(`: ${w};`)), word);
  check(await e.ask(n => explorer.state.counters.forks > n, before), 'the fork is counted');
  await e.prompt();
  await e.pause(); /* a chart that moves would not be where the mouse goes */
  check(await e.atOnce(() => [...document.querySelectorAll('#drawing pre')].some(
    t => explorer.pane.laid.rows[0].says.includes(`: ${t.textContent.split('\n')[0]};`))),
        'the newest is in the window');
  check(await e.page.$$eval('#drawing .wash.change', all => all.length) > 3,
        'what is new is marked');
  for (const word of ['forks', 'execs', 'reused', 'refused']) {
    const bar = await e.until(w => {
      for (const r of document.querySelectorAll('#drawing rect'))
        for (let x = 0; r.shape && r.shape.tipAt && x < r.shape.w; x++)
          if (r.shape.tipAt(r.shape.x + x).split('\n').some(s => / × /.test(s) && s.endsWith(w)))
            return {x: r.getBoundingClientRect().x + x, y: r.getBoundingClientRect().y + 5};
    }, word);
    await e.page.mouse.move(bar.x, bar.y);
    check(await e.page.isVisible('#tip') && / × /.test(await e.page.textContent('#tip')),
          'a bar says what it is');
  }
  await e.page.mouse.move(2, 2);
  await barsDiffer(e);
  await e.nothingCutOff('what happens');
  await e.shot('events');
  await e.page.click('#forget');
  await e.goOn();
}

/* Where an entry lost W by the fork is marked, though the page is the parent's alone again: the
 * child has a copy. */
async function wordsOfFork(e) {
  const lost = await e.until(() => {
    const {diff} = explorer.stop, {spaces} = explorer.state;
    const {pid} = spaces.find(s => s.name === 'tour_fork');
    const change = diff && diff.spaces.get(pid);
    const page = change && change.changes.find(c => c.how === 'lost')?.page;
    return page !== undefined && {pid, page};
  });
  await e.until(() => document.getElementById('changes').textContent.includes('lost W'));
  await e.show('spaces');
  check((await e.texts()).includes('×'), 'the column marks it');
  await e.ask(at => explorer.pick(at), lost);
  await e.show('table');
  await e.until(({page}) => {
    const row = explorer.pane.laid.rows.findLast(r => r.page <= page && page < r.page + r.pages);
    return row && !row.table && explorer.pane.laid.shapes.some(
      m => m.c === 'changed' && m.y > row.y && m.y < row.y + row.h);
  }, lost);
}

async function stopAndLook(e) {
  await e.type('tour_fork\n');
  await e.waitsForEnter('now fork');
  await e.page.click('#remember');
  await e.type('\n');
  await e.waitsForEnter('now it writes'); /* its page: it has copied its stack */
  await wordsOfFork(e);
  await e.page.click('#forget');
  const child = await e.ask(() => {
    const all = explorer.state.spaces.filter(s => s.name === 'tour_fork');
    return all.length === 2 && all[1].pid;
  });
  await e.page.click('#remember');
  await e.page.selectOption('#at', 'copy');
  await e.page.focus('#of'); /* whoever comes sees all */
  await e.page.selectOption('#of', String(child));
  await e.page.click('#arm');
  await e.until(() => explorer.state.waiting);
  await e.type('\n');
  await e.until(() => explorer.state.paused);
  same(await e.ask(() => explorer.state.stopped.pid), child, 'who is stopped');
  check((await e.page.textContent('#notice')).includes('Paused'), 'said so');
  same(await e.ask(() => explorer.picked), {pid: child,
    page: await e.ask(() => explorer.tour.place.page)}, 'where it stopped is picked');
  await e.show('spaces');
  await e.until(() => document.querySelector('#drawing .changed'));
  await e.shot('stopped');
  await e.page.click('#pause');
  await e.until(() => !explorer.state.paused);
  await e.page.keyboard.press('p');
  await e.until(() => explorer.state.paused);
  await e.page.keyboard.press('p');
  await e.until(() => !explorer.state.paused);
  /* Each view marks it, whether it was the one that was shown or not. */
  for (const view of ['spaces', 'table', 'frames', 'events']) {
    await e.show(view);
    await e.shot('changed-' + view);
    if (view === 'frames')
      await e.until(() => explorer.stop.diff.frames.some(Boolean));
    else
      check(await e.page.$('#drawing .change'), view + ' marks what has changed');
  }
  await e.ask(() => explorer.views.walk.go(explorer.picked.pid, explorer.picked.page));
  await e.until(() => walkAnswer()?.result && document.querySelector('#drawing .changed'));
  await e.shot('changed-walk');
  await e.type('\n\n');
  await e.until(() => !explorer.state.spaces.some(s => s.name === 'tour_fork'));
  await e.prompt();
  await e.page.click('#forget');
  await stopAtCommand(e);
}

/* At the exec of a process that is not there to be chosen. */
async function stopAtCommand(e) {
  await e.page.selectOption('#at', 'exec');
  await e.page.selectOption('#of', {label: 'any process'});
  await e.page.click('#arm');
  await e.until(() => document.getElementById('notice').textContent.includes('any process'));
  await e.page.click('#remember');
  await e.type('ls\n');
  await e.until(() => explorer.state.stopped);
  same(await e.ask(() => explorer.state.spaces.find(
    s => s.pid === explorer.state.stopped.pid).name), 'ls', 'what is executed');
  const name = `ls [${await e.ask(() => explorer.state.stopped.pid)}]`;
  same(await e.page.textContent('#notice'), `Paused: ${name}: exec has replaced the image`,
       'who has stopped it');
  same(await e.page.textContent('#picked'), name, 'Details of the process');
  check((await e.page.textContent('#sentence')).startsWith('Forked by sh [2].'), 'its parent');
  check(/ there, of .* promised\n/.test(await e.page.textContent('#facts')), 'what it has');
  /* Its table is newer than the moment: each entry, though no page is there. */
  await e.ask(() => {
    const space = explorer.state.spaces.find(s => s.pid === explorer.state.stopped.pid);
    explorer.views.walk.go(space.pid, space.regions.find(r => r.what === 'stack').start);
  });
  await e.until(() => walkAnswer()?.pid === explorer.state.stopped.pid &&
    !walkAnswer().result && document.querySelectorAll('#drawing .changed').length ===
    walkAnswer().steps.length);
  await e.page.click('#forget');
  await e.page.click('#pause');
  await e.prompt();
}

async function keys(e) {
  await e.page.focus('#view');
  for (const [i, view] of ['spaces', 'table', 'walk', 'frames', 'events'].entries()) {
    await e.page.keyboard.press(String(i + 1));
    same(await e.ask(() => explorer.view), view, 'key ' + (i + 1));
  }
  await e.page.keyboard.press('1');
  await e.ask(() => explorer.pick(null));
  await e.page.keyboard.press('ArrowRight');
  const first = await e.ask(() => explorer.picked);
  await e.page.keyboard.press('ArrowRight');
  await e.page.keyboard.press('ArrowUp');
  const second = await e.ask(() => explorer.picked);
  check(first.pid !== second.pid, 'arrows move between columns');
  await e.page.keyboard.press('Enter');
  same(await e.ask(() => explorer.view), 'table', 'Enter opens the table');
  await e.page.keyboard.press('F6');
  check(await e.ask(() => Boolean(document.activeElement.closest('.xterm'))), 'in');
  await e.page.keyboard.press('Shift+F6');
  check(await e.ask(() => document.activeElement.id === 'view'), 'out of the terminal');
  await e.page.keyboard.press('?');
  check(await e.ask(() => document.getElementById('help').open), 'the list of keys');
  await e.page.keyboard.press('Escape');
  /* Each thing that can be pressed has a name. */
  const nameless = await e.ask(() => [...document.querySelectorAll(
    'button, select, input')].filter(k => !k.textContent.trim() && !k.labels?.length &&
    !k.ariaLabel && !k.closest('.xterm')).map(k => k.outerHTML));
  same(nameless, [], 'nameless');
}

async function keep(e) {
  const views = ['spaces', 'table', 'walk', 'frames', 'events'];
  await e.ask(() => explorer.pick({pid: 2, page: 0}));
  for (const view of views) {
    await e.show(view);
    await e.page.click('.menu:nth-of-type(2) summary');
    const file = await e.download('#export');
    await e.page.click('h1');
    const trouble = await e.ask(text => {
      const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
      const root = parsed.documentElement;
      return parsed.querySelector('parsererror') ? parsed.documentElement.textContent
        : root.querySelectorAll('rect, text').length < 10 ? 'nearly empty' : '';
    }, fs.readFileSync(file, 'utf8'));
    same(trouble, '', file);
  }
  await e.pause();
  await e.page.click('.menu:nth-of-type(2) summary');
  const file = await e.download('#snapshot');
  check(fs.readFileSync(file).length > 5000, 'a snapshot');
  fs.writeFileSync(`${file}.charts`, await e.charts()); /* for kept.mjs */
  await e.goOn();
}

async function sizes(e) {
  for (const [width, height, dark] of [[1280, 800, true], [1920, 1080, false]]) {
    await e.page.setViewportSize({width, height});
    await e.ask(d => explorer.theme(d), dark);
    for (const view of ['spaces', 'table', 'walk', 'frames', 'events']) {
      await e.show(view);
      await e.nothingCutOff(`${view} at ${width} by ${height}`);
      if (view !== 'spaces') /* as wide as there are processes */
        await e.fitsAcross(`${view} at ${width} by ${height}`);
      await e.shot(`${view}-${width}${dark ? '-dark' : ''}`);
    }
  }
}

/* A line that is longer than the terminal wraps, whatever a PC's firmware has set. */
async function wrapping(e) {
  const word = 'x'.repeat(150);
  await e.type(`echo ${word}y\n`);
  await e.until(w => {
    const b = explorer.console.terminal.buffer.active;
    let all = '';
    for (let i = 0; i < b.length; i++)
      all += b.getLine(i).translateToString(true);
    return all.split(w + 'y').length >= 3; /* typed, and echoed */
  }, word);
}

/* A process that executes the program that it runs is another one all the same. */
async function execOfTheSame(e) {
  await e.page.click('#tour .row .go'); /* Remember, then Enter */
  await e.until(() => [...document.querySelectorAll('#drawing text')].some(
    t => t.textContent === '≠ exec'));
  await e.until(() => document.getElementById('changes').textContent.includes(
    'has executed a program'));
  await e.shot('exec');
  await e.page.click('#forget');
}

/* Each Enter is a page more of the child's stack, which is picked; then the guard. */
async function stackGrows(e) {
  const pages = () => {
    const own = explorer.state.spaces.filter(s => s.name === 'tour_stack');
    return own.length < 2 ? 0 : own[1].regions.filter(r => r.what === 'stack')
      .flatMap(r => r.runs).filter(r => r.frame >= 0).reduce((n, r) => n + r.pages, 0);
  };
  const enter = () => e.page.click('#tour .row button:nth-child(2)');

  await e.demonstrate('tour_stack');
  await e.waitsForEnter('pages of it are there');
  await enter();
  await e.waitsForEnter('now call once more');
  let [n, at] = [await e.ask(pages), await e.ask(() => explorer.picked.page)];
  for (const says of ['now call once more', 'now call once more', 'now call without end']) {
    await enter();
    await e.until(was => explorer.picked.page !== was, at);
    await e.waitsForEnter(says);
    same([await e.ask(pages), await e.ask(() => explorer.picked.page)], [++n, --at],
         'a page more, which is picked');
  }
  await e.shot('stack');
  await enter();
  await e.until(() => printed().includes('nothing may be there'));
  await e.until(() => explorer.state.events.some(v => v.kind === 'fault_refused'));
  await e.waitsForEnter('the child met the guard');
  await enter();
  /* Enter would be for the shell. */
  await e.until(() => document.getElementById('tour').textContent.includes(
    'The program has ended.'));
  same(await e.page.$$eval('#tour .row button', all => all.map(b => b.textContent)),
       ['Run it again'], 'what can be pressed');
  await e.page.click('#tour .row .go');
  await e.waitsForEnter('pages of it are there');
  same(await e.page.$$eval('#tour .row button', all => all.length), 2, 'it runs again');
  await e.page.click('#tour .close');
  await e.until(() => !explorer.state.spaces.some(s => s.name === 'tour_stack'));
}

/* The walk goes to the program's own page, which has the flag u; what it prints as
 * the kernel's is mapped, and not for it. */
async function trap(e) {
  await e.demonstrate('tour_trap');
  await e.until(() => walkAnswer()?.result && explorer.state.spaces.some(
    s => s.name === 'tour_trap' && s.pid === walkAnswer().pid));
  const own = await e.ask(() => walkAnswer());
  check(own.steps[own.steps.length - 1].flags.includes('u') && own.reason === '',
        JSON.stringify(own));
  await e.waitsForEnter('a trap can use this at first');
  const kernels = await e.ask(() => [...printed().matchAll(
    /without u: \w+, from (0x[0-9a-f]+)/g)].map(m => m[1]));
  check(kernels.length > 0, 'what is without u');
  for (const va of kernels) {
    await e.ask(a => explorer.views.walk.goTo(walkAnswer().pid, a), va);
    await e.until(a => walkAnswer().va === a && [...document.querySelectorAll(
      '#drawing text')].some(t => t.textContent.includes('but not for user mode')), va);
    const walk = await e.ask(() => walkAnswer());
    check(walk.result && !walk.steps[walk.steps.length - 1].flags.includes('u'),
          JSON.stringify(walk));
  }
  await e.shot('trap');
  await e.page.click('#tour .close');
  await e.until(() => !explorer.state.spaces.some(s => s.name === 'tour_trap'));
}

/* What is promised is different from nothing, though no page is there. */
async function promised(e) {
  await e.page.click('[data-demo=tour_heap]');
  await e.waitsForEnter('now ask for 64 pages');
  check((await e.page.textContent('#tour')).includes('tour_heap'), 'what to watch');
  await e.page.click('#tour .row .go');
  await e.until(() => document.getElementById('changes').textContent.includes(
    '64 pages promised'));
  check(await e.page.$('#drawing .changed'), 'and marked');
  await e.shot('promised');
  await e.page.click('#forget');
}

async function demonstrations(e) {
  const names = await e.page.$$eval('#demos button', all => all.map(b => b.dataset.demo));
  check(names.length === 12, 'a dozen');
  await e.page.click('.menu:nth-of-type(1) summary');
  await e.shot('demonstrations');
  await promised(e);
  /* One that waits for Enter does not get the name of the next. */
  await e.demonstrate('tour_exec');
  await e.waitsForEnter('now exec this program anew');
  same(await e.ask(() => explorer.state.spaces.filter(s => /^tour/.test(s.name)).map(
    s => s.name)), ['tour_exec'], 'the one before has ended');
  await e.show('spaces');
  await execOfTheSame(e);
  await stackGrows(e);
  await trap(e);
  await e.demonstrate('tour_levels');
  await e.until(() => printed().includes('a table is a page of') && walkAnswer() &&
    walkAnswer().result && explorer.state.spaces.some(
    s => s.name === 'tour_levels' && s.pid === walkAnswer().pid));
  await e.shot('tour_levels');
  check((await e.page.textContent('#tour')).includes('there is no second machine'),
        'none was offered here');
  await e.type('\x03'); /* Ctrl-C */
  await e.until(() => !explorer.state.spaces.some(s => s.name === 'tour_levels'));
  await e.ask(() => explorer.views.walk.goTo(2, '0x1000')); /* one that goes on */
  await e.until(() => walkAnswer()?.pid === 2);
}

/* The shell's stack, in its page table: from there, table and walk. */
async function picked(e) {
  await e.ask(() => {
    const space = explorer.state.spaces.find(s => s.name === 'sh');
    const stack = space.regions.find(r => r.what === 'stack');
    explorer.openTable({pid: space.pid, page: stack.end - 1});
  });
}

/* How many levels there are makes a difference for these. */
async function levels(e) {
  const n = Number(process.argv[4]);
  same([n, n], await e.ask(() => [explorer.hello.levels, explorer.hello.bits.length]), 'levels');
  check((await e.page.textContent('#machine')).includes(
    await e.ask(() => explorer.hello.mode)), 'named');
  await e.nothingCutOff('address spaces');
}

const ALL = [spaces, table, walk, frames, restingMouse, cellOfSeveral,
  manyHolders, whatHappens, stopAndLook, keys, wrapping,
  demonstrations, keep, sizes];

run(async e => {
  for (const part of process.argv[4] ? [levels, picked, table, walk] : ALL) {
    const from = Date.now();
    await part(e);
    console.log(`${part.name}: ${((Date.now() - from) / 1000).toFixed(1)} s`);
  }
});
