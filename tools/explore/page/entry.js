/*
 * What an entry of a page table says: its fields, its flags in words. Which bits
 * mean what comes with the machine's first message (hello), so that this is for
 * every machine.
 */

/* The flags that entries of any machine have, by letter. */
const FLAGS = {v: 'valid', p: 'present', r: 'may be read', w: 'may be written',
  x: 'may be executed', u: 'user mode may', g: 'in every address space',
  a: 'was used', d: 'was written', t: 'writes go through', c: 'not cached',
  l: 'large page'};
const SHORT = {v: 'valid', p: 'present', r: 'read', w: 'write', x: 'execute', u: 'user',
  g: 'global', a: 'accessed', d: 'dirty', t: 'through', c: 'uncached', l: 'large'};

/* [{letter, on, short, words}], from bit 0 up. */
export const flagList = (hello, value) => [...hello.letters].map((letter, i) => ({
  letter, on: Boolean(BigInt(value) >> BigInt(i) & 1n), short: SHORT[letter],
  words: FLAGS[letter]}));

/* The page number that the entry holds. */
export const pageNumber = (hello, value) => {
  const [low, bits] = hello.number.map(BigInt);
  return BigInt(value) >> low & ((1n << bits) - 1n);
};

/* "valid, write, user" */
export const flagsWords = (hello, value) => flagList(hello, value)
  .filter(f => f.on).map(f => f.short).join(', ') || 'no flag is set';

/* Where a step of a walk leads, in words. */
export const leadsWords = step => step.kind === 'table' ? 'leads to the next table'
  : step.kind === 'none' ? 'leads nowhere'
  : step.level > 0 ? 'a leaf: a superpage' : 'a leaf: the page';

/* Bits of an address: the index of each level, highest first, and the offset:
 * [{level, low, bits, value}]; level -1 is the offset. leaf: the level of a leaf, if
 * that is known; the bits of the levels under it are of the offset. */
export function split(hello, va, leaf = 0) {
  const fields = [];
  let low = 12;

  const value = (from, bits) =>
    Number(BigInt(va) >> BigInt(from) & ((1n << BigInt(bits)) - 1n));

  for (let level = 0; level < hello.levels; level++) {
    const bits = hello.bits[hello.levels - 1 - level];
    if (level >= leaf)
      fields.unshift({level, low, bits, value: value(low, bits)});
    low += bits;
  }
  const offset = fields.at(-1).low;
  return [...fields, {level: -1, low: 0, bits: offset, value: value(0, offset)}];
}

/* Bits that choose an entry, all levels together. */
export const indexBits = hello => hello.bits.reduce((a, b) => a + b, 0);
export const hex = n => '0x' + BigInt(n).toString(16);
/* As wide as an entry. */
export const hexWide = (hello, value) =>
  '0x' + BigInt(value).toString(16).padStart(hello.pte * 2, '0');
