/**
 * The slow, obvious twin of the kernel that reads remote write requests, on decompressed bytes and
 * without batches. For tests; BigInt where the kernel has 64-bit integers.
 */
import { TytoError } from '@tyto/base';
import { REFERENCES_MAX } from './limits.ts';

const MASK = 0xffff_ffff_ffff_ffffn;

interface Field {
  readonly number: number;
  readonly wireType: number;
  /** Of its tag. */
  readonly start: number;
  /** Of its contents, behind a length. */
  readonly contents: number;
  readonly end: number;
  /** Of a varint or 64 bits. */
  readonly value: bigint;
  readonly tagBytes: number;
}

export interface SlowSeries {
  readonly kind: 'series' | 'metadata';
  readonly hash: readonly [low: bigint, high: bigint];
  readonly start: number;
  readonly end: number;
  readonly labelsStart: number;
  readonly labelsEnd: number;
  readonly timestamps: number[];
  readonly valueBits: bigint[];
  readonly hasExtras: boolean;
  readonly hasMetadata: boolean;
}

/** Throws TytoError `bad_data` for what is malformed. */
export function readWriteRequestSlowly(
  body: Uint8Array,
  version: 1 | 2,
  key: Uint8Array,
): SlowSeries[] {
  const view = new DataView(key.buffer, key.byteOffset, 16);
  const keys: Keys = [view.getBigUint64(0, true) ^ BigInt(version), view.getBigUint64(8, true)];
  const fields = readFields(body, 0, body.length);
  const symbols =
    version === 1
      ? []
      : fields
          .filter(({ number, wireType }) => number === 4 && wireType === 2)
          .map(({ contents, end }) => sipHashSlowly(keys, body.subarray(contents, end)));
  const found: SlowSeries[] = [];
  for (const field of fields) {
    if (field.wireType !== 2) continue;
    if (field.number === (version === 1 ? 1 : 5)) {
      found.push(
        version === 1 ? seriesV1(body, field, keys) : seriesV2(body, field, keys, symbols),
      );
    } else if (version === 1 && field.number === 3) {
      const { contents: start, end } = field;
      const range = { start, end, labelsStart: start, labelsEnd: start };
      const none = { hash: [0n, 0n] as const, timestamps: [], valueBits: [], hasExtras: false };
      found.push({ kind: 'metadata', ...range, ...none, hasMetadata: true });
    }
  }
  return found;
}

type Keys = readonly [bigint, bigint];

function seriesV1(body: Uint8Array, { contents, end }: Field, keys: Keys): SlowSeries {
  const fields = seriesFields(body, contents, end);
  const labels = fields.filter(({ number, wireType }) => number === 1 && wireType === 2);
  let hash: readonly [bigint, bigint] = [0n, 0n];
  for (let i = 0; i < labels.length; ) {
    const start = labels[i].start;
    let last = labels[i++].end;
    while (i < labels.length && labels[i].start === last) last = labels[i++].end;
    const chained = [keys[0] ^ hash[0], keys[1] ^ hash[1]] as const;
    hash = sipHashSlowly(chained, body.subarray(start, last));
  }
  const extras = fields.some(({ number, wireType }) => wireType === 2 && [3, 4].includes(number));
  return { ...common(body, contents, end, fields, labels), hash, hasExtras: extras };
}

function seriesV2(
  body: Uint8Array,
  { contents, end }: Field,
  keys: Keys,
  symbols: readonly (readonly [bigint, bigint])[],
): SlowSeries {
  const fields = seriesFields(body, contents, end);
  const labels = fields.filter(({ number, wireType }) => number === 1 && [0, 2].includes(wireType));
  const refs = labels.flatMap((field) =>
    field.wireType === 0 ? [field.value] : readPacked(body, field.contents, field.end),
  );
  if (refs.length > REFERENCES_MAX) throw new TytoError('bad_data', 'too many labels');
  const gathered = new DataView(new ArrayBuffer(refs.length * 16));
  refs.forEach((ref, i) => {
    if (ref >= BigInt(symbols.length)) throw new TytoError('bad_data', 'there is no such symbol');
    gathered.setBigUint64(i * 16, symbols[Number(ref)][0], true);
    gathered.setBigUint64(i * 16 + 8, symbols[Number(ref)][1], true);
  });
  const seriesKeys = [keys[0] ^ MASK, keys[1]] as const;
  const hash = sipHashSlowly(seriesKeys, new Uint8Array(gathered.buffer));
  const extras = fields.some(({ number, wireType }) => wireType === 2 && [3, 4].includes(number));
  const series = common(body, contents, end, fields, labels);
  const hasMetadata = fields.some(({ number, wireType }) => number === 5 && wireType === 2);
  return { ...series, hash, hasExtras: extras, hasMetadata };
}

function common(
  body: Uint8Array,
  start: number,
  end: number,
  fields: readonly Field[],
  labels: readonly Field[],
) {
  const timestamps: number[] = [];
  const valueBits: bigint[] = [];
  for (const field of fields) {
    if (field.number !== 2 || field.wireType !== 2) continue;
    let bits = 0n;
    let timestamp = 0n;
    for (const { number, wireType, value } of readFields(body, field.contents, field.end)) {
      if (number === 1 && wireType === 1) bits = value;
      if (number === 2 && wireType === 0) timestamp = BigInt.asIntN(64, value);
    }
    timestamps.push(Number(timestamp));
    valueBits.push(bits);
  }
  return {
    kind: 'series' as const,
    start,
    end,
    labelsStart: labels.at(0)?.start ?? start,
    labelsEnd: labels.at(-1)?.end ?? start,
    timestamps,
    valueBits,
    hasMetadata: false,
  };
}

function seriesFields(body: Uint8Array, start: number, end: number): Field[] {
  const fields = readFields(body, start, end);
  if (fields.some(({ number, tagBytes }) => number < 16 && tagBytes > 1)) {
    throw new TytoError('bad_data', 'a tag is longer than it needs to be');
  }
  return fields;
}

function readFields(body: Uint8Array, from: number, end: number): Field[] {
  const fields: Field[] = [];
  for (let at = from; at < end; ) {
    const start = at;
    const [tag, contents] = readVarint(body, at, end);
    const number = Number(tag >> 3n);
    const wireType = Number(tag & 7n);
    if (number === 0 || tag >> 32n !== 0n) throw new TytoError('bad_data', 'no such field');
    const field = { number, wireType, start, tagBytes: contents - start };
    if (wireType === 0) {
      const [value, next] = readVarint(body, contents, end);
      fields.push({ ...field, contents, end: next, value });
    } else if (wireType === 2) {
      const [length, inside] = readVarint(body, contents, end);
      if (length > BigInt(end - inside)) throw new TytoError('bad_data', 'a field is cut short');
      fields.push({ ...field, contents: inside, end: inside + Number(length), value: 0n });
    } else if (wireType === 1 || wireType === 5) {
      const next = contents + (wireType === 1 ? 8 : 4);
      if (next > end) throw new TytoError('bad_data', 'a field is cut short');
      let value = 0n;
      for (let i = contents; i < next; i++) value |= BigInt(body[i]) << BigInt(8 * (i - contents));
      fields.push({ ...field, contents, end: next, value });
    } else {
      throw new TytoError('bad_data', `no such wire type: ${wireType}`);
    }
    at = fields[fields.length - 1].end;
  }
  return fields;
}

function readPacked(body: Uint8Array, start: number, end: number): bigint[] {
  const values: bigint[] = [];
  for (let at = start; at < end; ) {
    const [value, next] = readVarint(body, at, end);
    values.push(value);
    at = next;
  }
  return values;
}

function readVarint(body: Uint8Array, start: number, end: number): [value: bigint, next: number] {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    if (start + i >= end) throw new TytoError('bad_data', 'a varint is cut short');
    value |= BigInt(body[start + i] & 0x7f) << BigInt(7 * i);
    if (body[start + i] < 0x80) return [value & MASK, start + i + 1];
  }
  throw new TytoError('bad_data', 'a varint has more than ten bytes');
}

/** SipHash-1-3 with 128 bits of output. */
export function sipHashSlowly(
  [key0, key1]: Keys,
  bytes: Uint8Array,
): readonly [low: bigint, high: bigint] {
  const v = [
    key0 ^ 0x736f6d6570736575n,
    key1 ^ 0x646f72616e646f6dn ^ 0xeen,
    key0 ^ 0x6c7967656e657261n,
    key1 ^ 0x7465646279746573n,
  ];
  const padded = new Uint8Array((Math.floor(bytes.length / 8) + 1) * 8);
  padded.set(bytes);
  padded[padded.length - 1] = bytes.length & 0xff;
  const words = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += 8) {
    const word = words.getBigUint64(at, true);
    v[3] ^= word;
    sipRound(v);
    v[0] ^= word;
  }
  v[2] ^= 0xeen;
  for (let i = 0; i < 3; i++) sipRound(v);
  const low = v[0] ^ v[1] ^ v[2] ^ v[3];
  v[1] ^= 0xddn;
  for (let i = 0; i < 3; i++) sipRound(v);
  return [low, v[0] ^ v[1] ^ v[2] ^ v[3]];
}

function sipRound(v: bigint[]): void {
  const add = (a: number, b: number, shift: bigint) => {
    v[a] = (v[a] + v[b]) & MASK;
    v[b] = (((v[b] << shift) | (v[b] >> (64n - shift))) & MASK) ^ v[a];
  };
  const turn = (a: number) => {
    v[a] = ((v[a] << 32n) | (v[a] >> 32n)) & MASK;
  };
  add(0, 1, 13n);
  add(2, 3, 16n);
  turn(0);
  add(2, 1, 17n);
  add(0, 3, 21n);
  turn(2);
}
