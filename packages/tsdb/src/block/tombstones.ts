/** The file `tombstones` of a block: what was deleted from it. See docs/formats/block.md. */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { errorCode, TytoError } from '@tyto/base';
import type { Disk } from '../disk.ts';
import type { Intervals } from '../intervals.ts';
import { VarintReader, VarintWriter } from '../varints.ts';

const MAGIC = Uint8Array.from([0x54, 0x59, 0x54, 0x4f, 0x54, 0x4d, 0x42, 0x31]);
const FILE = 'tombstones';

/** By the number of a series: the times of which its samples are deleted. */
export type Tombstones = ReadonlyMap<number, Intervals>;

const NO_TOMBSTONES: Tombstones = new Map();

/** Times are counted from `minTimeMs`. Throws TytoError `io` for a damaged file. */
export async function readTombstones(
  disk: Disk,
  directory: string,
  minTimeMs: number,
): Promise<Tombstones> {
  const path = join(directory, FILE);
  let file: Uint8Array;
  try {
    file = await disk.readFile(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return NO_TOMBSTONES;
    throw error;
  }
  const body = file.subarray(MAGIC.length + 4);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isSound =
    file.length >= MAGIC.length + 4 &&
    MAGIC.every((byte, i) => file[i] === byte) &&
    view.getUint32(MAGIC.length, true) === crc32(body);
  if (!isSound) throw new TytoError('io', `${path} is damaged`);
  return decode(body, minTimeMs);
}

/** Replaces the file as a whole: after a crash it is the old one or the new one. */
export async function writeTombstones(
  disk: Disk,
  directory: string,
  minTimeMs: number,
  tombstones: Tombstones,
): Promise<void> {
  const body = encode(tombstones, minTimeMs);
  const path = join(directory, FILE);
  const temporary = `${path}.tmp`;
  await disk.remove(temporary);
  const file = await disk.openAppend(temporary);
  try {
    const checksum = Uint32Array.of(crc32(body));
    await file.write(Buffer.concat([MAGIC, new Uint8Array(checksum.buffer), body]));
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
  await disk.syncDirectory(directory);
}

function encode(tombstones: Tombstones, minTimeMs: number): Uint8Array {
  const out = new VarintWriter();
  out.put(tombstones.size);
  let before = 0;
  for (const series of [...tombstones.keys()].sort((a, b) => a - b)) {
    const intervals = tombstones.get(series) ?? [];
    out.put(series - before);
    out.put(intervals.length / 2);
    let timeMs = minTimeMs;
    for (const end of intervals) {
      out.put(end - timeMs);
      timeMs = end;
    }
    before = series;
  }
  return out.view;
}

function decode(body: Uint8Array, minTimeMs: number): Tombstones {
  const reader = new VarintReader(body);
  const tombstones = new Map<number, Intervals>();
  const count = reader.next();
  let series = 0;
  for (let i = 0; i < count; i++) {
    series += reader.next();
    let timeMs = minTimeMs;
    const intervals = Array.from({ length: reader.next() * 2 }, () => {
      timeMs += reader.next();
      return timeMs;
    });
    tombstones.set(series, intervals);
  }
  return tombstones;
}
