/** A block's tombstones: which times of which series were deleted. */
import { readFileSync } from 'node:fs';
import { errorCode } from '@tyto/base';
import { ByteCursor } from './byteCursor.ts';
import { crc32c } from './crc32c.ts';
import { damaged } from './damage.ts';

export const TOMBSTONES_MAGIC = 0x0130ba30;
const HEADER_BYTES = 5;
const CRC_BYTES = 4;

export interface Interval {
  /** Both ends are included. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/** Deleted times by series reference. */
export type Tombstones = ReadonlyMap<number, readonly Interval[]>;

export const NO_TOMBSTONES: Tombstones = new Map();

/** Throws TytoError `io` for a damaged file; an absent one means that nothing was deleted. */
export function readTombstones(path: string): Tombstones {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return NO_TOMBSTONES;
    throw error;
  }
  const end = bytes.length - CRC_BYTES;
  const cursor = new ByteCursor(bytes, 0, Math.max(0, end));
  if (cursor.uint32() !== TOMBSTONES_MAGIC) throw damaged('it does not begin as tombstones');
  const version = cursor.byte();
  if (version !== 1) throw damaged(`version ${version} of tombstones is not known, only 1`);
  const wanted = new ByteCursor(bytes, end).uint32();
  // Newer versions count the byte of the version in, older ones do not.
  const sums = [crc32c(bytes, HEADER_BYTES - 1, end), crc32c(bytes, HEADER_BYTES, end)];
  if (!sums.includes(wanted)) throw damaged('the checksum of the tombstones is wrong');
  const found = new Map<number, Interval[]>();
  while (cursor.left > 0) {
    const ref = cursor.uvarint();
    const interval = { minTimeMs: cursor.varint(), maxTimeMs: cursor.varint() };
    const known = found.get(ref);
    if (known === undefined) found.set(ref, [interval]);
    else known.push(interval);
  }
  return found;
}
