/** The columns of a batch of samples, made to be used again by the next batch. */
import { bitsOf } from '@tyto/model';

const FIRST_SAMPLES = 256;
/** Larger columns are not kept for the next batch. */
const KEPT_SAMPLES_MAX = 65_536;
/** How many are kept: as many batches as are open at once, usually. */
const KEPT_MAX = 8;

export class BatchColumns {
  /** References of series. */
  refs = new Float64Array(FIRST_SAMPLES);
  timestamps = new Float64Array(FIRST_SAMPLES);
  values = new Float64Array(FIRST_SAMPLES);
  /** The bits of `values`. */
  bits = bitsOf(this.values);
  /** 0 for an unknown one; null when all are, as they mostly are. */
  startTimes: Float64Array | null = null;
  count = 0;

  /** Makes room for `count` more samples; the arrays may be replaced. */
  reserve(count: number): void {
    if (this.count + count <= this.refs.length) return;
    const size = Math.max(this.count + count, this.refs.length * 2);
    const refs = new Float64Array(size);
    refs.set(this.refs.subarray(0, this.count));
    const timestamps = new Float64Array(size);
    timestamps.set(this.timestamps.subarray(0, this.count));
    const values = new Float64Array(size);
    const bits = bitsOf(values);
    bits.set(this.bits.subarray(0, this.count * 2));
    if (this.startTimes !== null) {
      const startTimes = new Float64Array(size);
      startTimes.set(this.startTimes.subarray(0, this.count));
      this.startTimes = startTimes;
    }
    this.refs = refs;
    this.timestamps = timestamps;
    this.values = values;
    this.bits = bits;
  }

  /** Notes the start time of a sample, which is not 0. */
  setStartTime(index: number, startTimeMs: number): void {
    this.startTimes ??= new Float64Array(this.refs.length);
    this.startTimes[index] = startTimeMs;
  }

  /** Whether two samples have the same bits. */
  same(a: number, b: number): boolean {
    const { bits } = this;
    return bits[2 * a] === bits[2 * b] && bits[2 * a + 1] === bits[2 * b + 1];
  }

  /** Moves samples [from, end) to `to`, which is not behind them. */
  moveUp(from: number, end: number, to: number): void {
    if (from === to) return;
    this.timestamps.copyWithin(to, from, end);
    this.bits.copyWithin(to * 2, from * 2, end * 2);
    this.startTimes?.copyWithin(to, from, end);
  }
}

/** Columns that wait for the next batch. */
export class ColumnPool {
  readonly #columns: BatchColumns[] = [];

  take(): BatchColumns {
    const columns = this.#columns.pop() ?? new BatchColumns();
    columns.count = 0;
    columns.startTimes = null;
    return columns;
  }

  giveBack(columns: BatchColumns): void {
    const fits = columns.refs.length <= KEPT_SAMPLES_MAX && this.#columns.length < KEPT_MAX;
    if (fits) this.#columns.push(columns);
  }
}
