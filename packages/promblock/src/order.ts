/**
 * The order of Prometheus' indexes: by the bytes of UTF-8, which is that of code points, while
 * JavaScript compares UTF-16 units. The two differ where a surrogate meets U+E000 to U+FFFF.
 */
import type { Labels } from '@tyto/model';

export function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Moves surrogates, which stand for code points beyond all others, behind all other units. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Names and values in Prometheus' order of names. */
export function orderedPairs(labels: Labels): readonly string[] {
  const { pairs } = labels;
  let isOrdered = true;
  for (let i = 2; i < pairs.length && isOrdered; i += 2) {
    isOrdered = compareTexts(pairs[i - 2], pairs[i]) < 0;
  }
  if (isOrdered) return pairs;
  return [...labels.entries()].sort((a, b) => compareTexts(a[0], b[0])).flat();
}

/** Compares what `orderedPairs` gave: pair by pair, and the start of a set comes first. */
export function comparePairs(a: readonly string[], b: readonly string[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const order = a[i] === b[i] ? 0 : compareTexts(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
