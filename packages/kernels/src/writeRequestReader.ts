/**
 * Remote write requests (1.0 and 2.0) as columns: the kernels decompress and parse a body in their
 * memory, and what comes out is read through views of it. No object or string a series.
 *
 * `open` a body, then `next` until it gives 0, then `close`. Between two calls of `next` the batch
 * of records and samples is valid; nobody else uses this instance's memory, so the caller may do
 * anything in between but await. Series with more samples than a batch come as several records.
 */
import { assert, TytoError } from '@tyto/base';
import { align, ensureMemory, instantiate, type KernelExports, SLACK_BYTES } from './instance.ts';
import { MEMORY_KEPT_BYTES, REFERENCES_MAX, SYMBOLS_MAX } from './limits.ts';
import { claimedSize } from './snappy.ts';

export type WriteVersion = 1 | 2;

/** A record is this many u32; see the places below. */
export const RECORD_WORDS = 12;
/** Words 0 to 3 of a record are the hash of the series' labels. */
export const RECORD_START = 4;
export const RECORD_END = 5;
export const RECORD_LABELS_START = 6;
export const RECORD_LABELS_END = 7;
export const RECORD_FIRST_SAMPLE = 8;
export const RECORD_SAMPLE_COUNT = 9;
export const RECORD_FLAGS = 10;

/** The record goes on with the series of the one before. */
export const FLAG_CONTINUED = 1;
/** The message has histograms or exemplars. */
export const FLAG_EXTRAS = 2;
/** 1.0: the record is no series but a MetricMetadata. 2.0: the message has a Metadata. */
export const FLAG_METADATA = 4;
/** The timestamps of the record's samples do not strictly rise. */
export const FLAG_UNORDERED = 8;

const BATCH_RECORDS = 1024;
const BATCH_SAMPLES = 8192;

const SYMBOL_BYTES = 24;
const KEY_BYTES = 16;
const FAILURES: Readonly<Record<number, string>> = {
  [-1]: 'the protobuf message is malformed',
  [-2]: `a series has more than ${REFERENCES_MAX / 2} labels`,
  [-3]: `a series of more than ${BATCH_SAMPLES} samples has labels behind them`,
};

export class WriteRequestReader {
  /** RECORD_WORDS a record. Positions in them are relative to `body`. */
  records = new Uint32Array(0);
  timestamps = new Float64Array(0);
  /** With the bits as they were sent. */
  values = new Float64Array(0);
  /** The decompressed request. */
  body = new Uint8Array(0);
  /** 2.0: six u32 a symbol, the first two of which are its start and end in `body`. */
  symbols = new Uint32Array(0);
  symbolCount = 0;
  readonly #key: Uint8Array;
  #kernel: KernelExports | undefined;

  /** `key`: 16 random bytes, secret, so that nobody can make series whose hashes collide. */
  constructor(key: Uint8Array) {
    assert(key.length === KEY_BYTES, 'the key of the hash has 16 bytes');
    this.#key = key;
  }

  /**
   * Begins with a body as it came, in any number of pieces. Throws TytoError `bad_data` for what is
   * no request, `too_large` when it decompresses to more than `bytesMax`.
   */
  open(pieces: readonly Uint8Array[], version: WriteVersion, bytesMax: number): void {
    this.#kernel ??= instantiate();
    const kernel = this.#kernel;
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const { compressedAt } = layout(kernel);
    const bodyAt = align(compressedAt + length + SLACK_BYTES);
    ensureMemory(kernel, bodyAt);
    let at = compressedAt;
    for (const piece of pieces) {
      new Uint8Array(kernel.memory.buffer, at, piece.length).set(piece);
      at += piece.length;
    }
    const size = claimedSize(kernel, compressedAt, length, bytesMax);
    ensureMemory(kernel, bodyAt + size + SLACK_BYTES);
    if (kernel.snappyDecode(compressedAt, length, bodyAt, size) === 0) {
      throw new TytoError('bad_data', 'snappy: corrupt input');
    }
    this.#begin(kernel, bodyAt, size, version);
  }

  /** Reads on; how many records there are now, 0 at the end. Throws TytoError `bad_data`. */
  next(): number {
    const kernel = this.#kernel;
    assert(kernel !== undefined, 'a request is open');
    const { recordsAt, timestampsAt, valuesAt } = layout(kernel);
    const count = kernel.readBatch(recordsAt, BATCH_RECORDS, timestampsAt, valuesAt, BATCH_SAMPLES);
    if (count < 0) throw new TytoError('bad_data', FAILURES[count]);
    return count;
  }

  /** Ends with the request. A memory that a giant has blown up is given back. */
  close(): void {
    const size = this.#kernel?.memory.buffer.byteLength ?? 0;
    if (size <= MEMORY_KEPT_BYTES) return;
    this.#kernel = undefined;
    // Views keep the memory that they look at.
    this.records = this.symbols = new Uint32Array(0);
    this.timestamps = this.values = new Float64Array(0);
    this.body = new Uint8Array(0);
  }

  #begin(kernel: KernelExports, bodyAt: number, size: number, version: WriteVersion): void {
    const { keyAt } = layout(kernel);
    new Uint8Array(kernel.memory.buffer, keyAt, KEY_BYTES).set(this.#key);
    kernel.openRequest(bodyAt, size, version, keyAt);
    this.symbolCount = 0;
    const symbolsAt = align(bodyAt + size + SLACK_BYTES);
    if (version === 2) {
      const count = kernel.countSymbols();
      if (count < 0) throw new TytoError('bad_data', FAILURES[count]);
      if (count > SYMBOLS_MAX) {
        throw new TytoError('bad_data', `the request has more than ${SYMBOLS_MAX} symbols`);
      }
      const scratchAt = align(symbolsAt + count * SYMBOL_BYTES + SLACK_BYTES);
      ensureMemory(kernel, scratchAt + REFERENCES_MAX * 16 + SLACK_BYTES);
      kernel.readSymbols(symbolsAt, scratchAt, REFERENCES_MAX);
      this.symbolCount = count;
    }
    this.#look(kernel);
    const { buffer } = kernel.memory;
    this.body = new Uint8Array(buffer, bodyAt, size);
    const words = (this.symbolCount * SYMBOL_BYTES) / 4;
    this.symbols = new Uint32Array(buffer, this.symbolCount === 0 ? 0 : symbolsAt, words);
  }

  /** Renews the views of what lies at the same place in every request. */
  #look(kernel: KernelExports): void {
    const { buffer } = kernel.memory;
    if (this.records.buffer === buffer) return;
    const { recordsAt, timestampsAt, valuesAt } = layout(kernel);
    this.records = new Uint32Array(buffer, recordsAt, BATCH_RECORDS * RECORD_WORDS);
    this.timestamps = new Float64Array(buffer, timestampsAt, BATCH_SAMPLES);
    this.values = new Float64Array(buffer, valuesAt, BATCH_SAMPLES);
  }
}

/** [key | records | timestamps | values | compressed body | body | symbols | scratch] */
function layout(kernel: KernelExports) {
  const keyAt = align(kernel.heapBase());
  const recordsAt = keyAt + KEY_BYTES;
  const timestampsAt = recordsAt + BATCH_RECORDS * RECORD_WORDS * 4;
  const valuesAt = timestampsAt + BATCH_SAMPLES * 8;
  return { keyAt, recordsAt, timestampsAt, valuesAt, compressedAt: valuesAt + BATCH_SAMPLES * 8 };
}
