// sum, avg, min and max over the windows of one series. What windows have in common is added up
// once: where they are long, every BLOCK samples are reduced to one number first.

const BLOCK_BITS: i32 = 4;
const BLOCK: i32 = 1 << BLOCK_BITS;
/** Windows that are shorter on average are reduced sample by sample. */
const LONG: i64 = 4 * BLOCK;

/**
 * Sums, or means, with compensation for what rounding loses: Knuth's two-sum, whose error term has
 * no branch. `blocks` has room for two f64 per BLOCK samples. Where a sum is not finite, the order
 * of the values decides, and they are added one by one.
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
    let total: f64 = 0;
    let lost: f64 = 0;
    const end = (block + 1) << BLOCK_BITS;
    for (let i = block << BLOCK_BITS; i < end; i++) {
      const value = at(values, i);
      const sum = total + value;
      const part = sum - total;
      lost += total - (sum - part) + (value - part);
      total = sum;
    }
    store<f64>(blocks + (<usize>block << 4), total);
    store<f64>(blocks + (<usize>block << 4) + 8, lost);
  }
  for (let step = 0; step < stepCount; step++) {
    const from = indexAt(froms, step);
    const to = indexAt(tos, step);
    store<u8>(present + step, from < to ? 1 : 0);
    if (from >= to) continue;
    const firstBlock = (from + BLOCK - 1) >> BLOCK_BITS;
    const endBlock = to >> BLOCK_BITS;
    const usesBlocks = blockCount > 0 && firstBlock < endBlock;
    const headEnd = usesBlocks ? firstBlock << BLOCK_BITS : to;
    let total: f64 = 0;
    let lost: f64 = 0;
    for (let i = from; i < headEnd; i++) {
      const value = at(values, i);
      const sum = total + value;
      const part = sum - total;
      lost += total - (sum - part) + (value - part);
      total = sum;
    }
    if (usesBlocks) {
      for (let block = firstBlock; block < endBlock; block++) {
        const value = load<f64>(blocks + (<usize>block << 4));
        const sum = total + value;
        const part = sum - total;
        lost += total - (sum - part) + (value - part) + load<f64>(blocks + (<usize>block << 4) + 8);
        total = sum;
      }
      for (let i = endBlock << BLOCK_BITS; i < to; i++) {
        const value = at(values, i);
        const sum = total + value;
        const part = sum - total;
        lost += total - (sum - part) + (value - part);
        total = sum;
      }
    }
    let result = total + lost;
    if (isMean) {
      const size = <f64>(to - from);
      result = total / size + lost / size;
    }
    if (!isFinite(result)) result = isMean ? meanOf(values, from, to) : plainSumOf(values, from, to);
    store<f64>(out + (<usize>step << 3), result);
  }
}

/** A sum that may overflow on its way, or has infinite parts: with Neumaier's compensation. */
function plainSumOf(values: usize, from: i32, to: i32): f64 {
  let total: f64 = 0;
  let lost: f64 = 0;
  for (let i = from; i < to; i++) {
    const value = at(values, i);
    const sum = total + value;
    lost = compensated(lost, total, value, sum);
    total = sum;
  }
  return isFinite(total) ? total + lost : total;
}

/** The mean of such values: a running one from where their sum overflows. */
function meanOf(values: usize, from: i32, to: i32): f64 {
  let total = at(values, from);
  let lost: f64 = 0;
  let isRunning = false;
  for (let i = from + 1; i < to; i++) {
    let value = at(values, i);
    const size = <f64>(i - from + 1);
    if (!isRunning && abs(total + value) == Infinity) {
      isRunning = true;
      total /= size - 1.0;
      lost /= size - 1.0;
    }
    if (isRunning) {
      const share = (size - 1.0) / size;
      total *= share;
      lost *= share;
      value /= size;
    }
    const sum = total + value;
    lost = compensated(lost, total, value, sum);
    total = sum;
  }
  const size = <f64>(to - from);
  return isRunning ? total + lost : total / size + lost / size;
}

// @ts-ignore: decorator
@inline
function compensated(lost: f64, total: f64, value: f64, sum: f64): f64 {
  if (abs(sum) == Infinity) return 0;
  return abs(total) >= abs(value) ? lost + (total - sum + value) : lost + (value - sum + total);
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
