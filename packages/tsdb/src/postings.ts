/**
 * Postings: sorted lists of series ids as Uint32Arrays, and their set algebra. Results may be one
 * of the arguments; nobody changes a list that was handed out.
 */

export type Postings = Uint32Array;

export const NO_POSTINGS: Postings = new Uint32Array(0);

/** What is in both; gallops through the longer list, so a rare label makes a query cheap. */
export function intersect(a: Postings, b: Postings): Postings {
  if (a.length > b.length) return intersect(b, a);
  const out = new Uint32Array(a.length);
  let count = 0;
  let at = 0;
  for (let i = 0; i < a.length; i++) {
    at = seek(b, at, a[i]);
    if (at === b.length) break;
    if (b[at] === a[i]) out[count++] = a[i];
  }
  return out.subarray(0, count);
}

/** What is in `a` and not in `b`. */
export function subtract(a: Postings, b: Postings): Postings {
  if (b.length === 0) return a;
  const out = new Uint32Array(a.length);
  let count = 0;
  let at = 0;
  for (let i = 0; i < a.length; i++) {
    at = seek(b, at, a[i]);
    if (at === b.length || b[at] !== a[i]) out[count++] = a[i];
  }
  return out.subarray(0, count);
}

/** What is in any of the lists. */
export function union(lists: readonly Postings[]): Postings {
  if (lists.length === 0) return NO_POSTINGS;
  if (lists.length === 1) return lists[0];
  let total = 0;
  for (const list of lists) total += list.length;
  const all = new Uint32Array(total);
  let at = 0;
  for (const list of lists) {
    all.set(list, at);
    at += list.length;
  }
  all.sort();
  let count = 0;
  for (let i = 0; i < total; i++) {
    if (i === 0 || all[i] !== all[i - 1]) all[count++] = all[i];
  }
  return all.subarray(0, count);
}

/** The first index from `from` on whose id is at least `id`; steps double, then halve. */
function seek(list: Postings, from: number, id: number): number {
  let step = 1;
  let high = from;
  while (high < list.length && list[high] < id) {
    from = high + 1;
    high += step;
    step *= 2;
  }
  let low = from;
  high = Math.min(high, list.length);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle] < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
