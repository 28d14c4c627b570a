/**
 * Loki's PushRequest in protobuf, after Snappy is undone:
 *
 *   PushRequest { repeated Stream streams = 1 }
 *   Stream { string labels = 1, repeated Entry entries = 2 }
 *   Entry { Timestamp timestamp = 1, string line = 2, repeated Pair structuredMetadata = 3 }
 *   Pair { string name = 1, string value = 2 }
 */
import { TytoError } from '@tyto/base';
import { Labels } from '@tyto/model';
import { LABEL_COUNT_MAX } from './limits.ts';
import { decodeLossy, type LogVisitor } from './logVisitor.ts';
import { ProtobufReader } from './protobufReader.ts';

const NS_PER_SECOND = 1_000_000_000n;
const NS_PER_SECOND_NUMBER = 1e9;

/** Throws TytoError `bad_data` for a malformed request, and what visiting throws. */
export function walkLokiPush(bytes: Uint8Array, visitor: LogVisitor): void {
  const reader = new ProtobufReader(bytes);
  const entries = new EntryReader(bytes, visitor);
  while (reader.next()) {
    if (reader.field !== 1) continue;
    reader.message();
    walkStream(bytes, reader.start, reader.end, entries, visitor);
  }
}

function walkStream(
  bytes: Uint8Array,
  start: number,
  end: number,
  entries: EntryReader,
  visitor: LogVisitor,
): void {
  // Fields may come in any order, and the labels are wanted first.
  const labels = new ProtobufReader(bytes, start, end);
  let text = '';
  while (labels.next()) {
    if (labels.field !== 1) continue;
    labels.message();
    text = decodeLossy(bytes, labels.start, labels.end);
  }
  visitor.streamText(text);
  const stream = new ProtobufReader(bytes, start, end);
  while (stream.next()) if (stream.field === 2) entries.read(stream.message());
}

/** Reads entries one after the other; remembers the metadata of the last one, by its bytes. */
class EntryReader {
  readonly #bytes: Uint8Array;
  readonly #visitor: LogVisitor;
  #seconds = 0;
  #nanos = 0;
  /** Of the last entry that had some: where its pairs begin and end, and what they are. */
  #start = 0;
  #end = 0;
  #metadata = Labels.empty;

  constructor(bytes: Uint8Array, visitor: LogVisitor) {
    this.#bytes = bytes;
    this.#visitor = visitor;
  }

  read(reader: ProtobufReader): void {
    this.#seconds = 0;
    this.#nanos = 0;
    let lineStart = 0;
    let lineEnd = 0;
    let pairsStart = 0;
    let pairsEnd = 0;
    while (reader.next()) {
      if (reader.field === 1) this.#readTime(reader.message());
      else if (reader.field === 2) {
        if (reader.wireType !== 2) throw new TytoError('bad_data', 'the line is no text');
        lineStart = reader.start;
        lineEnd = reader.end;
      } else if (reader.field === 3) {
        if (pairsEnd === 0) pairsStart = reader.fieldStart;
        pairsEnd = reader.end;
      }
    }
    const line = decodeLossy(this.#bytes, lineStart, lineEnd);
    const metadata = pairsEnd === 0 ? Labels.empty : this.#metadataOf(pairsStart, pairsEnd);
    const timestampNs = nanoseconds(this.#seconds, this.#nanos);
    this.#visitor.entry(timestampNs, line, lineEnd - lineStart, metadata);
  }

  #readTime(reader: ProtobufReader): void {
    while (reader.next()) {
      if (reader.field === 1) this.#seconds = reader.int64();
      else if (reader.field === 2) this.#nanos = reader.int32();
    }
  }

  #metadataOf(start: number, end: number): Labels {
    if (!this.#isLast(start, end)) {
      this.#metadata = decodePairs(new ProtobufReader(this.#bytes, start, end));
      this.#start = start;
      this.#end = end;
    }
    return this.#metadata;
  }

  #isLast(start: number, end: number): boolean {
    const length = end - start;
    if (this.#end - this.#start !== length) return false;
    const bytes = this.#bytes;
    for (let i = 0; i < length; i++) {
      if (bytes[this.#start + i] !== bytes[start + i]) return false;
    }
    return true;
  }
}

function nanoseconds(seconds: number, nanos: number): bigint {
  // Most are beyond what a number holds exactly; those of no time at all are not.
  if (seconds === 0) return BigInt(nanos);
  return BigInt(Math.trunc(seconds)) * NS_PER_SECOND + BigInt(nanos % NS_PER_SECOND_NUMBER);
}

function decodePairs(reader: ProtobufReader): Labels {
  const pairs: [string, string][] = [];
  while (reader.next()) {
    if (reader.field !== 3) continue;
    if (pairs.length >= LABEL_COUNT_MAX) {
      throw new TytoError('bad_data', `an entry has more than ${LABEL_COUNT_MAX} metadata labels`);
    }
    pairs.push(decodePair(reader.message()));
  }
  return Labels.fromEntries(pairs);
}

function decodePair(reader: ProtobufReader): [string, string] {
  const pair: [string, string] = ['', ''];
  while (reader.next()) {
    if (reader.field !== 1 && reader.field !== 2) continue;
    reader.message();
    pair[reader.field - 1] = decodeLossy(reader.bytes, reader.start, reader.end);
  }
  return pair;
}
