/* The parts of the page that need no browser. */
import assert from 'node:assert/strict';
import {split, flagsWords, pageNumber} from '../../tools/explore/page/entry.js';
import {Ended} from '../../tools/explore/page/ended.js';
import * as events from '../../tools/explore/page/events.js';
import * as frames from '../../tools/explore/page/frames.js';
import * as palette from '../../tools/explore/page/palette.js';
import {Lately} from '../../tools/explore/page/lately.js';
import * as model from '../../tools/explore/page/model.js';
import {Notice} from '../../tools/explore/page/notice.js';
import * as share from '../../tools/explore/page/share.js';
import * as spaces from '../../tools/explore/page/spaces.js';
import * as walk from '../../tools/explore/page/walk.js';
import {svgText, withLegend} from '../../tools/explore/page/shapes.js';
import {foldEntries, layout as layTable} from '../../tools/explore/page/table.js';

const HELLO = {levels: 3, bits: [9, 9, 9], pte: 8, letters: 'vrwxugad', number: [10, 44],
  root: 'root', mode: 'three'};
const region = (start, end, what, runs) => ({start: '0x' + (start * 4096).toString(16),
  end: '0x' + (end * 4096).toString(16), rights: 'rw-u', what, shared: false, file: 0,
  runs});
const pa = frame => '0x' + (frame * 4096).toString(16);
const TOP = 2 ** 45; /* a page of 57 bits of address */

function state(...all) {
  return model.parseState({seq: 1, ns: 0, ram: {start: pa(0x80000), frames: 1000},
    owners: {free: 900}, classes: [], free_blocks: [], counters: {}, events: [],
    spaces: all.map(([pid, regions]) => ({pid, name: pid ? 'p' : 'kernel',
      root: pa(1), tables: 3, consistent: true, regions,
      faults: {total: 1, zero: 1, copy: 0, file: 0, super: 0, reuse: 0, refused: 0}}))}, null);
}

/* Before fork, after fork, after the child's write. */
const data = (cls, frame) => [region(0, 2, 'text', [[0, 2, 'text', pa(10), 4]]),
  region(5, 9, 'data', [[0, 1, cls, pa(frame), 6], [1, 3, 'absent', null, 0]]),
  region(TOP - 1, TOP, 'trampoline', [[0, 1, 'text', pa(7), 16]])];
const before = state([1, data('private', 20)]);
const forked = state([1, data('cow', 20)], [2, data('cow', 20)]);
const written = state([1, data('private', 20)], [2, data('private', 21)]);

/* --- numbers --- */
assert.equal(model.toHex(TOP), '0x' + (1n << 57n).toString(16));
assert.equal(model.toPage(model.toHex(TOP + 1)), TOP + 1);
assert.equal(model.frameAt(forked.spaces[0], 5), 20);
assert.equal(model.frameAt(forked.spaces[0], 6), -1);
assert.equal(model.frameAt(forked.spaces[0], 3), -1);
assert.deepEqual(model.holders(forked, 20).map(h => [h.space.pid, h.page]),
                 [[1, 5], [2, 5]]);
for (const va of [0n, 0x3fffffffffn, 0x12345678an])
  assert.equal(split(HELLO, '0x' + va.toString(16)).reduce(
    (sum, f) => sum + (BigInt(f.value) << BigInt(f.low)), 0n), va);
assert.equal(pageNumber(HELLO, '0x21f154d3'), 0x87c55n);
assert.equal(flagsWords(HELLO, '0x21f154d3'), 'valid, read, user, accessed, dirty');

/* --- what a message does not have stays the very object that it was --- */
const third = region(8, 9, 'stack', [[0, 1, 'private', pa(30), 6]]);
const next = model.parseState({ram: {start: '0x0', frames: 1}, events: [],
  spaces: [1, {pid: 2, regions: [1, third, -1, 1]}, {pid: 3, regions: [third]}]}, forked);
const [first, second] = forked.spaces;
assert.equal(next.spaces[0], first);
assert.equal(next.spaces[1].regions[0], second.regions[0]);
assert.equal(next.spaces[1].regions[2], second.regions[2]);
assert.deepEqual(next.spaces.slice(1).map(s => s.regions.map(r => r.what)),
                 [['text', 'stack', 'trampoline'], ['stack']]);
assert.equal(model.frameAt(next.spaces[1], 8), 30);

/* --- differences --- */
const change = (a, b) => model.difference({state: a}, {state: b});
let d = change(before, forked);
assert.equal(d.spaces.get(2).kind, 'new');
assert.deepEqual(d.spaces.get(1).changes,
                 [{page: 5, pages: 1, how: 'class', was: 'private', is: 'cow'}]);
d = change(forked, written);
assert.deepEqual(d.spaces.get(2).changes.map(c => [c.page, c.how]), [[5, 'moved']]);
assert.ok(d.words.some(w => w.includes('copied to a frame of its own')), d.words);
d = change(written, before);
assert.equal(d.spaces.get(2).kind, 'gone');
assert.equal(change(before, before).spaces.size, 0);

/* What is only promised, or has other rights, is different, too; and not in the table
 * of pages, as long as nothing is there. */
const promised = state([1, [...data('private', 20),
  region(12, 16, 'mmap', [[0, 4, 'absent', null, 0]])]]);
const touched = state([1, [...data('private', 20),
  region(12, 16, 'mmap', [[0, 1, 'private', pa(22), 6], [1, 3, 'absent', null, 0]])]]);
const protectedNow = structuredClone(promised);
protectedNow.spaces[0].regions[1].rights = 'r--u';
const how = (a, b) => {
  const {spaces: all, words} = change(a, b), {changes} = all.get(1);
  return [changes.map(c => [c.page, c.pages, c.how, model.isThere(c)]), words[0]];
};
assert.deepEqual(how(before, promised), [[[12, 4, 'new', false]], 'p [1]: 4 pages promised']);
assert.deepEqual(how(promised, before),
                 [[[12, 4, 'gone', false]], 'p [1]: 4 pages no longer promised']);
assert.deepEqual(how(promised, touched), [[[12, 1, 'new', true]], 'p [1]: 1 page new']);
assert.deepEqual(how(touched, promised), [[[12, 1, 'gone', true]], 'p [1]: 1 page gone']);
assert.deepEqual(how(promised, protectedNow)[0],
                 [[5, 1, 'rights', true], [6, 3, 'rights', false]]);

/* So is the right to write that an entry got or lost, whatever its class; that the machine
 * set A and D is not. */
const flagged = (flags, cls = 'private') =>
  state([1, [region(5, 9, 'data', [[0, 4, cls, pa(20), flags]])]]);
const A = model.ACCESSED, D = model.DIRTY, W = model.WRITABLE;
assert.deepEqual(how(flagged(A | D | W), flagged(A | D)),
                 [[[5, 4, 'lost', true]], 'p [1]: 4 pages lost W: a write is a page fault now']);
assert.deepEqual(how(flagged(A, 'cache'), flagged(A | D | W, 'cache')),
                 [[[5, 4, 'got', true]], 'p [1]: 4 pages got W: may be written now']);
assert.deepEqual(how(flagged(A | D | W), flagged(A, 'cow'))[0], [[5, 4, 'class', true]]);
assert.equal(change(flagged(W), flagged(A | D | W)).spaces.size, 0);
const marksOf = diff => spaces.legend(flagged(W), {diff}).map(i => i.words);
assert.deepEqual(['got W', 'lost W'].filter(w => marksOf(change(before, forked)).includes(w)),
                 ['got W', 'lost W']);
const tipOf = flags => {
  const {spaces: [space]} = flagged(flags), [r] = space.regions;
  return model.runWords(space, r, r.runs[0], 5);
};
assert.ok(tipOf(A).includes('the entry lacks W, though the region may be written'));
assert.ok(!tipOf(A | W).includes('lacks W'));

/* --- a walk beside what is remembered of it --- */
const entry = (level, value) => ({level, index: 0, entry_pa: '0x1000', value, flags: 'v-------',
  kind: level ? 'table' : 'leaf', next: '0x2000'});
const answer = (...values) => ({va: '0x5000', result: '0x2000', reason: '', what: 'data',
  steps: values.map((v, i) => entry(2 - i, v))});
const marked = options => walk.layout(HELLO, answer('0x1', '0x1', '0x17'),
  {title: 'p', step: Infinity, ...options}).shapes.filter(s => s.s?.startsWith('≠'))
  .map(s => s.s.slice(2));
const FEW = [{page: 5, pages: 1}], NEAR = [{page: 6, pages: 1}], FAR = [{page: 512, pages: 9}];
const self = 'not as remembered', under = 'pages below differ';
assert.deepEqual(marked({}), []);
assert.deepEqual(marked({was: answer('0x1', '0x1', '0x17'), newer: true, changes: FEW}), [],
                 'it is known');
assert.deepEqual(marked({was: answer('0x1', '0x1', '0x13')}), [self]);
assert.deepEqual(marked({was: answer('0x1', '0x0')}), [self, self], 'levels that were not there');
assert.deepEqual(marked({newer: true, changes: []}), [self, self, self], 'a new process');
/* Else as the page table marks entries: those that stand for a page that differs. */
assert.deepEqual(marked({newer: false, changes: FEW}), [under, under, self]);
assert.deepEqual(marked({newer: false, changes: NEAR}), [under, under]);
assert.deepEqual(marked({newer: false, changes: FAR}), [under]);
assert.deepEqual(marked({newer: false, changes: [{page: 1 << 18, pages: 1}]}), []);

/* --- who shares what is copied on write: of a run, as few and as many as of its pages --- */
const copied = (...runs) => runs.map(([pid, page, frame, pages]) =>
  [pid, [region(page, page + pages, 'data', [[0, pages, 'cow', pa(frame), 6]])]]);
const shares = state(...copied([1, 5, 20, 4], [2, 5, 20, 3], [3, 6, 21, 1], [4, 9, 30, 2],
                               [5, 9, 30, 2]));
const [mine, , , theirs] = shares.spaces.map(s => s.regions[0]);
const sharedBy = (r, page, pages) =>
  /; (.*) frame$/.exec(model.copiedWords(shares, r, r.runs[0], page, pages))[1];
assert.deepEqual([5, 6, 7, 8].map(page => sharedBy(mine, page)),
  ['2 processes have the', '3 processes have the', '2 processes have the', '1 process has the']);
assert.equal(sharedBy(mine, 5, 4), '1 to 3 processes have each');
assert.equal(sharedBy(mine, 5, 3), '2 to 3 processes have each');
assert.equal(sharedBy(theirs, 9, 2), '2 processes have each');
const whole = spaces.layout(shares, {width: 900, height: 600});
assert.ok(svgText(shares, whole.shapes, whole.w, whole.h, 'shares').includes(
  '1 to 3 processes have each frame</title>'), 'in a file, too');

/* --- who maps a frame: all of them, in few lines --- */
const held = [3, 5, 6, 7].map(pid => ({pid, name: 'sh', va: '0x1000', what: 'text'}));
const says = (maps, whole, count = maps.length) => frames.frameWords({start: 0, classes: ['text']},
  {cls: [0], maps: [maps.length], order: [0]}, 0, {laid: {per: 1}, whole,
    answer: {class: 'text', order: 0, owner: 'cache', count, maps}});
assert.ok(says([...held, {pid: 0, name: 'kernel', va: '0x9000', what: 'RAM'}], false, 5).endsWith(
  'cache, 5 holders\n  the cache of files\n  sh [3] [5–7] 0x1000 text\n' +
  'no holder: the kernel reaches all RAM, this at 0x9000'));
assert.ok(says(held, false, 4).endsWith('cache, 4 holders\n  sh [3] [5–7] 0x1000 text'),
          'the cache has dropped it');
const twenty = [...Array(20).keys()].map(n => ({...held[0], va: '0x' + n}));
assert.ok(says(twenty).endsWith('0x15 text\n  and 4 more: click, and Details list all'));
assert.ok(says(twenty, true).endsWith('\n  sh [3] 0x19 text'));

/* --- address spaces: the same address at the same height; high ones on top --- */
const laid = spaces.layout(forked, {width: 900, height: 600});
assert.equal(laid.columns.length, 2);
const [one, two] = laid.columns;
for (const page of [0, 1, 5, 6, 9, TOP - 1])
  assert.equal(one.scale.y(page), two.scale.y(page));
const ys = [0, 2, 5, 6, 9, TOP - 1, TOP].map(p => one.scale.y(p));
for (let i = 1; i < ys.length; i++)
  assert.ok(ys[i] < ys[i - 1], `${ys}`);
assert.ok(ys[0] <= laid.h, 'within the drawing');
assert.equal(spaces.marks(laid, forked, 20).filter(s => s.c === 'hit').length, 2);
assert.ok(laid.shapes.some(s => JSON.stringify(s).includes('unused')), 'a fold');

/* The axis has room for its addresses: 6.1 pixels a letter, in the kernel's column from the
 * drawing's edge, in the others from the line after the kernel's. */
const sv57 = spaces.layout(state([0, data('private', 20)], [1, data('private', 20)]),
                           {width: 560, height: 600});
assert.ok(sv57.w <= 560, `columns have what is left: ${sv57.w}`);
const edges = [0, sv57.shapes.find(s => s.c === 'rule').x1];
const axes = sv57.shapes.filter(s => /^axis/.test(s.id)).map(g => g.of.filter(s => s.a === 'end'));
assert.deepEqual(axes.map(labels => labels[0].s), [model.toHex(TOP), model.toHex(TOP)]);
axes.forEach((labels, i) => labels.forEach(({x, s}) =>
  assert.ok(x - 6.1 * s.length >= edges[i] + 4, `${s}: ${x}`)));

/* What was there a moment ago leaves columns, scale and legend as they were. */
const code = region(0, 2, 'text', [[0, 2, 'text', pa(10), 0]]);
const twoThere = state([1, [code]],
  [2, [code, region(8, 9, 'heap', [[0, 1, 'cow', pa(30), 0]])]]);
const [, other] = twoThere.spaces, alone = {...twoThere, spaces: [twoThere.spaces[0]]};
const both = spaces.layout(twoThere, {width: 900});
const after = spaces.layout(alone, {width: 900, past: [other], most: 2});
assert.equal(after.columns.length, 1);
assert.equal(after.w, both.w);
assert.equal(after.columns[0].scale.key, both.columns[0].scale.key);
assert.notEqual(spaces.layout(alone, {width: 900}).w, both.w);
assert.notEqual(spaces.looksOf(alone.spaces[0]), spaces.looksOf(other));
const legendWords = past => spaces.legend(alone, {past}).map(item => item.words).join();
assert.ok(legendWords([other]).includes('copy on write'));
assert.ok(!legendWords([]).includes('copy on write'));
const lately = new Lately(1e6, () => {}), there = new Map([['a', 1]]);
assert.deepEqual(lately.heed(there), [], 'what is there is not past');
assert.deepEqual(lately.heed(new Map([['b', 2]])), [1]);
lately.all.get('a').until = 0;
assert.deepEqual(lately.heed(new Map([['b', 2]])), []);

/* --- kernel stacks: three with their guards, the others as one --- */
const stacks = [...Array(7).keys()].flatMap(i => [
  region(64 + 4 * i, 65 + 4 * i, 'guard', [[0, 1, 'absent', null, 64]]),
  {...region(65 + 4 * i, 68 + 4 * i, 'stack', [[0, 3, 'stack', pa(30 + 3 * i), 0]]),
    of: 'p [' + i + ']'}]);
const words = JSON.stringify(spaces.layout(state([0, stacks]),
                                           {width: 900, height: 600}).shapes);
for (const [what, n] of [['4 more stacks', 1], ['stack p [3]', 0], ['stack p [4]', 1],
  ['stack p [6]', 1], ['"s":"guard"', 3], ['kernel stack of p [6]', 1]])
  assert.equal(words.split(what).length - 1, n, what);

/* --- a table: rows stand for every entry once --- */
const table = {level: 0, pa: '0x1000', base: '0x0', entries: [
  [3, '0x21f154d3', 'v', 'leaf', pa(20)], [4, '0x21f158d3', 'v', 'leaf', pa(21)],
  [6, '0x21f154d3', 'v', 'leaf', pa(20)], [511, '0x1', 'v', 'table', pa(9)]]};
const rows = foldEntries(HELLO, table);
assert.equal(rows.reduce((n, r) => n + r.count, 0), 512);
assert.deepEqual(rows.map(r => [r.kind, r.index, r.count]), [['empty', 0, 3],
  ['leaf', 3, 2], ['empty', 5, 1], ['leaf', 6, 1], ['empty', 7, 504], ['table', 511, 1]]);

/* Where a window of 1280 pixels has them, all flags are spelt out: of usual entries in one
 * line, of any in the room that there is, below each other. */
const flagLines = (hello, value) => {
  const level = hello.levels - 1, tables = new Map(Array.from({length: hello.levels},
    (_, i) => [pa(i + 1), {level: level - i, pa: pa(i + 1), base: '0x0', entries: [
      i < level ? [0, '0x1', 'v', 'table', pa(i + 2)] : [511, value, 'v', 'leaf', pa(9)]]}]));
  const {shapes} = layTable(hello, {pid: 1, name: 'p', root: pa(1), tables: 3}, tables,
    {open: new Set(tables.keys()), page: 0, changes: [], width: 740});
  const end = shapes.findIndex(s => s.s === `→ ${pa(9)}`), after = shapes.slice(end + 1);
  const found = after.slice(0, after.findIndex(s => s.k === 'rect'));
  for (const {x, s} of found)
    assert.ok(x + s.length * 5.5 <= 740, `“${s}” at ${x}`);
  assert.equal(found.map(s => s.s).join(' '), flagsWords(hello, value));
  return found.length;
};
const PC = {...HELLO, levels: 2, bits: [10, 10], pte: 4, letters: 'pwutcadlg'};
const FIVE = {...HELLO, levels: 5, bits: [9, 9, 9, 9, 9]};
for (const [hello, value, n] of [[HELLO, '0x21f0d8d7', 1], [HELLO, '0x21f0d8e7', 1],
  [HELLO, '0x21f0d8eb', 1], [FIVE, '0x21f0d8eb', 1], [PC, '0x4001e3', 1], [PC, '0xfec001ff', 2],
  [HELLO, '0x40000000000000ff', 2]])
  assert.equal(flagLines(hello, value), n, flagsWords(hello, value));

/* --- frames: each is under one cell, at any size --- */
for (const [n, size, top] of [[32768, 0, 0], [1 << 20, 0, 0], [1000, 9, 0],
  [32768, 20, 0], [32768, 20, 999]]) {
  const cells = frames.layout(n, 700, 500, {size, top});
  assert.equal(cells.first, size ? Math.floor(top / size) * cells.cols : 0);
  const seen = new Set();
  for (let f = cells.first; f < Math.min(n, cells.first + cells.per * 50);
       f += cells.per) {
    const {x, y} = frames.placeOf(cells, f);
    assert.equal(frames.frameUnder(cells, x + cells.cell / 2, y + cells.tall / 2), f);
    seen.add(`${x},${y}`);
  }
  assert.ok(seen.size > 1);
  if (!size)
    assert.ok(cells.height <= 500 && cells.height > 250 && cells.cols * cells.rows * cells.per >= n, `${n}`);
}

/* However small the canvas is, all are on it. */
for (const [w, h] of [[1, 500], [700, 1], [1, 1], [2, 2]]) {
  const {cols, rows, per, n} = frames.layout(32768, w, h);
  assert.ok(cols >= 1 && cols * rows >= n && n * per >= 32768, `${w} by ${h}: ${cols}, ${rows}`);
}

/* --- a message of frames: runs of [n, class, order, maps] --- */
const runs = [[2, 1, 0, 3], [500, 0, 2, 0], [9, 1, 0, 1]]; /* the last is cut off: 503 frames */
const message = new DataView(new ArrayBuffer(12 + 8 * runs.length));
message.setUint32(8, 503, true);
runs.forEach(([n, cls, order, maps], i) => {
  message.setUint32(12 + 8 * i, n, true);
  message.setUint8(16 + 8 * i, cls);
  message.setUint8(17 + 8 * i, order);
  message.setUint16(18 + 8 * i, maps, true);
});
const parsed = model.parseFrames(message.buffer);
const expanded = k => runs.flatMap(run => Array(run[0]).fill(run[k])).slice(0, 503);
assert.deepEqual([parsed.cls, parsed.order, parsed.maps].map(list => [...list]),
                 [1, 2, 3].map(expanded));
assert.deepEqual(frames.classesThere({classes: ['free', 'private', 'cow']}, parsed),
                 [['free', 500], ['private', 3]]);

/* --- a file of them has every mark, and each size of free blocks its shade --- */
const three = {n: 8, cls: Uint8Array.of(0, 0, 0, 0, 1, 1, 1, 1), order: [2, 2, 0, 0, 0, 0, 0, 0],
  maps: []};
const cells8 = frames.layout(8, 80, 20, {size: 20}), classes = ['free', 'private'];
const drawn = options => frames.shapesOf(cells8, three, classes, options)
  .map(s => [s.c, s.x / 20, s.y / 20, s.w / 20]);
const plain = [['free-2', 0, 0, 2], ['free-0', 2, 0, 2], ['c-private', 0, 1, 4]];
assert.deepEqual(drawn(), plain);
assert.deepEqual(drawn({changed: [0, 0, 0, 0, 0, 1, 0, 0], marked: [2]}), [...plain,
  ['changed', 1, 1, 0.95], ['hit', 2, 0, 0.95]]);
assert.deepEqual(drawn({lit: 'private'}).map(s => s[0]),
                 ['free-2 unlit', 'free-0 unlit', 'c-private']);
const textured = frames.shapesOf(cells8, three, ['free', 'table'], {}).slice(-1)[0];
assert.deepEqual([textured.d, textured.fill], ['M0 20h80v20h-80z', 'url(#p-grid)']);
const explained = withLegend({w: 90, h: 40, shapes: []}, ['one', 'two'].map(
  words => ({words, sign: () => []})));
assert.deepEqual(explained.shapes.filter(s => s.k === 'text').map(s => s.s), ['one', 'two']);
for (const dark of [false, true])
  assert.equal(new Set([0, 3, 10].map(i => palette.freeShade(i, dark).join())).size, 3);

/* --- two processes by one name can be told, however long their pids are --- */
const long = {name: 'tour_super', pid: 3754};
assert.equal(model.fitTitle(long, 112, 'big'), 'tour_s… [3754]');
assert.equal(model.fitTitle({name: 'kernel', pid: 0}, 112, 'big'), 'kernel');

/* --- a page of the kernel: no process has it, and nothing says that one has --- */
const own = state([0, [region(64, 65, 'stack', [[0, 1, 'stack', pa(30), 0]])]]);
const shown = share.layout(HELLO, own, share.related(own, {pid: 0, page: 64}), new Map());
assert.ok(JSON.stringify(shown.shapes).includes('no process has it'));
assert.ok(/^A page of the kernel/.test(shown.words), shown.words);

/* --- an address that no table translates has no indexes, and the reason once --- */
const nowhere = JSON.stringify(walk.layout(HELLO, {va: '0x123456789abcdef', steps: [],
  result: null, reason: 'no table translates such an address', what: ''},
{title: 'p [1]', step: Infinity}).shapes);
assert.equal(nowhere.split('no table translates').length - 1, 1, nowhere);
assert.ok(!nowhere.includes('index '), nowhere);

/* --- however many levels there are, an address is as wide as the window has room for --- */
for (const hello of [HELLO, FIVE, {...FIVE, levels: 4, bits: [9, 9, 9, 9]}, PC]) {
  const to = {va: '0x1234567000', result: null, reason: '', what: '',
    steps: [{...entry(hello.levels - 1, '0x0'), kind: 'none'}]};
  const {shapes, w} = walk.layout(hello, to, {title: 'p [1]', step: 0});
  const boxes = shapes.filter(s => s.k === 'rect' && s.h === 26);
  const digits = shapes.filter(s => /^[01]{9,}$/.test(s.s));
  assert.equal(digits.length, hello.levels + 1);
  for (const [i, {x, w: wide}] of boxes.entries())
    assert.ok(x + wide < (i + 1 < boxes.length ? boxes[i + 1].x : Math.min(w, 740)));
  digits.forEach(({s}, i) => assert.ok(
    s.length * 6.7 <= boxes.slice(-digits.length)[i].w, `${hello.levels} levels: ${s}`));
}

/* --- what happens: charts stay where they are for five seconds, with each bar in them --- */
const samples = [], WIDE = 746, CHARTED = 20;
const NONE = Object.fromEntries(['faults_zero', 'faults_copy', 'faults_reuse', 'faults_file',
  'faults_super', 'faults_refused', 'execs', 'shootdowns'].map(name => [name, 0]));
const happens = {...forked, counters: NONE, events: [
  {ns: 1e9, cpu: 1, pid: 1, kind: 'fault_zero', a: '0x5000', b: '0x6000'},
  {ns: 2e9, cpu: 0, pid: 9, kind: 'exit', a: '0xffffffff', b: '0x0'}]};
const numbered = (seq, before = []) => ({...happens, seq, counters: {...NONE, forks: seq},
  samples: before.map(forks => ({free: 900, counters: {...NONE, forks}}))});
const at = n => {
  events.sample(samples, numbered(n));
  return events.layout(happens, samples, {width: WIDE, from: 0, to: 1000,
    nameOf: pid => pid === 9 && 'two\nlines [9]'});
};
const forks = shapes => shapes.filter(s => s.k === 'g' && s.id.startsWith('bars'))[1];
const said = shapes => shapes.filter(s => s.tipAt)[1];
for (let n = 0; n < 300; n++) {
  const now = at(n), bars = forks(now.shapes), {x, w, tipAt} = said(now.shapes);
  const drawn = bars.of.filter(s => s.c).map(s => s.d).join(''); /* without patterns */
  const shown = drawn.split('M').length - 1;
  assert.equal(shown, Math.min(n, 220 + n % CHARTED + 1), `bars of sample ${n}`);
  if (n % CHARTED)
    assert.equal(bars.transform, forks(at.before).transform, 'the chart stays');
  const told = [...Array(Math.floor(w)).keys()].filter(i => tipAt(x + i + 0.5)).length;
  assert.ok(Math.abs(told - shown * w / 240) <= 3, `${told} pixels say what ${shown} bars are`);
  at.before = now.shapes;
}

/* --- a page that comes later, or has missed states, has the same charts; one that the
 * server cannot tell what it missed begins anew --- */
const drawnOf = all => JSON.stringify(events.layout(happens, all,
  {width: WIDE, from: 0, to: 1000}).shapes);
const upTo = (from, to) => Array.from({length: to - from}, (_, i) => from + i);
const late = [], slow = [];
events.sample(late, numbered(299, upTo(59, 299)));
for (let n = 3; n < 300; n += 4)
  events.sample(slow, numbered(n, upTo(n - 3, n)));
events.sample(slow, numbered(299, upTo(59, 299))); /* connected again: all come again */
for (const all of [late, slow])
  assert.equal(drawnOf(all), drawnOf(samples));
events.sample(late, numbered(310, [308, 309]));
assert.deepEqual(late.map(s => s.n), [308, 309, 310]);

/* --- a file may be from before something was counted, or damaged --- */
for (const strange of [{free: 900, counters: {forks: 1}}, {free: -(2 ** 63), counters: {}},
  {free: 2 ** 63, counters: {...NONE, forks: -(2 ** 63), execs: 2 ** 63}}]) {
  const older = [];
  events.sample(older, {...numbered(3), samples: [strange, strange]});
  assert.equal(older.length, 3);
  const {shapes, w, h} = events.layout(happens, older,
    {width: WIDE, from: 0, to: 1000, whole: true});
  assert.ok(!/NaN|undefined|Infinity/.test(svgText(happens, shapes, w, h, 'old')));
}

/* --- its list: a column says a line for each event; a file has them as texts --- */
const happened = at(300), list = happened.shapes.find(s => s.k === 'lines');
for (const {of} of list.columns)
  assert.equal(of.length, 2);
assert.deepEqual(list.columns.map(c => c.of[0]).slice(0, 3),
                 ['2.000000', 'CPU 0', 'two\nlines [9]']);
const listed = svgText(happens, happened.shapes, happened.w, happened.h, 'what happens');
for (const word of ['exit', 'status -1', 'fault: a page of zeros came', 'page 0x5000'])
  assert.ok(listed.includes(`>${word}</text>`), word);
assert.ok(!/NaN|undefined|<lines/.test(listed));

/* --- an event has the name that its process had then, if that is known; and a program that
 * is no more has no pages to show --- */
const called = new Ended(), fault = ns => ({ns, cpu: 0, pid: 1, kind: 'fault_zero', a: '0x5000',
  b: '0x6000'}), exec = (ns, root) => ({...fault(ns), kind: 'exec', b: pa(root)});
const listedAs = (name, root, ...all) => {
  const now = {...happens, events: all,
    spaces: name ? [{...forked.spaces[0], name, root: pa(root)}] : []};
  called.note(now);
  return events.layout(now, samples, {width: WIDE, from: 0, to: 1000,
    nameOf: (pid, x) => called.nameBefore(now, pid, x)}).rows.map(
    r => [/CPU 0, (.*?):/.exec(r.says)[1], Boolean(r.at)]).reverse();
};
const early = [fault(1), exec(2, 2), fault(3)];
assert.deepEqual(listedAs('a', 2, ...early), [['[1]', false], ['a [1]', false], ['a [1]', true]]);
const then = [...early, exec(4, 3), fault(5)];
assert.deepEqual(listedAs('b', 3, ...then), [['[1]', false], ['a [1]', false], ['a [1]', false],
  ['b [1]', false], ['b [1]', true]]);
listedAs('c', 4, ...then); /* is told of before its exec is */
assert.deepEqual(listedAs('c', 4, ...then, exec(6, 4), exec(7, 4)).map(([name]) => name),
                 ['[1]', 'a [1]', 'a [1]', '[1]', '[1]', '[1]', 'c [1]']);
assert.deepEqual(listedAs('', 0, fault(6), exec(7, 4), fault(8), exec(9, 5), fault(10)).map(
  ([name]) => name), ['[1]', 'c [1]', 'c [1]', '[1]', '[1]'], 'nobody saw the last');

/* A child that nobody saw has its parent's name up to its first exec. */
const of = (pid, e) => ({...e, pid}), fork = (ns, child) => ({...fault(ns), kind: 'fork',
  a: '0x' + child.toString(16)});
const names = list => list.map(([name]) => name);
assert.deepEqual(names(listedAs('d', 6, exec(20, 6), fork(21, 16), of(16, fault(22)),
  of(16, exec(23, 9)), of(16, fault(24)), of(16, exec(25, 10)))),
['d [1]', 'd [1]', 'd [16]', '[16]', '[16]', '[16]']);
assert.deepEqual(names(listedAs('d', 6, fork(30, 17), of(17, fault(31)))), ['d [1]', 'd [17]']);
assert.deepEqual(names(listedAs('e', 7, fork(32, 18), of(18, fault(33)), exec(34, 7))),
                 ['d [1]', '[18]', 'e [1]'], 'a parent that is another program since');
const family = {...happens, events: [fork(40, 19), of(9, fork(41, 20))]};
assert.deepEqual([19, 20, 21].map(pid => called.parentOf(family, pid)),
                 ['e [1]', 'process 9', undefined]);

/* --- whom the machine stands still for is named, if that is known --- */
const element = {classList: {toggle: () => {}}};
const notice = new Notice(element, pid => called.nameOf(pid));
for (const [more, said] of [[{paused: true, why: 'process 1: exec has replaced the image'},
  'Paused: e [1]: exec has replaced the image'],
[{paused: true, why: 'process 99 has ended'}, 'Paused: process 99 has ended'],
[{paused: true, why: ''}, 'Paused: nothing moves until you continue'],
[{waiting: {at: 'exec', pid: 1}}, 'waiting: exec of e [1] will stop the machine'],
[{waiting: {at: 'exec', pid: 0}}, 'waiting: exec of any process will stop the machine']])
{
  notice.update({...happens, ...more});
  assert.equal(element.textContent, said);
}

/* --- letters can be read on every class, in both themes (WCAG 2.2, 1.4.3) --- */
const light = hex => [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16) / 255)
  .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
for (const name of palette.CLASS_NAMES.filter(n => palette.classLetter(n)))
  for (const dark of [false, true]) {
    const ratio = (light(palette.classColour(name, dark)) + 0.05) / (light('#14181d') + 0.05);
    assert.ok(ratio >= 4.5, `${name}, ${dark ? 'dark' : 'light'}: ${ratio}`);
  }

/* --- a file of it is whole --- */
const svg = svgText(forked, laid.shapes, laid.w, laid.h, 'a < b & "c"');
assert.ok(svg.includes('a &lt; b &amp; &quot;c&quot;') && svg.endsWith('</svg>\n'));
assert.ok(!/NaN|undefined/.test(svg), 'numbers everywhere');
for (const tag of ['g', 'text', 'rect', 'title'])
  assert.equal(svg.split(`<${tag}`).length - 1,
    svg.split(`</${tag}>`).length - 1 + (svg.match(new RegExp(`<${tag}[^>]*/>`, 'g')) ||
    []).length, tag);
console.log('all is right');
