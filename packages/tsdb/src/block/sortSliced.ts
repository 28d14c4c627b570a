/** A merge sort that lets other work have its turn: a million texts take longer than a slice. */
import { breathe } from '../slices.ts';

/** Sorted at once; some milliseconds. */
const RUN = 4096;
/** Merged before other work gets its turn. */
const MERGED_PER_SLICE = 50_000;

/** Sorts `ids`, which may be changed; the answer may be another array. */
export async function sortSliced(
  ids: Uint32Array,
  compare: (a: number, b: number) => number,
): Promise<Uint32Array> {
  for (let from = 0; from < ids.length; from += RUN) {
    ids.subarray(from, from + RUN).sort(compare);
    if (ids.length > RUN) await breathe();
  }
  let source = ids;
  let target: Uint32Array = new Uint32Array(ids.length > RUN ? ids.length : 0);
  for (let width = RUN; width < ids.length; width *= 2) {
    await mergePass(source, target, width, compare);
    [source, target] = [target, source];
  }
  return source;
}

async function mergePass(
  source: Uint32Array,
  target: Uint32Array,
  width: number,
  compare: (a: number, b: number) => number,
): Promise<void> {
  let left = 0;
  let leftEnd = Math.min(width, source.length);
  let right = leftEnd;
  let rightEnd = Math.min(width * 2, source.length);
  for (let to = 0; to < source.length; to++) {
    if (left === leftEnd && right === rightEnd) {
      left = to;
      leftEnd = Math.min(to + width, source.length);
      right = leftEnd;
      rightEnd = Math.min(to + width * 2, source.length);
    }
    const takesLeft =
      right === rightEnd || (left < leftEnd && compare(source[left], source[right]) <= 0);
    target[to] = source[takesLeft ? left++ : right++];
    if (to % MERGED_PER_SLICE === 0) await breathe();
  }
}
