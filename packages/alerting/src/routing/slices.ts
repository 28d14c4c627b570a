/**
 * Work on many things in slices: after each the event loop goes round, so that requests, scrapes
 * and other groups go on. Few things are done at once.
 */
const SLICE = 2000;
/** Alerts that are made notifications, or are looked through for one, in one turn. */
const TURN_ITEMS_MAX = 500;

/** Lets everything else that waits have its turn. */
export function otherTurns(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Turns of the event loop for those who do more than a little, in the order in which they come. */
export class LoopTurns {
  #line: Promise<void> = Promise.resolve();
  #taken = 0;

  /** Resolves when work on so many items may be done: with others of few items, or alone. */
  take(items: number): Promise<void> {
    this.#line = this.#line.then(async () => {
      if (this.#taken + items > TURN_ITEMS_MAX && this.#taken > 0) {
        await otherTurns();
        this.#taken = 0;
      }
      this.#taken += items;
    });
    return this.#line;
  }
}

export async function forEachInSlices<T>(
  items: readonly T[],
  visit: (item: T, index: number) => void,
): Promise<void> {
  for (let i = 0; i < items.length; i++) {
    if (i > 0 && i % SLICE === 0) await otherTurns();
    visit(items[i], i);
  }
}

/** The items in order; the given list is left as it is. */
export async function sortInSlices<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
): Promise<T[]> {
  if (items.length <= SLICE) return [...items].sort(compare);
  let runs: T[][] = [];
  for (let i = 0; i < items.length; i += SLICE) {
    runs.push(items.slice(i, i + SLICE).sort(compare));
    await otherTurns();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(
        i + 1 < runs.length ? await mergeInSlices(runs[i], runs[i + 1], compare) : runs[i],
      );
    }
    runs = merged;
  }
  return runs[0];
}

/** Two lists that are in order as one. */
export async function mergeInSlices<T>(
  a: readonly T[],
  b: readonly T[],
  compare: (a: T, b: T) => number,
): Promise<T[]> {
  const out: T[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length; ) {
    if (out.length > 0 && out.length % (4 * SLICE) === 0) await otherTurns();
    const isFirst = j === b.length || (i < a.length && compare(a[i], b[j]) <= 0);
    out.push(isFirst ? a[i++] : b[j++]);
  }
  return out;
}
