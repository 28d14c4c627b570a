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
  /** Views of all memory, made anew when it grows. */
  #bytes = new Uint8Array(0);
  #words = new Uint32Array(0);
  #floats = new Float64Array(0);
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
    this.#bytes.fill(0, this.#places.groups, this.#places.groups + groupBytes);
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
    this.#bytes.set(chunk, this.#input);
    const timestamps = this.#timestampsAt(this.#length);
    const values = this.#valuesAt(this.#length);
    const decoded = this.#kernel.decodeChunk(this.#input, chunk.length, timestamps, values, count);
    if (decoded !== count) throw new TytoError('io', 'corrupt chunk: its streams do not decode');
    this.#append(count, minTimeMs);
  }

  /**
   * Adds samples [from, from + count) of a column of times and one of the bits of values, of which
   * those before `minTimeMs` do not count. Throws as `addChunk`.
   */
  addSamples(
    timestamps: Float64Array,
    bits: Uint32Array,
    from: number,
    count: number,
    minTimeMs: number,
  ): void {
    if (count === 0) return;
    this.#reserve(count);
    const timesAt = this.#timestampsAt(this.#length) / 8;
    const valuesAt = this.#valuesAt(this.#length) / 4;
    for (let i = 0; i < count; i++) this.#floats[timesAt + i] = timestamps[from + i];
    for (let i = 0; i < 2 * count; i++) this.#words[valuesAt + i] = bits[2 * from + i];
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
    return this.#bytes.subarray(present, present + count).includes(1);
  }

  /** The results of the series, a view valid until the next call. */
  get values(): Float64Array {
    return this.#view(this.#places.out, this.#begun().count);
  }

  /** 1 where there is a result; a view valid until the next call. */
  get present(): Uint8Array {
    const { present } = this.#places;
    return this.#bytes.subarray(present, present + this.#begun().count);
  }

  /** Adds the column of the series to that of a group. */
  addTo(group: number, operator: GroupOperator): void {
    assert(group < this.#groupCount, 'as many groups as were begun with');
    const { count } = this.#begun();
    const { out, present } = this.#places;
    const values = this.#groupAt(0, group);
    const errors = this.#groupAt(1, group);
    const counts = this.#groupAt(2, group);
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
    return this.#view(this.#groupAt(index, 0), this.#groupCount * this.#begun().count);
  }

  #run(): void {
    const kernel = this.#kernel;
    const { name, count, quantile = NaN } = this.#begun();
    const { froms, tos, out, present } = this.#places;
    const timestamps = this.#timestampsAt(0);
    const values = this.#valuesAt(0);
    const scratch = this.#samples + this.#capacity * 16;
    const length = this.#length;
    switch (name) {
      case 'rate':
      case 'increase':
      case 'delta':
        this.#rate(timestamps, values, scratch);
        break;
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

  #rate(timestamps: number, values: number, scratch: number): void {
    const { name, startMs, stepMs, count, rangeMs } = this.#begun();
    const { froms, tos, out, present } = this.#places;
    const isCounter = name !== 'delta';
    this.#kernel.rateOf(
      timestamps,
      values,
      froms,
      tos,
      scratch,
      isCounter ? this.#kernel.findResets(values, this.#length, scratch) : 0,
      startMs,
      stepMs,
      count,
      rangeMs,
      isCounter ? 1 : 0,
      name === 'rate' ? 1 : 0,
      out,
      present,
    );
  }

  /** Counts samples behind the others in, without those that are too early. */
  #append(added: number, minTimeMs: number): void {
    const start = this.#length;
    const end = start + added;
    const times = this.#timestampsAt(0) / 8;
    const floats = this.#floats;
    let count = added;
    if (floats[times + start] < minTimeMs) {
      const kept = this.#kernel.firstNotBefore(this.#timestampsAt(0), start, end, minTimeMs);
      floats.copyWithin(times + start, times + kept, times + end);
      const values = this.#valuesAt(0) / 8;
      floats.copyWithin(values + start, values + kept, values + end);
      count = end - kept;
    }
    if (start > 0 && count > 0 && floats[times + start] <= floats[times + start - 1]) {
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
    const bytes = this.#length * 8;
    this.#bytes.copyWithin(this.#timestampsAt(0), timestamps, timestamps + bytes);
    this.#bytes.copyWithin(this.#valuesAt(0), values, values + bytes);
  }

  #allocate(bytes: number): number {
    const at = this.#end;
    this.#end = align(at + bytes + SLACK_BYTES);
    const grew = ensureMemory(this.#kernel, this.#end + SLACK_BYTES);
    if (grew || this.#bytes.length === 0) {
      const { buffer } = this.#kernel.memory;
      this.#bytes = new Uint8Array(buffer);
      this.#words = new Uint32Array(buffer);
      this.#floats = new Float64Array(buffer);
    }
    return at;
  }

  #view(at: number, length: number): Float64Array {
    return this.#floats.subarray(at / 8, at / 8 + length);
  }
}
