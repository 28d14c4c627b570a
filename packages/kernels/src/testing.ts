/** Helpers of this package's tests: protobuf messages in the plainest way. Not exported. */
import { FLAG_CONTINUED, FLAG_EXTRAS, FLAG_METADATA, FLAG_UNORDERED } from '@tyto/kernels';
import {
  encodeSnappy,
  RECORD_END,
  RECORD_FIRST_SAMPLE,
  RECORD_FLAGS,
  RECORD_LABELS_END,
  RECORD_LABELS_START,
  RECORD_SAMPLE_COUNT,
  RECORD_START,
  RECORD_WORDS,
  type SlowSeries,
  WriteRequestReader,
  type WriteVersion,
} from '@tyto/kernels';

export const KEY = Uint8Array.from({ length: 16 }, (_, i) => i);

export function varint(value: bigint | number): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

export function message(field: number, contents: readonly number[]): number[] {
  return [...varint(field * 8 + 2), ...varint(contents.length), ...contents];
}

export function text(field: number, value: string): number[] {
  return message(field, [...new TextEncoder().encode(value)]);
}

/** A Sample; what is zero is left out, as protobuf does. */
export function sample(timestamp: number | bigint, bits: bigint): number[] {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits, true);
  const value = bits === 0n ? [] : [0x09, ...new Uint8Array(view.buffer)];
  return [...value, ...(BigInt(timestamp) === 0n ? [] : [0x10, ...varint(timestamp)])];
}

export function label(name: string, value: string): number[] {
  return message(1, [...text(1, name), ...text(2, value)]);
}

/** What the kernel makes of a request, in the twin's terms; and whether the flags agree with it. */
export function readFast(body: Uint8Array, version: WriteVersion): SlowSeries[] {
  const reader = new WriteRequestReader(KEY);
  const block = encodeSnappy(body);
  const middle = block.length >> 1;
  reader.open([block.subarray(0, middle), block.subarray(middle)], version, 1 << 26);
  const found: SlowSeries[] = [];
  for (let count = reader.next(); count > 0; count = reader.next()) {
    for (let i = 0; i < count; i++) addRecord(found, reader, i * RECORD_WORDS, version);
  }
  reader.close();
  return found;
}

function addRecord(
  found: SlowSeries[],
  { records, timestamps, values }: WriteRequestReader,
  at: number,
  version: WriteVersion,
): void {
  const first = records[at + RECORD_FIRST_SAMPLE];
  const count = records[at + RECORD_SAMPLE_COUNT];
  const flags = records[at + RECORD_FLAGS];
  const bits = new BigUint64Array(values.buffer, values.byteOffset + first * 8, count);
  const times = [...timestamps.subarray(first, first + count)];
  const rises = times.every((time, i) => i === 0 || time > times[i - 1]);
  if (!rises && (flags & FLAG_UNORDERED) === 0) throw new Error('unordered, and not flagged');
  const half = (word: number) =>
    (BigInt(records[at + word + 1]) << 32n) | BigInt(records[at + word]);
  const earlier = (flags & FLAG_CONTINUED) === 0 ? undefined : found.pop();
  found.push({
    kind: version === 1 && (flags & FLAG_METADATA) !== 0 ? 'metadata' : 'series',
    hash: [half(0), half(2)],
    start: records[at + RECORD_START],
    end: records[at + RECORD_END],
    labelsStart: records[at + RECORD_LABELS_START],
    labelsEnd: records[at + RECORD_LABELS_END],
    timestamps: [...(earlier?.timestamps ?? []), ...times],
    valueBits: [...(earlier?.valueBits ?? []), ...bits],
    hasExtras: (flags & FLAG_EXTRAS) !== 0,
    hasMetadata: (flags & FLAG_METADATA) !== 0,
  });
}
