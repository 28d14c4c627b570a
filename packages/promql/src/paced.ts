/** Sorting in pieces, between which everything else has its turn and the query may end. */
import type { QueryBudget } from './budget.ts';

/** Sorted at once; a few milliseconds. */
const RUN = 4096;

/** The items in order, those that are equal as they were; `items` is left as it is. */
export async function sortPaced<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  budget: QueryBudget,
): Promise<T[]> {
  if (items.length <= RUN) return [...items].sort(compare);
  let source: T[] = [];
  for (let from = 0; from < items.length; from += RUN) {
    if (budget.due()) await budget.pause();
    for (const item of items.slice(from, from + RUN).sort(compare)) source.push(item);
  }
  for (let width = RUN; width < source.length; width *= 2) {
    const target: T[] = [];
    for (let from = 0; from < source.length; from += width * 2) {
      const middle = Math.min(from + width, source.length);
      const end = Math.min(middle + width, source.length);
      let left = from;
      let right = middle;
      while (left < middle || right < end) {
        if (target.length % RUN === 0 && budget.due()) await budget.pause();
        const takesLeft =
          right === end || (left < middle && compare(source[left], source[right]) <= 0);
        target.push(source[takesLeft ? left++ : right++]);
      }
    }
    source = target;
  }
  return source;
}
