// Windows over the samples of one series, in place: nothing is copied in or out. For step i the
// window is (startMs + i * stepMs - rangeMs, startMs + i * stepMs]; `bounds` writes the indexes
// [from, to) of its samples, and each other kernel a result per step and 1 to `present`, or 0
// where a window has too few samples. Stale markers are removed before, except for `lastOf`.

/** Prometheus' stale marker. */
const STALE: u64 = 0x7ff0000000000002;

/** How many of the values [from, to) are stale markers. */
export function countStale(values: usize, from: i32, to: i32): i32 {
  const stale = i64x2.splat(STALE);
  let found = 0;
  let i = from;
  for (; i + 2 <= to; i += 2) {
    const equal = i64x2.eq(v128.load(values + (<usize>i << 3)), stale);
    if (v128.any_true(equal)) {
      found += <i32>((i64x2.extract_lane(equal, 0) & 1) + (i64x2.extract_lane(equal, 1) & 1));
    }
  }
  if (i < to && load<u64>(values + (<usize>i << 3)) == STALE) found++;
  return found;
}

/** Closes the gaps that stale markers leave. Returns how many samples remain. */
export function dropStale(timestamps: usize, values: usize, count: i32): i32 {
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const bits = load<u64>(values + (<usize>i << 3));
    if (bits == STALE) continue;
    store<u64>(values + (<usize>kept << 3), bits);
    store<f64>(timestamps + (<usize>kept << 3), at(timestamps, i));
    kept++;
  }
  return kept;
}

/** The first index in [from, to) whose timestamp is at least `timeMs`, or `to`. */
export function firstNotBefore(timestamps: usize, from: i32, to: i32, timeMs: f64): i32 {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(timestamps, middle) < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Where the windows begin and end. Steps that are alike are found by the one before. */
export function bounds(
  timestamps: usize,
  count: i32,
  startMs: f64,
  stepMs: f64,
  stepCount: i32,
  rangeMs: f64,
  froms: usize,
  tos: usize,
): void {
  let from = 0;
  let to = 0;
  let fromStride = 0;
  let toStride = 0;
  for (let step = 0; step < stepCount; step++) {
    const endMs = startMs + <f64>step * stepMs;
    const beginMs = endMs - rangeMs;
    const toBefore = to;
    const fromBefore = from;
    if (!isBound(timestamps, to + toStride, count, endMs)) {
      while (to < count && at(timestamps, to) <= endMs) to++;
      toStride = to - toBefore;
    } else to += toStride;
    if (!isBound(timestamps, from + fromStride, count, beginMs)) {
      while (from < to && at(timestamps, from) <= beginMs) from++;
      fromStride = from - fromBefore;
    } else from += fromStride;
    store<i32>(froms + (<usize>step << 2), min(from, to));
    store<i32>(tos + (<usize>step << 2), to);
  }
}

/** Whether the samples up to `index` are those that are no later than `timeMs`. */
// @ts-ignore: decorator
@inline
function isBound(timestamps: usize, index: i32, count: i32, timeMs: f64): bool {
  return (
    index <= count &&
    (index == 0 || at(timestamps, index - 1) <= timeMs) &&
    (index == count || at(timestamps, index) > timeMs)
  );
}

/** Writes the indexes of the values that are smaller than their predecessors; how many. */
export function findResets(values: usize, count: i32, resets: usize): i32 {
  let end = resets;
  let i = 1;
  for (; i + 2 <= count; i += 2) {
    const place = values + (<usize>i << 3);
    if (!v128.any_true(f64x2.lt(v128.load(place), v128.load(place - 8)))) continue;
    if (at(values, i) < at(values, i - 1)) end = push(end, i);
    if (at(values, i + 1) < at(values, i)) end = push(end, i + 1);
  }
  if (i < count && at(values, i) < at(values, i - 1)) end = push(end, i);
  return <i32>((end - resets) >> 2);
}

function push(end: usize, index: i32): usize {
  store<i32>(end, index);
  return end + 4;
}

export function lastOf(values: usize, froms: usize, tos: usize, stepCount: i32, out: usize, present: usize): void {
  for (let step = 0; step < stepCount; step++) {
    const to = indexAt(tos, step);
    const bits = to > 0 ? load<u64>(values + (<usize>(to - 1) << 3)) : STALE;
    store<u64>(out + (<usize>step << 3), bits);
    store<u8>(present + step, to > indexAt(froms, step) && bits != STALE ? 1 : 0);
  }
}

export function firstOf(values: usize, froms: usize, tos: usize, stepCount: i32, out: usize, present: usize): void {
  for (let step = 0; step < stepCount; step++) {
    const from = indexAt(froms, step);
    const isThere = from < indexAt(tos, step);
    if (isThere) store<f64>(out + (<usize>step << 3), at(values, from));
    store<u8>(present + step, isThere ? 1 : 0);
  }
}

export function countOf(froms: usize, tos: usize, stepCount: i32, onlyOne: i32, out: usize, present: usize): void {
  for (let step = 0; step < stepCount; step++) {
    const size = indexAt(tos, step) - indexAt(froms, step);
    store<f64>(out + (<usize>step << 3), onlyOne ? 1.0 : <f64>size);
    store<u8>(present + step, size > 0 ? 1 : 0);
  }
}

/** How often the value changed, or with `onlyFalls` fell. NaN behind NaN is no change. */
export function changesOf(
  values: usize,
  count: i32,
  froms: usize,
  tos: usize,
  stepCount: i32,
  onlyFalls: i32,
  totals: usize,
  out: usize,
  present: usize,
): void {
  let total = 0;
  for (let i = 0; i < count; i++) {
    if (i > 0) {
      const value = at(values, i);
      const before = at(values, i - 1);
      if (onlyFalls) total += i32(value < before);
      else total += i32(value != before && !(value != value && before != before));
    }
    store<i32>(totals + (<usize>i << 2), total);
  }
  for (let step = 0; step < stepCount; step++) {
    const from = indexAt(froms, step);
    const to = indexAt(tos, step);
    const isThere = from < to;
    if (isThere) {
      store<f64>(out + (<usize>step << 3), <f64>(indexAt(totals, to - 1) - indexAt(totals, from)));
    }
    store<u8>(present + step, isThere ? 1 : 0);
  }
}

/** irate and, without `isRate`, idelta: the last two samples of each window. */
export function lastPairOf(
  timestamps: usize,
  values: usize,
  froms: usize,
  tos: usize,
  stepCount: i32,
  isRate: i32,
  out: usize,
  present: usize,
): void {
  for (let step = 0; step < stepCount; step++) {
    const last = indexAt(tos, step) - 1;
    const isThere = last > indexAt(froms, step);
    store<u8>(present + step, isThere ? 1 : 0);
    if (!isThere) continue;
    const value = at(values, last);
    const before = at(values, last - 1);
    let result = value - before;
    if (isRate) {
      if (value < before) result = value;
      result /= (at(timestamps, last) - at(timestamps, last - 1)) / 1000.0;
    }
    store<f64>(out + (<usize>step << 3), result);
  }
}

// @ts-ignore: decorator
@inline
function indexAt(base: usize, step: i32): i32 {
  return load<i32>(base + (<usize>step << 2));
}

// @ts-ignore: decorator
@inline
function at(base: usize, index: i32): f64 {
  return load<f64>(base + (<usize>index << 3));
}
