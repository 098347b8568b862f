/* The parts of the page that need no browser. */
import assert from 'node:assert/strict';
import {split, flagsWords, pageNumber} from '../../tools/explore/page/entry.js';
import * as frames from '../../tools/explore/page/frames.js';
import * as model from '../../tools/explore/page/model.js';
import * as spaces from '../../tools/explore/page/spaces.js';
import {svgText} from '../../tools/explore/page/shapes.js';
import {foldEntries} from '../../tools/explore/page/table.js';

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
      root: pa(1), tables: 3, consistent: true, regions, faults: {total: 1, zero: 1, copy: 0, file: 0, super: 0}}))}, null);
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

/* --- a state that says the same is the same object --- */
const again = model.parseState({...JSON.parse(JSON.stringify({...before, spaces: []})),
  ram: {start: '0x0', frames: 1}, spaces: []}, before);
assert.equal(again.spaces.length, 0);

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

/* --- a table: rows stand for every entry once --- */
const table = {level: 0, pa: '0x1000', base: '0x0', entries: [
  [3, '0x21f154d3', 'v', 'leaf', pa(20)], [4, '0x21f158d3', 'v', 'leaf', pa(21)],
  [6, '0x21f154d3', 'v', 'leaf', pa(20)], [511, '0x1', 'v', 'table', pa(9)]]};
const rows = foldEntries(HELLO, table);
assert.equal(rows.reduce((n, r) => n + r.count, 0), 512);
assert.deepEqual(rows.map(r => [r.kind, r.index, r.count]), [['empty', 0, 3],
  ['leaf', 3, 2], ['empty', 5, 1], ['leaf', 6, 1], ['empty', 7, 504], ['table', 511, 1]]);

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

/* --- a file of it is whole --- */
const svg = svgText(laid.shapes, laid.w, laid.h, 'a < b & "c"');
assert.ok(svg.includes('a &lt; b &amp; &quot;c&quot;') && svg.endsWith('</svg>\n'));
assert.ok(!/NaN|undefined/.test(svg), 'numbers everywhere');
for (const tag of ['g', 'text', 'rect', 'title'])
  assert.equal(svg.split(`<${tag}`).length - 1,
    svg.split(`</${tag}>`).length - 1 + (svg.match(new RegExp(`<${tag}[^>]*/>`, 'g')) ||
    []).length, tag);
console.log('all is right');
