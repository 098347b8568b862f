/*
 * The walk: an address is split into the index of each level and the offset; each
 * level's entry leads to the next table, until there is a physical address or a
 * reason why not. `step` says how far it has gone: 0 is the address alone, 1 the
 * first entry, and so on; the last is the result.
 */
import {arrowHead, fit, lettersIn, line, path, rect, text} from './shapes.js';
import {flagList, hex, hexWide, indexBits, leadsWords, pageNumber, split} from './entry.js';
import {toPage} from './model.js';
import {touched} from './table.js';

const MARGIN = 34;
const BIT = 12;          /* width of a bit, at most */
const UNUSED = 60, APART = 4, PAD = 8; /* of fields: above the indexes, between, in each */
const CARD = 112;        /* height of a level's card */
const SPACE = 26;        /* between cards */
const WIDTH = 740, RIGHT = 8;
const NOT_SAME = 'not as remembered';

/* How many steps there are, the address itself not counted. */
export const lastStep = answer => answer.steps.length + 1;

const fieldName = f => f.level < 0 ? 'offset' : `level ${f.level}`;

function bitFields(hello, va, reached, leaf) {
  const shapes = [], centres = [];
  const all = split(hello, va, leaf);
  const above = hello.pte * 8 - 12 - indexBits(hello);
  const room = WIDTH - RIGHT - MARGIN - (above > 0 ? UNUSED + APART : 0) + APART -
    all.length * (PAD + APART);
  const bit = Math.min(BIT, room / all.reduce((n, f) => n + f.bits, 0));
  let x = MARGIN;

  const box = (width, c, name, digits, below, seen) => {
    shapes.push(rect(x, 74, width, 26, c + (seen ? '' : ' dim'), {r: 3}),
      text(x + width / 2, 66, name, 'small soft', {a: 'middle'}),
      text(x + width / 2, 91, digits, 'mono', {a: 'middle'}),
      text(x + width / 2, 115, below, seen ? 'bold' : 'soft', {a: 'middle'}));
    x += width + APART;
  };
  if (above > 0) {
    const low = 12 + indexBits(hello);
    const ones = BigInt(va) >> BigInt(low) & 1n;
    box(UNUSED, 'frame', `bits 63–${low}`, ones ? '1…1' : '0…0', 'not used', false);
  }
  for (const [i, f] of all.entries()) {
    const width = f.bits * bit + PAD, seen = reached > i;
    const range = `${f.low + f.bits - 1}–${f.low}`, name = `${fieldName(f)}: bits ${range}`;
    centres.push(x + width / 2);
    box(width, seen ? 'okay' : 'panel',
        name.length <= lettersIn(width, 'small') ? name : `${fieldName(f)}: ${range}`,
        f.value.toString(2).padStart(f.bits, '0'),
        f.level < 0 ? hex(f.value) : `index ${f.value}`, seen);
  }
  return {shapes, centres};
}

/* The table as a tall box: the entry, and that there are others. */
function tableBox(x, y, hello, s, level) {
  const entries = 1 << hello.bits[hello.levels - 1 - level];
  const rows = [[s.index > 1 ? '⋮' : s.index === 1 ? '0' : ' ', 0],
    [String(s.index), 1], [s.index + 1 < entries ? '⋮' : ' ', 0]];
  const shapes = [rect(x, y + 24, 150, CARD - 38, 'panel', {r: 3})];
  rows.forEach(([label, on], i) => {
    const top = y + 26 + i * 23.5;
    if (on)
      shapes.push(rect(x + 2, top, 146, 23, 'picked', {r: 2}));
    shapes.push(text(x + 34, top + 16, label, 'mono soft', {a: 'end'}),
      text(x + 44, top + 16, on ? fit(s.value, 100, 'mono') : '', 'mono bold'));
  });
  return shapes;
}

function flagBoxes(x, y, hello, value) {
  return flagList(hello, value).reverse().flatMap((f, i) => {
    const at = x + i * 46;
    return [rect(at, y, 44, 30, f.on ? 'okay' : 'frame', {r: 3, tip:
        `${f.letter}: ${f.words}: ${f.on ? 'yes' : 'no'}`}),
      text(at + 22, y + 13, f.on ? f.letter.toUpperCase() : '–',
           f.on ? 'mono bold' : 'mono soft', {a: 'middle', still: true}),
      text(at + 22, y + 25, fit(f.short, 52), f.on ? 'tiny' : 'tiny soft',
           {a: 'middle', still: true})];
  });
}

/*
 * What is marked of each step: "" or words. then: what is known of the moment that is
 * remembered: was, the answer of that moment; or, if this walk was not asked for then, newer:
 * the process was not there, and changes: its pages that are not as they were.
 */
export function differs(hello, answer, {was, newer, changes = []}) {
  return answer.steps.map((s, n) => {
    if (was ? !was.steps[n] || was.steps[n].value !== s.value : newer)
      return NOT_SAME;
    if (was || !touched(changes, hello, s.level, toPage(answer.va)))
      return '';
    return s.kind === 'table' ? 'pages below differ' : NOT_SAME;
  });
}

function card(y, hello, s, n, marked) {
  const table = BigInt(s.entry_pa) - BigInt(s.index * hello.pte);
  const x = MARGIN + 176, shapes = [];
  const from = n === 0 ? `${hello.root} says where the root is` :
    'the entry above says where it is';

  shapes.push(text(MARGIN, y + 14, `level ${s.level}: table at ${hex(table)}`, 'bold'),
    text(MARGIN + 232, y + 14, from, 'soft'),
    ...tableBox(MARGIN, y, hello, s, s.level),
    text(x, y + 36, `entry at ${hex(table)} + ${s.index} × ${hello.pte} = ${s.entry_pa}`,
         'mono'),
    text(x, y + 54, hexWide(hello, s.value), 'mono bold'),
    text(x + 134, y + 54, s.kind === 'none' ? '' :
      `page number ${hex(pageNumber(hello, s.value))}`, 'mono accent'),
    ...flagBoxes(x, y + 62, hello, s.value));
  shapes.push(text(WIDTH - 16, y + 54, leadsWords(s),
                   s.kind === 'none' ? 'bold bad' : 'bold', {a: 'end'}));
  if (marked)
    shapes.push(rect(MARGIN - 2, y - 3, WIDTH - MARGIN - 6, CARD + 2, 'changed', {r: 5}),
                text(WIDTH - 16, y + 14, `≠ ${marked}`, 'bold change',
                     {a: 'end'}));
  return shapes;
}

/* What is said at the end. */
function ending(y, hello, va, answer) {
  const ok = answer.result !== null;
  const last = answer.steps[answer.steps.length - 1];
  const shapes = [rect(MARGIN, y, WIDTH - MARGIN - RIGHT, 58, ok && !answer.reason
    ? 'okay' : 'wrong', {r: 5})];

  if (ok) {
    const pa = BigInt(answer.result), low = 12 + hello.bits.slice(
      hello.levels - last.level).reduce((a, b) => a + b, 0);
    const offset = BigInt(va) & ((1n << BigInt(low)) - 1n);
    shapes.push(text(MARGIN + 12, y + 24, `physical address ${hex(pa - offset)} + ${
      hex(offset)} = ${hex(pa)}`, 'mono bold big', {at: {frame: Number(pa >> 12n)}}));
    if (last.level > 0)
      shapes.push(text(WIDTH - 20, y + 24, `offset of ${low} bits`, 'soft',
                       {a: 'end'}));
  } else {
    shapes.push(text(MARGIN + 12, y + 24, 'page fault', 'bold big bad'));
  }
  const reason = answer.reason
    ? (ok ? 'but not for user mode: ' : '') + answer.reason
    : 'a read in user mode is allowed';
  shapes.push(text(MARGIN + 12, y + 45, `${reason}; what is there: ${
    answer.what || 'no region'}`, answer.reason ? 'bad' : 'good'));
  return shapes;
}

/*
 * answer: of the request "walk". options: title of the space, step, and what differs()
 * needs.
 * Returns {w, h, shapes}.
 */
export function layout(hello, answer, options) {
  const va = answer.va, step = Math.min(options.step, lastStep(answer));
  const found = answer.result !== null;
  const end = answer.steps[answer.steps.length - 1];
  const bits = answer.steps.length === 0 ? {shapes: [], centres: []}
    : bitFields(hello, va, step < lastStep(answer) || found
    ? step === lastStep(answer) ? Infinity : step : answer.steps.length,
    end && end.kind === 'leaf' && step >= answer.steps.length ? end.level : 0);
  const shapes = [text(MARGIN, 28, `${va} in ${options.title}`, 'title mono'),
    text(MARGIN, 46, `${hello.mode}: ${hello.bits.join(' + ')} bits of index, 12 of ` +
      `offset; an entry takes ${hello.pte} bytes`, 'soft'), ...bits.shapes];
  const marked = differs(hello, answer, options);
  let y = answer.steps.length === 0 ? 66 : 148;

  answer.steps.slice(0, step).forEach((s, n) => {
    const centre = bits.centres[n];
    if (n === step - 1)
      shapes.push(rect(MARGIN - 2, y - 3, WIDTH - MARGIN - 6, CARD + 2, 'wash', {r: 6}));
    const lane = 6 + n * 5, row = y + 61; /* the index chooses the entry */
    shapes.push(path(`M${centre} 120V${126 + n * 3}H${lane}V${row}H${MARGIN - 6}`,
                     'wire' + (n === step - 1 ? ' here' : '')),
                arrowHead(MARGIN + 1, row));
    shapes.push(...card(y, hello, s, n, marked[n]));
    y += CARD;
    if (s.kind === 'table' || n + 1 < step)
      shapes.push(line(MARGIN + 75, y - 14, MARGIN + 75, y + SPACE - 12, 'wire'),
                  arrowHead(MARGIN + 75, y + SPACE - 6, true));
    y += SPACE;
  });
  if (step === lastStep(answer)) {
    shapes.push(...ending(y, hello, va, answer));
    y += 70;
  }
  return {w: WIDTH, h: y + MARGIN, shapes};
}
