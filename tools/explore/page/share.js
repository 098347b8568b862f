/*
 * Who has which frame: on the left the page of each process, on the right the
 * frames, between them the entry that leads there. This is the picture of
 * copy-on-write: after fork two entries lead to one frame and neither may write;
 * after a write there are two frames.
 */
import {arrowHead, fit, group, path, rect, swatch, text} from './shapes.js';
import {GUARD, KERNEL, find, fitTitle, frameAt, holders, plural, spaceOf, toHex} from './model.js';
import {flagList} from './entry.js';

const ROW = 74, BOX = 50, LEFT = 132, RIGHT = 138, MARGIN = 6;
const MOST = 6; /* rows */

/* The pages to show for one that is picked: of all that map its frame, and the
 * same page of relatives, which run the same program: [{pid, page}]. */
export function related(state, pick) {
  const space = spaceOf(state, pick.pid), rows = [];
  const add = (pid, page) => {
    if (!rows.some(r => r.pid === pid && r.page === page))
      rows.push({pid, page});
  };

  if (!space)
    return rows;
  add(pick.pid, pick.page);
  const frame = frameAt(space, pick.page);
  for (const s of state.spaces)
    if (s.name === space.name && s.pid !== 0 && find(s, pick.page).region)
      add(s.pid, pick.page);
  if (frame >= 0)
    for (const h of holders(state, frame))
      add(h.space.pid, h.page);
  return rows.sort((a, b) => a.pid - b.pid || a.page - b.page).slice(0, MOST);
}

const isGuard = run => Boolean(run && run.flags & GUARD);
const runOf = (state, row) => find(spaceOf(state, row.pid), row.page).run;

/* Of an entry: may it be written by this process? */
function rightsText(hello, walk) {
  const last = walk && walk.steps[walk.steps.length - 1];
  if (!last || last.kind !== 'leaf')
    return {s: last ? 'no entry' : '', c: 'soft'};
  const flags = flagList(hello, last.value);
  const w = flags.find(f => f.letter === 'w').on;
  return {s: last.flags, c: 'bold', w};
}

/*
 * rows: as related() says. walks: map of "pid:page" to the answer to "walk".
 * options: width, diff. Returns {w, h, shapes}.
 */
export function layout(hello, state, rows, walks, options = {}) {
  const width = Math.max(360, options.width || 420), shapes = [], frames = [];
  const rightX = width - RIGHT - MARGIN;

  for (const row of rows) {
    const space = spaceOf(state, row.pid);
    const frame = space ? frameAt(space, row.page) : -1;
    row.frame = frame;
    if (frame >= 0 && !frames.includes(frame))
      frames.push(frame);
  }
  const height = Math.max(rows.length, frames.length, 1) * ROW;
  const frameY = f => height / frames.length * (frames.indexOf(f) + 0.5);
  rows.forEach((row, i) => {
    const space = spaceOf(state, row.pid);
    const {region, run} = space ? find(space, row.page) : {};
    const y = ROW * (i + 0.5), x = MARGIN;
    const change = options.diff && options.diff.spaces.get(row.pid);
    const changed = change && change.changes.some(
      c => c.page <= row.page && row.page < c.page + c.pages);
    shapes.push(rect(x, y - BOX / 2, LEFT, BOX, 'panel', {r: 5,
        at: {pid: row.pid, page: row.page}}),
      text(x + 10, y - 5, space ? fitTitle(space, LEFT - 16) : `[${row.pid}]`, 'bold',
           {still: true}),
      text(x + 10, y + 12, fit(`${toHex(row.page)} ${region ? region.what : 'not there'}`,
        LEFT - 12, 'mono'), 'mono small', {still: true}));
    if (changed)
      shapes.push(rect(x - 2, y - BOX / 2 - 2, LEFT + 4, BOX + 4, 'changed',
                       {r: 6, still: true}));
    const says = rightsText(hello, walks.get(row.pid + ':' + row.page));
    const from = x + LEFT, middle = (from + rightX) / 2;
    if (row.frame >= 0) {
      const to = frameY(row.frame);
      shapes.push(path(`M${from} ${y}C${middle + 24} ${y} ${middle} ${to} ${
        rightX - 8} ${to}`, 'wire' + (changed ? ' change' : '')),
        arrowHead(rightX, to));
    }
    shapes.push(text(from + 8, y - 8, says.s, 'mono ' + says.c));
    if (says.w !== undefined)
      shapes.push(text(from + 8, y + 17, says.w ? 'W' : 'no W',
        'bold ' + (says.w ? 'good' : 'bad'), {tip: says.w
          ? 'W: the program may write here' : 'no W: a write is a page fault'}));
    else if (run && run.frame < 0)
      shapes.push(text(from + 8, y + 17, isGuard(run) ? 'never anything' : 'nothing yet',
                       'small soft'));
  });
  for (const f of frames) {
    const y = frameY(f), held = holders(state, f);
    const run = held.length ? held[0].run : null, cls = run ? run.cls : 'kernel';
    const users = held.filter(h => h.space.pid !== 0).length;
    shapes.push(rect(rightX, y - BOX / 2, RIGHT, BOX, 'panel', {r: 5, at: {frame: f}}),
      ...swatch(rightX + 1, y - BOX / 2 + 1, 18, BOX - 2, cls),
      text(rightX + 27, y - 9, toHex(f), 'mono bold', {still: true}),
      text(rightX + 27, y + 5, users ? `mapped ${plural(users, 'time')}` : 'no process has it',
           'small', {still: true}),
      text(rightX + 27, y + 18, cls === 'cow' ? 'copy on write' : cls, 'small soft',
           {still: true}));
  }
  return {w: width, h: height, shapes: [group('share', shapes)],
    words: explain(hello, state, rows, walks)};
}

/* May a row's process write to what all have? */
function writesForAll(state, row) {
  const {region} = find(spaceOf(state, row.pid), row.page);
  return region && region.shared && region.rights.includes('w');
}

/* The picture in one sentence. */
function explain(hello, state, rows, walks) {
  const row = rows.find(r => r.frame >= 0);
  if (!row && rows.some(r => isGuard(runOf(state, r))))
    return 'A guard: nothing may ever be there. To touch it is a page fault, which ends ' +
      'the program; in the kernel it is a panic that says whose stack overflowed.';
  if (!row)
    return 'No frame is there yet: the first touch is a page fault, which brings one.';
  const same = rows.filter(r => r.frame === row.frame);
  const {run} = find(spaceOf(state, row.pid), row.page);
  const writable = rows.filter(r =>
    rightsText(hello, walks.get(r.pid + ':' + r.page)).w).length;
  const frames = new Set(rows.map(r => r.frame).filter(f => f >= 0)).size;
  if (run.cls === 'cow' && same.length > 1)
    return `${same.length} entries lead to one frame, and none has W. Whoever writes ` +
      'first gets a page fault; the kernel then copies the frame for the one who wrote.';
  if (run.cls === 'shared')
    return 'Shared memory: each may write, and the others see it.';
  if (same.length > 1 && writable)
    return 'One frame in several places. Where the entry has W it can be written, and ' +
      'all see it.';
  if (same.length > 1 && same.some(r => writesForAll(state, r)))
    return 'One frame for all of them. Who may write writes to it, and all see that: without ' +
      'W the next write is a page fault, which brings W and no copy, and by which the ' +
      'kernel knows what it has to write to the file.';
  if (same.length > 1)
    return 'One frame for all of them: nobody writes it, so nobody needs a copy.';
  if (frames > 1)
    return 'Each has a frame of its own.' + (writable === rows.length ? '' :
      ' Where there is no W, the next write is a page fault: the kernel sees that ' +
      'nobody else has the frame, and gives W back without a copy.');
  if (row.pid === KERNEL)
    return 'A page of the kernel, in one frame' + (writable ? ', and it may write there.'
      : '; its entry has no W.');
  return writable ? 'One process, one frame, and it may write there.'
    : 'One process has this frame; its entry has no W.';
}
