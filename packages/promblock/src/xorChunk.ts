/** Chunks of floats: XOR as Prometheus 2 and 3 write it, and XOR2, which is only read. */
import { bitsOf, type SampleColumns } from '@tyto/model';
import { BitReader, BitWriter } from './bits.ts';
import { HIGH, LOW } from './floatBits.ts';
import { XorReader, XorWriter } from './xorStream.ts';

const STALE_HIGH = 0x7ff00000;
const STALE_LOW = 2;

/** Appends the samples of a chunk's data, all or, where it throws TytoError `io`, none. */
export function decodeXorChunk(data: Uint8Array, count: number, target: SampleColumns): void {
  target.reserve(count);
  const { timestamps, length } = target;
  const words = bitsOf(target.values);
  const reader = new BitReader(data, 2);
  const values = new XorReader();
  let time = 0;
  let delta = 0;
  for (let i = 0; i < count; i++) {
    if (i === 0) {
      time = reader.varint();
      values.first(reader);
    } else {
      delta = i === 1 ? reader.uvarint() : delta + reader.timestampDelta();
      time += delta;
      values.next(reader);
    }
    timestamps[length + i] = time;
    words[2 * (length + i) + HIGH] = values.high;
    words[2 * (length + i) + LOW] = values.low;
  }
  target.extend(count);
}

/** The data of a chunk with `count` samples from `from` on; whole milliseconds, rising. */
export function encodeXorChunk(
  columns: Pick<SampleColumns, 'timestamps' | 'values'>,
  from: number,
  count: number,
): Uint8Array<ArrayBuffer> {
  const words = bitsOf(columns.values);
  const writer = new BitWriter();
  const values = new XorWriter();
  let before = 0;
  let delta = 0;
  writer.bits(count, 16);
  for (let i = 0; i < count; i++) {
    const time = columns.timestamps[from + i];
    const high = words[2 * (from + i) + HIGH];
    const low = words[2 * (from + i) + LOW];
    if (i === 0) {
      writer.varint(time);
      values.first(writer, high, low);
    } else {
      if (i === 1) writer.uvarint(time - before);
      else writer.timestampDelta(time - before - delta);
      delta = time - before;
      values.next(writer, high, low);
    }
    before = time;
  }
  return writer.take();
}

/**
 * XOR2: a prefix tells of time and value together, a stale marker has a code of its own and does
 * not become the value that the next one is compared with. Start timestamps are stepped over.
 */
export function decodeXor2Chunk(data: Uint8Array, count: number, target: SampleColumns): void {
  target.reserve(count);
  const { timestamps, length } = target;
  const words = bitsOf(target.values);
  const reader = new BitReader(data, 3);
  const hasFirstStart = (data[2] & 0x80) !== 0;
  const startsFrom = data[2] & 0x7f;
  const state = { values: new XorReader(), isStale: false, time: 0, delta: 0 };
  for (let i = 0; i < count; i++) {
    if (i === 0) firstXor2(reader, state);
    else if (i === 1) {
      state.delta = reader.uvarint();
      readXor2Value(reader, state);
    } else nextXor2(reader, state);
    if (i === 0 ? hasFirstStart : startsFrom > 0 && i >= startsFrom) {
      if (i === 0) reader.varint();
      else reader.signed();
    }
    if (i > 0) state.time += state.delta;
    timestamps[length + i] = state.time;
    words[2 * (length + i) + HIGH] = state.isStale ? STALE_HIGH : state.values.high;
    words[2 * (length + i) + LOW] = state.isStale ? STALE_LOW : state.values.low;
  }
  target.extend(count);
}

interface Xor2State {
  readonly values: XorReader;
  isStale: boolean;
  time: number;
  delta: number;
}

function firstXor2(reader: BitReader, state: Xor2State): void {
  state.time = reader.varint();
  state.values.first(reader);
  if (state.values.high !== STALE_HIGH || state.values.low !== STALE_LOW) return;
  state.isStale = true;
  state.values.high = 0;
  state.values.low = 0;
}

/** `<joint_sample2>` */
function nextXor2(reader: BitReader, state: Xor2State): void {
  state.isStale = false;
  let ones = 0;
  while (ones < 5 && reader.bit() === 1) ones++;
  if (ones === 0) return;
  if (ones === 5) {
    state.isStale = true;
  } else if (ones === 1) {
    if (reader.bit() === 0) state.values.sameWindow(reader);
    else state.values.newWindow(reader);
  } else {
    state.delta += reader.twosComplement(ones === 2 ? 13 : ones === 3 ? 20 : 64);
    readXor2Value(reader, state);
  }
}

/** `<varbit_xor2>` */
function readXor2Value(reader: BitReader, state: Xor2State): void {
  state.isStale = false;
  let ones = 0;
  while (ones < 3 && reader.bit() === 1) ones++;
  if (ones === 1) state.values.sameWindow(reader);
  else if (ones === 2) state.values.newWindow(reader);
  else if (ones === 3) state.isStale = true;
}
