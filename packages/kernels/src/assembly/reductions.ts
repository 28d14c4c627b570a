// sum, avg, min and max over the windows of one series. What windows have in common is added up
// once: where they are long, every BLOCK samples are reduced to one number first.

const BLOCK_BITS: i32 = 4;
const BLOCK: i32 = 1 << BLOCK_BITS;
/** Windows that are shorter on average are reduced sample by sample. */
const LONG: i64 = 4 * BLOCK;

let total: f64 = 0;
let lost: f64 = 0;

/**
 * Sums, or means, with compensation for what rounding loses (Neumaier). `blocks` has room for two
 * f64 per BLOCK samples. A mean changes to a running mean where the sum would overflow.
 */
export function sumOf(
  values: usize,
  count: i32,
  froms: usize,
  tos: usize,
  stepCount: i32,
  isMean: i32,
  blocks: usize,
  out: usize,
  present: usize,
): void {
  const blockCount = areLong(froms, tos, stepCount) ? count >> BLOCK_BITS : 0;
  for (let block = 0; block < blockCount; block++) {
    total = 0;
    lost = 0;
    addRange(values, block << BLOCK_BITS, (block + 1) << BLOCK_BITS);
    store<f64>(blocks + (<usize>block << 4), total);
    store<f64>(blocks + (<usize>block << 4) + 8, lost);
  }
  for (let step = 0; step < stepCount; step++) {
    const from = indexAt(froms, step);
    const to = indexAt(tos, step);
    store<u8>(present + step, from < to ? 1 : 0);
    if (from >= to) continue;
    total = 0;
    lost = 0;
    const firstBlock = (from + BLOCK - 1) >> BLOCK_BITS;
    const endBlock = to >> BLOCK_BITS;
    if (blockCount > 0 && firstBlock < endBlock) {
      addRange(values, from, firstBlock << BLOCK_BITS);
      for (let block = firstBlock; block < endBlock; block++) {
        add(load<f64>(blocks + (<usize>block << 4)));
        lost += load<f64>(blocks + (<usize>block << 4) + 8);
      }
      addRange(values, endBlock << BLOCK_BITS, to);
      // An infinite number, or an overflow: what it leads to depends on the order.
      if (!isFinite(total)) {
        total = 0;
        lost = 0;
        addRange(values, from, to);
      }
    } else {
      addRange(values, from, to);
    }
    let result = isFinite(total) ? total + lost : total;
    if (isMean) {
      const size = <f64>(to - from);
      result = isFinite(total) ? total / size + lost / size : meanOf(values, from, to);
    }
    store<f64>(out + (<usize>step << 3), result);
  }
}

function addRange(values: usize, from: i32, to: i32): void {
  for (let i = from; i < to; i++) add(at(values, i));
}

// @ts-ignore: decorator
@inline
function add(value: f64): void {
  const sum = total + value;
  if (abs(sum) == Infinity) lost = 0;
  else if (abs(total) >= abs(value)) lost += total - sum + value;
  else lost += value - sum + total;
  total = sum;
}

/** The mean of values whose sum is not finite: a running one from where it overflows. */
function meanOf(values: usize, from: i32, to: i32): f64 {
  total = at(values, from);
  lost = 0;
  let isRunning = false;
  for (let i = from + 1; i < to; i++) {
    const value = at(values, i);
    const size = <f64>(i - from + 1);
    if (!isRunning) {
      if (abs(total + value) != Infinity) {
        add(value);
        continue;
      }
      isRunning = true;
      total /= size - 1.0;
      lost /= size - 1.0;
    }
    const share = (size - 1.0) / size;
    total *= share;
    lost *= share;
    add(value / size);
  }
  const size = <f64>(to - from);
  return isRunning ? total + lost : total / size + lost / size;
}

/** The least, or greatest, value of each window; NaN only where nothing else is there. */
export function extremeOf(
  values: usize,
  count: i32,
  froms: usize,
  tos: usize,
  stepCount: i32,
  isMax: i32,
  blocks: usize,
  out: usize,
  present: usize,
): void {
  const blockCount = areLong(froms, tos, stepCount) ? count >> BLOCK_BITS : 0;
  for (let block = 0; block < blockCount; block++) {
    const from = block << BLOCK_BITS;
    const best = bestOf(values, from + 1, from + BLOCK, at(values, from), isMax);
    store<f64>(blocks + (<usize>block << 3), best);
  }
  for (let step = 0; step < stepCount; step++) {
    const from = indexAt(froms, step);
    const to = indexAt(tos, step);
    store<u8>(present + step, from < to ? 1 : 0);
    if (from >= to) continue;
    const firstBlock = (from + BLOCK - 1) >> BLOCK_BITS;
    const endBlock = to >> BLOCK_BITS;
    let best = at(values, from);
    if (blockCount > 0 && firstBlock < endBlock) {
      best = bestOf(values, from + 1, firstBlock << BLOCK_BITS, best, isMax);
      best = bestOf(blocks, firstBlock, endBlock, best, isMax);
      best = bestOf(values, endBlock << BLOCK_BITS, to, best, isMax);
    } else {
      best = bestOf(values, from + 1, to, best, isMax);
    }
    store<f64>(out + (<usize>step << 3), best);
  }
}

// @ts-ignore: decorator
@inline
function bestOf(values: usize, from: i32, to: i32, start: f64, isMax: i32): f64 {
  let best = start;
  for (let i = from; i < to; i++) {
    const value = at(values, i);
    if ((isMax ? value > best : value < best) || best != best) best = value;
  }
  return best;
}

function areLong(froms: usize, tos: usize, stepCount: i32): bool {
  let samples: i64 = 0;
  for (let step = 0; step < stepCount; step++) samples += indexAt(tos, step) - indexAt(froms, step);
  return samples > LONG * <i64>stepCount;
}

// @ts-ignore: decorator
@inline
function indexAt(base: usize, index: i32): i32 {
  return load<i32>(base + (<usize>index << 2));
}

// @ts-ignore: decorator
@inline
function at(base: usize, index: i32): f64 {
  return load<f64>(base + (<usize>index << 3));
}
