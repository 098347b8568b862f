/*
 * The tree of page-table pages of one address space, entry by entry:
 *
 *    level 2, 0x80148000   [||  |                |]    <- which entries are there
 *      [0]        0x20052401   valid           -> table 0x80149000
 *        level 1, 0x80149000 ...
 *      1–510      empty
 *
 * Empty entries that follow each other are one row, and so are leaves that do and
 * lead to frames that follow each other with the same flags.
 */
import {lettersIn, path, rect, text, wrapped} from './shapes.js';
import {bytes, plural, title, toHex, toPage} from './model.js';
import {flagsWords, indexBits} from './entry.js';

const ROW = 19, LINE = 12, MARGIN = 12, TOP = 66;
const INDENT = 18, INDENTS = 54; /* of a level, of all */
const VALUE = 76, LEADS = 182; /* width of an entry's index, and of where it leads */
const GAP = 10, AFTER = 24;    /* right of columns, and of the last */
const MONO = 6.7, SHORTEST = 10; /* width of a letter; letters of a value, at least */

const entriesOf = (hello, level) => 1 << hello.bits[hello.levels - 1 - level];

/* Bytes of address that an entry of this level stands for. */
function reach(hello, level) {
  const bits = hello.bits.slice(hello.levels - level).reduce((a, b) => a + b, 12);
  return 2n ** BigInt(bits);
}

/* Leaves that say the same of pages that follow each other. */
function follows(hello, level, last, entry) {
  const step = reach(hello, level);
  const [index, value, flags, kind, pa] = entry;
  return last.kind === 'leaf' && kind === 'leaf' && last.flags === flags &&
    last.index + last.count === index && BigInt(value) >= 0n &&
    BigInt(last.pa) + BigInt(last.count) * step === BigInt(pa);
}

/* Rows of a table: {index, count, kind, value, flags, pa}; kind "empty" too. */
export function foldEntries(hello, table) {
  const rows = [];
  let next = 0;

  const empty = until => {
    if (until > next)
      rows.push({index: next, count: until - next, kind: 'empty'});
  };
  for (const entry of table.entries) {
    const [index, value, flags, kind, pa] = entry, last = rows[rows.length - 1];
    empty(index);
    next = index + 1;
    if (last && follows(hello, table.level, last, entry))
      last.count++;
    else
      rows.push({index, count: 1, kind, value, flags, pa});
  }
  empty(entriesOf(hello, table.level));
  return rows;
}

const span = row => row.count === 1 ? String(row.index)
  : `${row.index}–${row.index + row.count - 1}`;

/* Which entries are there, as a strip. */
function strip(x, y, hello, table) {
  const n = entriesOf(hello, table.level), w = 200;
  const d = table.entries.map(([index]) => `M${(x + index * w / n).toFixed(1)} ${y}v9`);
  return [rect(x, y, w, 9, 'frame'), path(d.join(''), 'strip')];
}

/* Does an entry of a level, or `count` that follow each other, stand for a page that has
 * changed? page: any of the first one's. */
export function touched(changes, hello, level, page, count = 1) {
  const step = Number(reach(hello, level) >> 12n);
  const from = page - page % step, to = from + count * step;
  return changes.some(c => c.page < to && from < c.page + c.pages);
}

/*
 * tables: map of a table's address to the answer to "table". options: open: set of
 * addresses of tables that are unfolded; page: the one that is picked; changes:
 * pages that are not as remembered; width; ended: the process has. Returns {w, h,
 * shapes, wanted}: `wanted` are unfolded tables that have not been read yet.
 */
export function layout(hello, space, tables, options) {
  const shapes = [], wanted = [], rows = [];
  /* Columns, from an entry's left: as wide as entries need. */
  const longest = [...tables.values()].flatMap(t => t.entries).reduce(
    (n, [, value]) => Math.max(n, value.length), SHORTEST);
  const flags = VALUE + longest * MONO + GAP;
  const leads = flags + hello.letters.length * MONO + GAP, words = leads + LEADS;
  const indent = Math.min(INDENT, INDENTS / hello.levels); /* words stay where they fit */
  let y = TOP;

  const tableRows = (pa, depth) => {
    const table = tables.get(pa), x = MARGIN + depth * indent;
    if (!table) {
      wanted.push(pa);
      return;
    }
    shapes.push(text(x, y + 14, `level ${table.level} table at ${pa}`, 'bold'),
      text(x + 200, y + 14, `from ${table.base}; ${
        plural(table.entries.length, 'entry', 'entries')} of ${
        entriesOf(hello, table.level)}`, 'soft'),
      ...strip(options.width - 224, y + 5, hello, table));
    y += ROW + 2;
    for (const row of foldEntries(hello, table))
      entryRow(table, row, depth + 1);
  };
  const entryRow = (table, row, depth) => {
    const x = MARGIN + depth * indent, step = reach(hello, table.level);
    const base = BigInt(table.base) + BigInt(row.index) * step;
    const page = Number(base >> 12n), pages = row.count * Number(step >> 12n);
    const open = row.kind === 'table' && options.open.has(row.pa);
    const there = row.kind !== 'empty';
    const picked = there && options.page >= page && options.page < page + pages;
    const flagLines = there ? wrapped(flagsWords(hello, row.value),
      lettersIn(options.width - x - words - AFTER, 'small')) : [''];
    const h = ROW + (flagLines.length - 1) * LINE;

    if (picked)
      shapes.push(rect(x - 20, y, options.width - x + 8, h, 'wash'));
    if (there && touched(options.changes, hello, table.level, page, row.count))
      shapes.push(rect(x - 19, y + 1, options.width - x + 6, h - 2, 'changed'),
                  text(options.width - MARGIN - 4, y + 14, '≠', 'bold change', {a: 'end'}));
    if (row.kind === 'table')
      shapes.push(text(x - 14, y + 14, open ? '▾' : '▸', 'accent'));
    shapes.push(text(x, y + 14, `[${span(row)}]`, 'mono' + (there ? '' : ' soft')));
    if (!there) {
      shapes.push(text(x + VALUE, y + 14, plural(row.count, 'empty entry', 'empty entries'),
                       'soft'));
    } else {
      const leadsTo = row.kind === 'table' ? `→ table ${row.pa}`
        : row.kind === 'leaf' ? `→ ${row.pa}` + (row.count > 1
          ? ` and ${row.count - 1} more` : '') : 'leads nowhere';
      shapes.push(text(x + VALUE, y + 14, row.value, 'mono'),
        text(x + flags, y + 14, row.flags, 'mono bold'),
        text(x + leads, y + 14, leadsTo, 'mono accent'),
        ...flagLines.map((l, i) => text(x + words, y + 14 + i * LINE, l, 'small soft')),
        rect(x - 20, y, options.width - x, h, 'touch', {
          at: {pid: space.pid, page, table: row.kind === 'table' ? row.pa : undefined,
               frame: row.kind === 'leaf' ? toPage(row.pa) : undefined},
          tip: `entry ${span(row)} of the level ${table.level} table at ${table.pa}\n` +
            `for ${toHex(page)} and ${bytes(pages * 4096)} from there\n` +
            flagsWords(hello, row.value)}));
      rows.push({y, h, pid: space.pid, page, pages, table: row.kind === 'table' ? row.pa : undefined});
    }
    y += h;
    if (open)
      tableRows(row.pa, depth);
  };

  tableRows(space.root, 0);
  const flat = 2 ** indexBits(hello) * hello.pte, own = space.tables * 4096;
  const says = `Page table of ${title(space)}` + (!options.ended ? ''
    : `, which has ended: ${tables.has(space.root) ? 'as last read' : 'never read'}`);
  const heading = [text(MARGIN, 24, says, options.ended ? 'title bad' : 'title'),
    text(MARGIN, 42, `${plural(space.tables, 'table page')}, ${bytes(own)}. A flat ` +
      `table with an entry for each page would take ${bytes(flat)}, ${
        Math.round(flat / own).toLocaleString('en')} times as much.`),
    text(MARGIN, 58, `${hello.mode}: ${hello.levels} levels, ${
      1 << hello.bits[0]} entries of ${hello.pte} bytes in each table page`, 'soft')];
  return {w: options.width, h: y + MARGIN, shapes: [...heading, ...shapes], wanted, rows};
}

/* Tables on the way to a page, as far as they have been read. */
export function wayTo(hello, space, tables, page) {
  const way = [];
  let pa = space.root;

  while (pa && tables.has(pa)) {
    const table = tables.get(pa);
    const step = Number(reach(hello, table.level) >> 12n);
    const index = Math.floor((page - toPage(table.base)) / step);
    const entry = table.entries.find(e => e[0] === index);
    pa = entry && entry[3] === 'table' ? entry[4] : null;
    if (pa)
      way.push(pa);
  }
  return way;
}
