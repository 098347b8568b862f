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

export const flagWord = letter => SHORT[letter] || letter;

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

/* Bits of an address: the index of each level, highest first, and the offset:
 * [{level, low, bits, value}]; level -1 is the offset. */
export function split(hello, va) {
  const fields = [];
  let low = 12;

  for (let level = 0; level < hello.levels; level++) {
    const bits = hello.bits[hello.levels - 1 - level];
    fields.unshift({level, low, bits,
      value: Number(BigInt(va) >> BigInt(low) & ((1n << BigInt(bits)) - 1n))});
    low += bits;
  }
  fields.push({level: -1, low: 0, bits: 12, value: Number(BigInt(va) & 0xfffn)});
  return fields;
}

/* Bits that choose an entry, all levels together. */
export const indexBits = hello => hello.bits.reduce((a, b) => a + b, 0);
export const hex = n => '0x' + BigInt(n).toString(16);
/* As wide as an entry. */
export const hexWide = (hello, value) =>
  '0x' + BigInt(value).toString(16).padStart(hello.pte * 2, '0');
