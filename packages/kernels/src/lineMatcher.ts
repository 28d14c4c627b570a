/**
 * The lines of an exposition that are there in each of them: a target writes the same series in the
 * same order, so that a line needs no parsing but a comparison with the series that is expected and
 * the reading of a number. Lines of any other kind are left to a parser.
 *
 * `open` a body, then `match` at lines of it. A run is valid until the next call; nobody else uses
 * this instance's memory, so the caller may do anything in between but await.
 */
import { align, ensureMemory, instantiate, type KernelExports, SLACK_BYTES } from './instance.ts';
import { LINES_BYTES_MAX } from './limits.ts';

/** Series in the order in which they are expected, as bytes. */
export interface ExpectedLines {
  /** Entries there are. */
  readonly size: number;
  /** Entry i is [starts[i], ends[i]) of these; only the first `arenaLength` of them count. */
  readonly arena: Uint8Array;
  readonly arenaLength: number;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** The entry that follows, or -1. */
  readonly next: Int32Array;
}

/** The longest run. */
export const RUN_LINES_MAX = 1024;
/** Exponents of ten up to which, and down to which, the kernel reads numbers itself. */
const POWERS_MAX = 64;
const POWERS_BYTES = (2 * POWERS_MAX + 1) * 16;

export class LineMatcher {
  /** Of the run: the entry and the value of each of its lines. */
  entries = new Int32Array(0);
  values = new Float64Array(0);
  /** Where in the body the run ended, behind a line. */
  end = 0;
  /** The entry that was expected there, or -1. */
  next = -1;
  #kernel: KernelExports | undefined;
  #bodyAt = 0;

  /** Takes a body and what is expected in it; false where both are too large together. */
  open(body: Uint8Array, lines: ExpectedLines): boolean {
    const { size, arena, arenaLength } = lines;
    if (body.length + arenaLength + size * 12 > LINES_BYTES_MAX) return false;
    this.#kernel ??= prepare();
    const kernel = this.#kernel;
    const { runsEnd } = layout(kernel);
    const startsAt = runsEnd;
    const endsAt = startsAt + size * 4;
    const nextAt = endsAt + size * 4;
    const arenaAt = align(nextAt + size * 4);
    const bodyAt = align(arenaAt + arenaLength + SLACK_BYTES);
    ensureMemory(kernel, bodyAt + body.length + SLACK_BYTES);
    const { buffer } = kernel.memory;
    new Uint32Array(buffer, startsAt, size).set(lines.starts.subarray(0, size));
    new Uint32Array(buffer, endsAt, size).set(lines.ends.subarray(0, size));
    new Int32Array(buffer, nextAt, size).set(lines.next.subarray(0, size));
    const bytes = new Uint8Array(buffer);
    bytes.set(arena.subarray(0, arenaLength), arenaAt);
    bytes.set(body, bodyAt);
    kernel.openExposition(bodyAt + body.length, arenaAt, startsAt, endsAt, nextAt);
    this.#bodyAt = bodyAt;
    this.#look(kernel);
    return true;
  }

  /**
   * How many lines, from the one that begins at `position`, are the expected entry and those that
   * follow it, each with a plain value and nothing behind it; at most one run of them.
   */
  match(position: number, expected: number): number {
    const kernel = this.#kernel as KernelExports;
    const { entriesAt, valuesAt } = layout(kernel);
    const line = this.#bodyAt + position;
    const count = kernel.matchLines(line, expected, entriesAt, valuesAt, RUN_LINES_MAX);
    this.end = kernel.matchedEnd() - this.#bodyAt;
    this.next = kernel.matchedNext();
    return count;
  }

  /** Renews the views of what lies at the same place for every body. */
  #look(kernel: KernelExports): void {
    const { buffer } = kernel.memory;
    if (this.entries.buffer === buffer) return;
    const { entriesAt, valuesAt } = layout(kernel);
    this.entries = new Int32Array(buffer, entriesAt, RUN_LINES_MAX);
    this.values = new Float64Array(buffer, valuesAt, RUN_LINES_MAX);
  }
}

/** [powers | values | entries | starts | ends | next | arena | body] */
function layout(kernel: KernelExports) {
  const powersAt = align(kernel.heapBase());
  const valuesAt = align(powersAt + POWERS_BYTES);
  const entriesAt = valuesAt + RUN_LINES_MAX * 8;
  return { powersAt, valuesAt, entriesAt, runsEnd: align(entriesAt + RUN_LINES_MAX * 4) };
}

function prepare(): KernelExports {
  const kernel = instantiate();
  const { powersAt, runsEnd } = layout(kernel);
  ensureMemory(kernel, runsEnd);
  const view = new DataView(kernel.memory.buffer, powersAt, POWERS_BYTES);
  for (let exponent = -POWERS_MAX; exponent <= POWERS_MAX; exponent++) {
    const power = powerOfFive(exponent);
    const at = (exponent + POWERS_MAX) * 16;
    view.setBigUint64(at, power >> 64n, true);
    view.setBigUint64(at + 8, power & 0xffff_ffff_ffff_ffffn, true);
  }
  kernel.setPowersOfFive(powersAt, POWERS_MAX);
  return kernel;
}

/**
 * The 128 leading bits of 5^exponent: cut off for positive exponents, rounded up for negative ones,
 * as the algorithm of Eisel and Lemire wants them.
 */
function powerOfFive(exponent: number): bigint {
  const power = 5n ** BigInt(Math.abs(exponent));
  const bits = BigInt(power.toString(2).length);
  if (exponent >= 0) return bits <= 128n ? power << (128n - bits) : power >> (bits - 128n);
  if (exponent >= -27) return (1n << (bits + 127n)) / power + 1n;
  let inverse = (1n << (2n * bits + 128n)) / power + 1n;
  while (inverse >= 1n << 128n) inverse /= 2n;
  return inverse;
}
