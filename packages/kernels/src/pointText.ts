/** Samples as JSON text: `[1435781451.781,"0.25"],` for each. */
import { align, ensureMemory, instantiate, type KernelExports, SLACK_BYTES } from './instance.ts';

const POWER_MIN = -292;
const POWER_MAX = 324;
/** A time of up to 18 characters, a number of up to 28, and what is around them. */
const POINT_BYTES = 64;

interface PointKernel {
  readonly exports: KernelExports;
  readonly heapBase: number;
}

let kernel: PointKernel | undefined;

/**
 * Samples [from, from + count) of two columns, times in milliseconds, as ASCII. There is a comma
 * behind the last one, too. Undefined where a time is no whole number of milliseconds. The result
 * is the caller's.
 */
export function pointText(
  timestamps: Float64Array,
  values: Float64Array,
  from: number,
  count: number,
): Uint8Array<ArrayBuffer> | undefined {
  kernel ??= prepare();
  const { exports, heapBase } = kernel;
  const timestampsAt = heapBase;
  const valuesAt = timestampsAt + count * 8;
  const outAt = valuesAt + count * 8;
  ensureMemory(exports, outAt + count * POINT_BYTES + SLACK_BYTES);
  const numbers = new Float64Array(exports.memory.buffer, heapBase, count * 2);
  numbers.set(timestamps.subarray(from, from + count));
  numbers.set(values.subarray(from, from + count), count);
  const end = exports.writePoints(timestampsAt, valuesAt, count, outAt);
  return end === 0 ? undefined : new Uint8Array(exports.memory.buffer, outAt, end - outAt).slice();
}

function prepare(): PointKernel {
  const exports = instantiate();
  const tableAt = align(exports.heapBase());
  const count = POWER_MAX - POWER_MIN + 1;
  const heapBase = align(tableAt + count * 16);
  ensureMemory(exports, heapBase);
  const table = new BigUint64Array(exports.memory.buffer, tableAt, count * 2);
  for (let i = 0; i < count; i++) {
    const power = powerOfTen(POWER_MIN + i);
    table[2 * i] = BigInt.asUintN(64, power);
    table[2 * i + 1] = power >> 64n;
  }
  exports.setPowersOfTen(tableAt);
  return { exports, heapBase };
}

/** The 128 leading bits of 10^exponent, rounded up. */
function powerOfTen(exponent: number): bigint {
  const power = 10n ** BigInt(Math.abs(exponent));
  const bits = BigInt(power.toString(2).length);
  if (exponent >= 0) {
    return bits <= 128n ? power << (128n - bits) : divideUp(power, 1n << (bits - 128n));
  }
  return divideUp(1n << (127n + bits), power);
}

function divideUp(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}
