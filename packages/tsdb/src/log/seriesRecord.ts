/**
 * The record that defines series. Its texts and label pairs are written once each, so a record of
 * many series costs little more than four bytes a label. See docs/formats/log.md for the bytes.
 */
import { copyBytes } from '@tyto/base';
import type { LabelPairs } from '../series/labelPairs.ts';
import type { SeriesTable } from '../series/seriesTable.ts';
import { FRAME_BYTES, frameRecord, SERIES, sealRecord } from './frame.ts';

/** Text and pair references in one record at most, well below what a record may hold. */
const BYTES_MAX = 4 * 1024 * 1024;
const HEADER_BYTES = 1 + 5 * 4;

/** Records that define these series, those that are still there. */
export function encodeSeries(series: SeriesTable, ids: ArrayLike<number>): Uint8Array[] {
  const records: Uint8Array[] = [];
  const encoder = new SeriesRecord(series.labelPairs);
  for (let i = 0; i < ids.length; i++) {
    if (!series.isLive(ids[i])) continue;
    encoder.add(ids[i], series.pairsOf(ids[i]));
    if (encoder.bytes >= BYTES_MAX) records.push(encoder.finish());
  }
  if (encoder.bytes > 0) records.push(encoder.finish());
  return records;
}

/** One record on its way. */
class SeriesRecord {
  readonly #source: LabelPairs;
  /** Number in this record + 1 of each pair and symbol that is in it. */
  readonly #localPair = new Map<number, number>();
  readonly #localSymbol = new Map<number, number>();
  #texts: Uint8Array[] = [];
  #symbolEnds: number[] = [];
  #pairs: number[] = [];
  #ids: number[] = [];
  #refEnds: number[] = [];
  #refs: number[] = [];
  #textBytes = 0;

  constructor(source: LabelPairs) {
    this.#source = source;
  }

  get bytes(): number {
    return this.#textBytes + this.#refs.length * 4;
  }

  add(id: number, pairs: Uint32Array): void {
    for (const pair of pairs) this.#refs.push(this.#local(pair));
    this.#ids.push(id);
    this.#refEnds.push(this.#refs.length);
  }

  finish(): Uint8Array {
    const columns = [this.#symbolEnds, this.#pairs, this.#ids, this.#refEnds, this.#refs];
    const numbers = columns.reduce((sum, column) => sum + column.length, 0);
    const record = frameRecord(SERIES, HEADER_BYTES - 1 + numbers * 4 + this.#textBytes);
    const view = new DataView(record.buffer);
    let at = FRAME_BYTES + 1;
    const put = (value: number) => {
      view.setUint32(at, value, true);
      at += 4;
    };
    for (const column of columns) put(column.length);
    for (const column of columns) column.forEach(put);
    for (const text of this.#texts) {
      record.set(text, at);
      at += text.length;
    }
    this.#clear();
    return sealRecord(record);
  }

  #local(pair: number): number {
    const known = this.#localPair.get(pair);
    if (known !== undefined) return known;
    const local = this.#pairs.length / 2;
    this.#localPair.set(pair, local);
    const name = this.#symbol(this.#source.nameOf(pair));
    this.#pairs.push(name, this.#symbol(this.#source.valueOf(pair)));
    return local;
  }

  #symbol(symbol: number): number {
    const known = this.#localSymbol.get(symbol);
    if (known !== undefined) return known;
    const local = this.#symbolEnds.length;
    this.#localSymbol.set(symbol, local);
    const bytes = this.#source.symbols.bytes(symbol);
    this.#texts.push(bytes);
    this.#textBytes += bytes.length;
    this.#symbolEnds.push(this.#textBytes);
    return local;
  }

  #clear(): void {
    this.#localPair.clear();
    this.#localSymbol.clear();
    this.#texts = [];
    this.#symbolEnds = [];
    this.#pairs = [];
    this.#ids = [];
    this.#refEnds = [];
    this.#refs = [];
    this.#textBytes = 0;
  }
}

/** Definitions of series as a record has them; numbers are the record's own. */
export interface SeriesDefinitions {
  readonly text: Uint8Array;
  readonly symbolEnds: Uint32Array;
  /** name symbol, value symbol, … */
  readonly pairs: Uint32Array;
  readonly ids: Uint32Array;
  readonly refEnds: Uint32Array;
  /** Pairs of all series, series after series. */
  readonly refs: Uint32Array;
}

/** Undefined when the payload is no such record. */
export function decodeSeries(payload: Uint8Array): SeriesDefinitions | undefined {
  if (payload.length < HEADER_BYTES) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const lengths = [0, 1, 2, 3, 4].map((i) => view.getUint32(1 + 4 * i, true));
  let at = HEADER_BYTES;
  if (at + lengths.reduce((a, b) => a + b, 0) * 4 > payload.length) return undefined;
  const [symbolEnds, pairs, ids, refEnds, refs] = lengths.map((length) => {
    const bytes = copyBytes(payload.subarray(at, at + length * 4));
    at += length * 4;
    return new Uint32Array(bytes.buffer, 0, length);
  });
  const text = payload.subarray(at);
  const sound =
    rises(symbolEnds, text.length) &&
    rises(refEnds, refs.length) &&
    refEnds.length === ids.length &&
    pairs.every((symbol) => symbol < symbolEnds.length) &&
    refs.every((pair) => pair < pairs.length / 2);
  return sound ? { text, symbolEnds, pairs, ids, refEnds, refs } : undefined;
}

/** Whether the numbers never fall and end with `last`. */
function rises(numbers: Uint32Array, last: number): boolean {
  for (let i = 1; i < numbers.length; i++) if (numbers[i] < numbers[i - 1]) return false;
  return (numbers.at(-1) ?? 0) === last;
}

/** Puts defined series back; says which are new at their id. */
export function restoreSeries(
  series: SeriesTable,
  definitions: SeriesDefinitions,
  restored: (id: number) => void,
): void {
  const { text, symbolEnds, pairs, ids, refEnds, refs } = definitions;
  const { labelPairs } = series;
  const symbols = symbolEnds.map((end, i) =>
    labelPairs.symbols.internBytes(text, i === 0 ? 0 : symbolEnds[i - 1], end),
  );
  const pairOf = new Uint32Array(pairs.length / 2);
  for (let i = 0; i < pairOf.length; i++) {
    pairOf[i] = labelPairs.intern(symbols[pairs[2 * i]], symbols[pairs[2 * i + 1]]);
  }
  const own = new Uint32Array(refs.length);
  for (let i = 0; i < refs.length; i++) own[i] = pairOf[refs[i]];
  let start = 0;
  for (let i = 0; i < ids.length; i++) {
    const count = refEnds[i] - start;
    if (count > 0 && series.restore(ids[i], own.subarray(start, refEnds[i]), count)) {
      restored(ids[i]);
    }
    start = refEnds[i];
  }
}
