/*
 * What a class of memory looks like: a colour, a pattern and a letter, so that
 * nobody needs colours to tell them apart; and what it is in words, for legends.
 * The page and the SVG files that leave it have the same style sheet, made here.
 *
 * Colours follow Okabe and Ito's set, which most people with deviating colour
 * vision can tell apart.
 */

/* name: [letter, colour on light, colour on dark, pattern, words] */
const CLASSES = {
  free: ['', '#eef1f5', '#232a35', '', 'free'],
  text: ['T', '#3d8fcc', '#3d8fcc', '', 'code (read and execute)'],
  data: ['D', '#8fcdf0', '#4f94ba', 'dots', 'the kernel’s data'],
  table: ['#', '#dd6b26', '#dd6b26', 'grid', 'page tables'],
  stack: ['K', '#e8d94a', '#b3a52f', 'rows', 'kernel stacks and trapframes'],
  slab: ['S', '#b9ae79', '#8c8352', 'back', 'small kernel objects'],
  private: ['P', '#2bab83', '#269872', '', 'a process’s own'],
  shared: ['H', '#d88bb6', '#bb6e99', 'cross', 'shared: all see each write'],
  cow: ['C', '#f2ac2e', '#d18f17', 'slant', 'copy on write: shared until one writes'],
  cache: ['F', '#a98bd0', '#9579bf', 'rows', 'the cache of files'],
  pipe: ['|', '#7fcfc4', '#4d9d92', 'columns', 'pipes'],
  zero: ['0', '#cfd4da', '#8c96a4', 'dots', 'the page of zeros, for all to read'],
  reserved: ['x', '#9aa1ab', '#7f8997', 'cross', 'not to be used: devices, firmware'],
  kernel: ['k', '#b4c1d1', '#7388a3', 'back', 'other memory of the kernel'],
  absent: ['', 'none', 'none', '', 'promised, not there yet'],
};

export const CLASS_NAMES = Object.keys(CLASSES);
export const classLetter = name => (CLASSES[name] || CLASSES.kernel)[0];
export const classWords = name => (CLASSES[name] || CLASSES.kernel)[4];
export const classPattern = name => (CLASSES[name] || CLASSES.kernel)[3];
/* The colour as "#rrggbb"; dark: for a dark page. */
export const classColour = (name, dark) =>
  (CLASSES[name] || CLASSES.kernel)[dark ? 2 : 1];

/* Free blocks differ in shade: the larger the block, the nearer to the paper. As
 * [red, green, blue], of a block of 2^order pages. */
const FREE_SHADES = 11;
export function freeShade(order, dark) {
  const by = (FREE_SHADES - 1 - Math.min(FREE_SHADES - 1, order)) * 4;
  return [1, 3, 5].map(i => parseInt(classColour('free', dark).slice(i, i + 2), 16))
    .map(v => Math.max(0, Math.min(255, dark ? v + by : v - by)));
}
export const freeClass = order => 'free-' + Math.min(FREE_SHADES - 1, order);
const freeClasses = [...Array(FREE_SHADES).keys()];

/* Everything that is not a class of memory: [on light, on dark]. */
const INK = {
  paper: ['#ffffff', '#12161d'],
  panel: ['#f6f8fa', '#1a202a'],
  line: ['#c9d1da', '#3a4453'],
  ink: ['#1b2430', '#e4e9f0'],
  soft: ['#56616f', '#9fadbd'],
  accent: ['#0b5cad', '#6cb6ff'],
  good: ['#17784f', '#4cc38a'],
  bad: ['#b3261e', '#ff8f85'],
  change: ['#a5118a', '#f58fe0'],
  mark: ['#000000', '#ffffff'],
  super: ['#14181d', '#f2f5f9'],
};

/* Patterns are drawn over the colour: 6 by 6 pixels each. */
const PATTERNS = {
  slant: 'M-1 1L1-1M0 6L6 0M5 7L7 5',
  back: 'M-1 5L1 7M0 0L6 6M5-1L7 1',
  cross: 'M0 6L6 0M0 0L6 6',
  rows: 'M0 3H6',
  columns: 'M3 0V6',
  grid: 'M0 3H6M3 0V6',
  dots: 'M2 3h1.6',
};

const PATTERN = 6; /* pixels: width and height */
const PATTERN_INK = '#00000055', PATTERN_LINE = 1.2;

/* What fills a canvas with a pattern: made once. */
const tiles = new Map();

export function patternTile(name) {
  if (!tiles.has(name)) {
    const g = new OffscreenCanvas(PATTERN, PATTERN).getContext('2d');
    g.strokeStyle = PATTERN_INK;
    g.lineWidth = PATTERN_LINE;
    g.stroke(new Path2D(PATTERNS[name]));
    tiles.set(name, g.createPattern(g.canvas, 'repeat'));
  }
  return tiles.get(name);
}

export function patternDefs() {
  return Object.entries(PATTERNS).map(([name, path]) =>
    `<pattern id="p-${name}" width="${PATTERN}" height="${PATTERN}" ` +
    `patternUnits="userSpaceOnUse"><path d="${path}" class="pattern"/>` +
    '</pattern>').join('');
}

function variables(side) {
  return Object.entries(INK).map(([name, v]) => `--${name}:${v[side]};`)
    .concat(Object.entries(CLASSES).map(
      ([name, v]) => `--c-${name}:${v[1 + side]};`), freeClasses.map(
      n => `--${freeClass(n)}:rgb(${freeShade(n, side === 1).join()});`)).join('');
}

const RULES = `
svg text{font:11px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
 fill:var(--ink)}
svg text.mono{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
svg text.soft{fill:var(--soft)} svg text.small{font-size:10px}
svg text.big{font-size:13px} svg text.title{font-size:15px;font-weight:600}
svg text.bold{font-weight:600} svg text.good{fill:var(--good)}
svg text.bad{fill:var(--bad)} svg text.accent{fill:var(--accent)}
svg text.change{fill:var(--change)} svg text.letter{font-weight:600;fill:#14181d}
svg .pattern{stroke:${PATTERN_INK};stroke-width:${PATTERN_LINE};fill:none}
svg .paper{fill:var(--paper)} svg .panel{fill:var(--panel);stroke:var(--line)}
svg .frame{fill:none;stroke:var(--line)} svg .rule{stroke:var(--line);fill:none}
svg .wire{stroke:var(--soft);stroke-width:1.5;fill:none}
svg .wire.here{stroke:var(--accent);stroke-width:2}
svg .wire.change{stroke:var(--change)} svg .tip{fill:var(--soft)}
svg .guard{fill:none;stroke:var(--bad);stroke-dasharray:3 2}
svg .absent{fill:none;stroke:var(--soft);stroke-dasharray:2 3}
svg .region{fill:none;stroke:var(--ink);stroke-opacity:.75}
svg .fold{stroke:var(--soft);fill:none;stroke-dasharray:1 3}
svg .super{fill:none;stroke:var(--super);stroke-width:1.5}
svg .hit{fill:none;stroke:var(--mark);stroke-width:3}
svg .join{fill:none;stroke:var(--mark);stroke-width:1.5;stroke-dasharray:2 4;
 stroke-opacity:.7}
svg .changed{fill:none;stroke:var(--change);stroke-width:2.5}
svg .picked{fill:none;stroke:var(--accent);stroke-width:2}
svg .wash{fill:var(--accent);fill-opacity:.12}
svg .wash.change{fill:var(--change)}
svg .on{fill:var(--accent)} svg .off{fill:var(--line)}
svg .shade{stroke:var(--line)} svg .unlit{opacity:.15}
svg .okay{fill:none;stroke:var(--good);stroke-width:2}
svg .wrong{fill:none;stroke:var(--bad);stroke-width:2}
svg text.tiny{font-size:8.5px}
svg .strip{stroke:var(--accent);stroke-width:1;fill:none}
svg .touch,svg .clear{fill:transparent}
svg .series{fill:none;stroke-width:2;stroke:var(--accent)}
`;

/* The style sheet. theme: "light", "dark", or "" for what the reader's system
 * prefers. */
export function styleText(theme) {
  const classes = Object.keys(CLASSES).filter(n => n !== 'absent')
    .map(n => `svg .c-${n}{fill:var(--c-${n})}`)
    .concat(freeClasses.map(freeClass).map(n => `svg .${n}{fill:var(--${n})}`)).join('\n');
  const roots = theme === 'dark' ? `:root{${variables(1)}}`
    : `:root{${variables(0)}}` + (theme === 'light' ? ''
      : `\n@media(prefers-color-scheme:dark){:root{${variables(1)}}}`);
  return roots + RULES + classes + '\n';
}
