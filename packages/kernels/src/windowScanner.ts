/**
 * Decodes series one after the other and computes their windows where they were decoded, in the
 * memory of an instance of its own: samples never leave it, only results do. For each series:
 * `startSeries`, then its chunks and samples in rising time, `compute`, and then its column is
 * taken or added to that of a group.
 *
 * Memory: [static data | bounds and results of each step | groups | input | samples | scratch];
 * what becomes too small is given room behind everything else.
 */
import { assert, must, TytoError } from '@tyto/base';
import type { GroupOperator, WindowRequest } from '@tyto/model';
import { align, ensureMemory, instantiate, SLACK_BYTES } from './instance.ts';
import { chunkSampleCount } from './kernels.ts';
import { MEMORY_KEPT_BYTES } from './limits.ts';

const INPUT_BYTES = 64 * 1024;
const SAMPLES = 8192;
/** A timestamp, a value, and 16 bytes for what kernels note of a sample. */
const BYTES_PER_SAMPLE = 32;

/** Where the columns of a request's steps and groups are. */
interface Places {
  readonly froms: number;
  readonly tos: number;
  readonly out: number;
  readonly present: number;
  readonly groups: number;
}

export class WindowScanner {
  readonly #kernel = instantiate();
  #end = 0;
  #places: Places = { froms: 0, tos: 0, out: 0, present: 0, groups: 0 };
  #request: WindowRequest | undefined;
  #groupCount = 0;
  #input = 0;
  #inputCapacity = 0;
  #samples = 0;
  #capacity = 0;
  #length = 0;

  /** Whether its memory has grown so far that it should be given up after its use. */
  get isLarge(): boolean {
    return this.#kernel.memory.buffer.byteLength > MEMORY_KEPT_BYTES;
  }

  /** Samples of the series so far; after `compute`, those that counted. */
  get length(): number {
    return this.#length;
  }

  /** Begins with a request; its groups, if any, are empty. */
  begin(request: WindowRequest, groupCount: number): void {
    this.#end = align(this.#kernel.heapBase());
    this.#request = request;
    this.#groupCount = groupCount;
    const { count } = request;
    const groupBytes = groupCount * count * 24;
    this.#places = {
      froms: this.#allocate(count * 4),
      tos: this.#allocate(count * 4),
      out: this.#allocate(count * 8),
      present: this.#allocate(count),
      groups: this.#allocate(groupBytes),
    };
    this.#bytes(this.#places.groups, groupBytes).fill(0);
    this.#inputCapacity = 0;
    this.#capacity = 0;
    this.#length = 0;
    this.#reserveInput(INPUT_BYTES);
    this.#reserve(SAMPLES);
  }

  startSeries(): void {
    this.#length = 0;
  }

  /**
   * Adds a chunk, of which samples before `minTimeMs` do not count. Throws TytoError `io` for
   * damage, or time that does not rise.
   */
  addChunk(chunk: Uint8Array, minTimeMs: number): void {
    const count = chunkSampleCount(chunk);
    this.#reserve(count);
    this.#reserveInput(chunk.length);
    this.#bytes(this.#input, chunk.length).set(chunk);
    const timestamps = this.#timestampsAt(this.#length);
    const values = this.#valuesAt(this.#length);
    const decoded = this.#kernel.decodeChunk(
      this.#input,
      chunk.length,
      timestamps,
      values,
      count,
    );
    if (decoded !== count) throw new TytoError('io', 'corrupt chunk: its streams do not decode');
    this.#append(count, minTimeMs);
  }

  /** Adds samples [from, from + count) of two columns, whose bits are kept. As `addChunk`. */
  addSamples(
    timestamps: Float64Array,
    values: Float64Array,
    from: number,
    count: number,
    minTimeMs: number,
  ): void {
    if (count === 0) return;
    this.#reserve(count);
    this.#copyIn(this.#timestampsAt(this.#length), timestamps, from, count);
    this.#copyIn(this.#valuesAt(this.#length), values, from, count);
    this.#append(count, minTimeMs);
  }

  /** Computes the column of the series; whether it has a result at any step. */
  compute(): boolean {
    const { name, startMs, stepMs, count, rangeMs } = this.#begun();
    const { froms, tos, present } = this.#places;
    const kernel = this.#kernel;
    const timestamps = this.#timestampsAt(0);
    const values = this.#valuesAt(0);
    const stale = kernel.countStale(values, 0, this.#length);
    if (stale > 0 && name !== 'last') {
      this.#length = kernel.dropStale(timestamps, values, this.#length);
    }
    kernel.bounds(timestamps, this.#length, startMs, stepMs, count, rangeMs, froms, tos);
    this.#run();
    return this.#bytes(present, count).includes(1);
  }

  /** The results of the series, a view valid until the next call. */
  get values(): Float64Array {
    return this.#floats(this.#places.out, this.#begun().count);
  }

  /** 1 where there is a result; a view valid until the next call. */
  get present(): Uint8Array {
    return this.#bytes(this.#places.present, this.#begun().count);
  }

  /** Adds the column of the series to that of a group. */
  addTo(group: number, operator: GroupOperator): void {
    assert(group < this.#groupCount, 'as many groups as were begun with');
    const { count } = this.#begun();
    const { out, present } = this.#places;
    const [values, errors, counts] = [0, 1, 2].map((column) => this.#groupAt(column, group));
    if (operator === 'sum') {
      this.#kernel.addToSums(out, present, count, values, errors, counts);
    } else if (operator === 'count') {
      this.#kernel.addToCounts(present, count, counts);
    } else {
      const isMax = operator === 'max' ? 1 : 0;
      this.#kernel.addToExtremes(out, present, count, isMax, values, counts);
    }
  }

  /** The values, errors or counts of all groups, a view valid until the next call. */
  groupColumn(column: 'values' | 'errors' | 'counts'): Float64Array {
    const index = { values: 0, errors: 1, counts: 2 }[column];
    return this.#floats(this.#groupAt(index, 0), this.#groupCount * this.#begun().count);
  }

  #run(): void {
    const kernel = this.#kernel;
    const { name, startMs, stepMs, count, rangeMs, quantile = NaN } = this.#begun();
    const { froms, tos, out, present } = this.#places;
    const timestamps = this.#timestampsAt(0);
    const values = this.#valuesAt(0);
    const scratch = this.#samples + this.#capacity * 16;
    const length = this.#length;
    switch (name) {
      case 'rate':
      case 'increase':
      case 'delta': {
        const isCounter = name === 'delta' ? 0 : 1;
        const resets = isCounter === 1 ? kernel.findResets(values, length, scratch) : 0;
        const isRate = name === 'rate' ? 1 : 0;
        kernel.rateOf(
          timestamps,
          values,
          froms,
          tos,
          scratch,
          resets,
          startMs,
          stepMs,
          count,
          rangeMs,
          isCounter,
          isRate,
          out,
          present,
        );
        break;
      }
      case 'irate':
      case 'idelta': {
        const isRate = name === 'irate' ? 1 : 0;
        kernel.lastPairOf(timestamps, values, froms, tos, count, isRate, out, present);
        break;
      }
      case 'changes':
      case 'resets': {
        const onlyFalls = name === 'resets' ? 1 : 0;
        kernel.changesOf(values, length, froms, tos, count, onlyFalls, scratch, out, present);
        break;
      }
      case 'sum_over_time':
      case 'avg_over_time': {
        const isMean = name === 'avg_over_time' ? 1 : 0;
        kernel.sumOf(values, length, froms, tos, count, isMean, scratch, out, present);
        break;
      }
      case 'min_over_time':
      case 'max_over_time': {
        const isMax = name === 'max_over_time' ? 1 : 0;
        kernel.extremeOf(values, length, froms, tos, count, isMax, scratch, out, present);
        break;
      }
      case 'count_over_time':
      case 'present_over_time': {
        const onlyOne = name === 'present_over_time' ? 1 : 0;
        kernel.countOf(froms, tos, count, onlyOne, out, present);
        break;
      }
      case 'first_over_time':
        kernel.firstOf(values, froms, tos, count, out, present);
        break;
      case 'last':
      case 'last_over_time':
        kernel.lastOf(values, froms, tos, count, out, present);
        break;
      case 'quantile_over_time': {
        const spare = scratch + this.#capacity * 8;
        kernel.quantileOf(values, froms, tos, count, quantile, scratch, spare, out, present);
      }
    }
  }

  /** Counts samples behind the others in, without those that are too early. */
  #append(added: number, minTimeMs: number): void {
    const start = this.#length;
    let count = added;
    const timestamps = this.#floats(this.#timestampsAt(0), start + added);
    if (timestamps[start] < minTimeMs) {
      const end = start + added;
      const base = this.#timestampsAt(0);
      const kept = this.#kernel.firstNotBefore(base, start, end, minTimeMs);
      timestamps.copyWithin(start, kept, end);
      this.#floats(this.#valuesAt(0), end).copyWithin(start, kept, end);
      count = end - kept;
    }
    if (start > 0 && count > 0 && timestamps[start] <= timestamps[start - 1]) {
      throw new TytoError('io', 'the chunks of a series overlap');
    }
    this.#length += count;
  }

  #begun(): WindowRequest {
    return must(this.#request, 'begin comes first');
  }

  /** Columns of groups lie behind each other: all values, all errors, all counts. */
  #groupAt(column: number, group: number): number {
    const { count } = this.#begun();
    return this.#places.groups + (column * this.#groupCount + group) * count * 8;
  }

  #timestampsAt(index: number): number {
    return this.#samples + index * 8;
  }

  #valuesAt(index: number): number {
    return this.#samples + (this.#capacity + index) * 8;
  }

  #reserveInput(bytes: number): void {
    if (bytes <= this.#inputCapacity) return;
    this.#inputCapacity = bytes;
    this.#input = this.#allocate(bytes);
  }

  /** Room for `count` more samples, and for one behind them. */
  #reserve(count: number): void {
    const needed = this.#length + count + 1;
    if (needed <= this.#capacity) return;
    const timestamps = this.#timestampsAt(0);
    const values = this.#valuesAt(0);
    this.#capacity = Math.max(needed, this.#capacity * 2);
    this.#samples = this.#allocate(this.#capacity * BYTES_PER_SAMPLE);
    const memory = new Uint8Array(this.#kernel.memory.buffer);
    const bytes = this.#length * 8;
    memory.copyWithin(this.#timestampsAt(0), timestamps, timestamps + bytes);
    memory.copyWithin(this.#valuesAt(0), values, values + bytes);
  }

  #allocate(bytes: number): number {
    const at = this.#end;
    this.#end = align(at + bytes + SLACK_BYTES);
    ensureMemory(this.#kernel, this.#end + SLACK_BYTES);
    return at;
  }

  #copyIn(at: number, source: Float64Array, from: number, count: number): void {
    const bytes = new Uint8Array(source.buffer, source.byteOffset + from * 8, count * 8);
    this.#bytes(at, count * 8).set(bytes);
  }

  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#kernel.memory.buffer, at, length);
  }

  #floats(at: number, length: number): Float64Array {
    return new Float64Array(this.#kernel.memory.buffer, at, length);
  }
}
