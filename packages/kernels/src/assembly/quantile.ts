// quantile_over_time: the values of a window stay sorted while it moves on, as keys whose order as
// whole numbers is PromQL's order of values: NaN first, then from -Inf to +Inf.

/** Runs of so many keys are sorted by insertion before they are merged. */
const RUN: i32 = 16;
/** A window is sorted anew where more than one in so many of its values is another one. */
const CHANGED_SHARE: i32 = 4;

/** `sorted` and `spare` have room for as many keys as the longest window has samples. */
export function quantileOf(
  values: usize,
  froms: usize,
  tos: usize,
  stepCount: i32,
  quantile: f64,
  sorted: usize,
  spare: usize,
  out: usize,
  present: usize,
): void {
  let low = 0;
  let high = 0;
  for (let step = 0; step < stepCount; step++) {
    const from = load<i32>(froms + (<usize>step << 2));
    const to = load<i32>(tos + (<usize>step << 2));
    store<u8>(present + step, from < to ? 1 : 0);
    if (from >= to) continue;
    const size = to - from;
    const changed = from - low + (to - high);
    if (from >= high || changed * CHANGED_SHARE > size) {
      for (let i = from; i < to; i++) store<u64>(sorted + (<usize>(i - from) << 3), keyAt(values, i));
      sort(sorted, size, spare);
    } else {
      let held = high - low;
      for (let i = low; i < from; i++) held = remove(sorted, held, keyAt(values, i));
      for (let i = high; i < to; i++) held = insert(sorted, held, keyAt(values, i));
    }
    low = from;
    high = to;
    store<f64>(out + (<usize>step << 3), interpolate(sorted, size, quantile));
  }
}

function interpolate(sorted: usize, size: i32, quantile: f64): f64 {
  if (quantile != quantile) return NaN;
  if (quantile < 0.0) return -Infinity;
  if (quantile > 1.0) return Infinity;
  const rank = quantile * <f64>(size - 1);
  const lower = <i32>floor(rank);
  const upper = min(size - 1, lower + 1);
  const weight = rank - floor(rank);
  return valueOf(keyOf(sorted, lower)) * (1.0 - weight) + valueOf(keyOf(sorted, upper)) * weight;
}

/** The place of the first key that is not below `key`. */
function placeOf(sorted: usize, size: i32, key: u64): i32 {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keyOf(sorted, middle) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insert(sorted: usize, size: i32, key: u64): i32 {
  const place = sorted + (<usize>placeOf(sorted, size, key) << 3);
  memory.copy(place + 8, place, sorted + (<usize>size << 3) - place);
  store<u64>(place, key);
  return size + 1;
}

function remove(sorted: usize, size: i32, key: u64): i32 {
  const place = sorted + (<usize>placeOf(sorted, size, key) << 3);
  memory.copy(place, place + 8, sorted + (<usize>size << 3) - place - 8);
  return size - 1;
}

/** Merge sort, from short sorted runs upwards. */
function sort(keys: usize, size: i32, spare: usize): void {
  for (let start = 0; start < size; start += RUN) {
    const end = min(start + RUN, size);
    for (let i = start + 1; i < end; i++) {
      const key = keyOf(keys, i);
      let j = i;
      for (; j > start && keyOf(keys, j - 1) > key; j--) put(keys, j, keyOf(keys, j - 1));
      put(keys, j, key);
    }
  }
  let source = keys;
  let target = spare;
  for (let length = RUN; length < size; length <<= 1) {
    for (let start = 0; start < size; start += length << 1) {
      const middle = min(start + length, size);
      merge(source, start, middle, min(middle + length, size), target);
    }
    const swapped = source;
    source = target;
    target = swapped;
  }
  if (source != keys) memory.copy(keys, source, <usize>size << 3);
}

function merge(source: usize, start: i32, middle: i32, end: i32, target: usize): void {
  let left = start;
  let right = middle;
  for (let i = start; i < end; i++) {
    const takeLeft = left < middle && (right >= end || keyOf(source, left) <= keyOf(source, right));
    put(target, i, keyOf(source, takeLeft ? left++ : right++));
  }
}

// @ts-ignore: decorator
@inline
function keyAt(values: usize, index: i32): u64 {
  const bits = load<u64>(values + (<usize>index << 3));
  const value = reinterpret<f64>(bits);
  if (value != value) return 0;
  return bits ^ (<u64>(<i64>bits >> 63) | 0x8000000000000000);
}

// @ts-ignore: decorator
@inline
function valueOf(key: u64): f64 {
  if (key == 0) return NaN;
  return reinterpret<f64>(key ^ (key >> 63 ? 0x8000000000000000 : 0xffffffffffffffff));
}

// @ts-ignore: decorator
@inline
function keyOf(keys: usize, index: i32): u64 {
  return load<u64>(keys + (<usize>index << 3));
}

// @ts-ignore: decorator
@inline
function put(keys: usize, index: i32, key: u64): void {
  store<u64>(keys + (<usize>index << 3), key);
}
