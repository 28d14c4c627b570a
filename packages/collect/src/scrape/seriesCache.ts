/**
 * The memory of one target's scrapes: the bytes of each series as the target writes them, and the
 * store's reference for it. A hit costs no label, no string and no object.
 *
 * It is a hash table with open addressing over struct-of-arrays entries; the bytes lie in one
 * arena. Since a target writes its series in the same order each time, the entry that followed the
 * last one is tried before the table is asked. Entries are numbered from 0 and stay where they are
 * until `compact`.
 */
import type { SeriesRef } from '@tyto/model';

export const NOT_FOUND = -1;
/** The reference of a series that relabelling drops. */
export const DROPPED: SeriesRef = -2;

const CAPACITY_MIN = 256;
const ARENA_BYTES_MIN = 16 * 1024;

export class SeriesCache {
  /** How many entries there are, with those that are not seen any more. */
  size = 0;
  refs = new Float64Array(CAPACITY_MIN);
  /** The scrape in which an entry was last there, and last watched for staleness. */
  seenAt = new Float64Array(CAPACITY_MIN);
  trackedAt = new Float64Array(CAPACITY_MIN);
  /** `trackedAt` before the current scrape. */
  trackedBefore = new Float64Array(CAPACITY_MIN);
  /** The entry that followed in the last scrape, or NOT_FOUND. */
  next = new Int32Array(CAPACITY_MIN);
  starts = new Uint32Array(CAPACITY_MIN);
  ends = new Uint32Array(CAPACITY_MIN);
  #hashes = new Int32Array(CAPACITY_MIN);
  /** Entry + 1, or 0 where the slot is free; its length is a power of two, at most half full. */
  #slots = new Int32Array(CAPACITY_MIN * 2);
  arena = new Uint8Array(ARENA_BYTES_MIN);
  arenaLength = 0;

  /** The entry of the series in [start, end), or NOT_FOUND. */
  find(bytes: Uint8Array, start: number, end: number): number {
    const hash = hashBytes(bytes, start, end);
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot] - 1;
      if (entry < 0) return NOT_FOUND;
      if (this.#hashes[entry] === hash && this.#equals(entry, bytes, start, end)) return entry;
    }
  }

  /** Adds a series that is not there; copies its bytes. */
  add(bytes: Uint8Array, start: number, end: number, ref: SeriesRef): number {
    if (this.size === this.refs.length) this.#grow();
    const length = end - start;
    this.#reserve(length);
    const entry = this.size++;
    this.arena.set(bytes.subarray(start, end), this.arenaLength);
    this.starts[entry] = this.arenaLength;
    this.arenaLength += length;
    this.ends[entry] = this.arenaLength;
    this.#hashes[entry] = hashBytes(bytes, start, end);
    this.refs[entry] = ref;
    this.seenAt[entry] = 0;
    this.trackedAt[entry] = 0;
    this.trackedBefore[entry] = 0;
    this.next[entry] = NOT_FOUND;
    this.#insert(entry);
    return entry;
  }

  /** Forgets all entries that were not seen in `scrape`. Entry numbers change. */
  compact(scrape: number): void {
    const { arena, starts, ends, size } = this;
    let kept = 0;
    let length = 0;
    for (let entry = 0; entry < size; entry++) {
      if (this.seenAt[entry] !== scrape) continue;
      arena.copyWithin(length, starts[entry], ends[entry]);
      const bytes = ends[entry] - starts[entry];
      starts[kept] = length;
      length += bytes;
      ends[kept] = length;
      this.refs[kept] = this.refs[entry];
      this.seenAt[kept] = this.seenAt[entry];
      this.trackedAt[kept] = this.trackedAt[entry];
      this.trackedBefore[kept] = this.trackedBefore[entry];
      this.#hashes[kept] = this.#hashes[entry];
      this.next[kept] = NOT_FOUND;
      kept++;
    }
    this.size = kept;
    this.arenaLength = length;
    this.#slots.fill(0);
    for (let entry = 0; entry < kept; entry++) this.#insert(entry);
  }

  #equals(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const offset = this.starts[entry] - start;
    if (this.ends[entry] - this.starts[entry] !== end - start) return false;
    const arena = this.arena;
    for (let i = start; i < end; i++) {
      if (bytes[i] !== arena[i + offset]) return false;
    }
    return true;
  }

  #insert(entry: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashes[entry] & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = entry + 1;
  }

  #reserve(count: number): void {
    const needed = this.arenaLength + count;
    if (needed <= this.arena.length) return;
    const arena = new Uint8Array(Math.max(needed, this.arena.length * 2));
    arena.set(this.arena.subarray(0, this.arenaLength));
    this.arena = arena;
  }

  #grow(): void {
    const capacity = this.refs.length * 2;
    this.refs = grown(this.refs, new Float64Array(capacity));
    this.seenAt = grown(this.seenAt, new Float64Array(capacity));
    this.trackedAt = grown(this.trackedAt, new Float64Array(capacity));
    this.trackedBefore = grown(this.trackedBefore, new Float64Array(capacity));
    this.next = grown(this.next, new Int32Array(capacity));
    this.starts = grown(this.starts, new Uint32Array(capacity));
    this.ends = grown(this.ends, new Uint32Array(capacity));
    this.#hashes = grown(this.#hashes, new Int32Array(capacity));
    this.#slots = new Int32Array(capacity * 2);
    for (let entry = 0; entry < this.size; entry++) this.#insert(entry);
  }
}

function grown<T extends Float64Array | Int32Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** FNV-1a, 32 bits. */
function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return hash;
}
