/**
 * Interned texts: every label name and value is kept once, as UTF-8 in one arena, and named by a
 * number. No JavaScript object per text; the strings that are asked for again and again come from
 * caches of fixed size.
 */
import { Column } from '../column.ts';

/** Bytes of all texts together; the arena's places are 32-bit numbers. */
const TEXT_BYTES_MAX = 2 ** 32 - 2 ** 24;
const NONE = 0;
/** Entries of each cache. */
const CACHE_SIZE = 8192;
/** Longer texts are not worth a place in a cache. */
const CACHED_TEXT_MAX = 256;

export class Symbols {
  readonly #bytes = new Column(Uint8Array);
  /** Where each text begins; the next one's begin is its end. */
  readonly #start = new Column(Uint32Array);
  readonly #hash = new Column(Uint32Array);
  /** Symbol + 1 by hash, with open addressing; at most half full. */
  #slots = new Uint32Array(1024);
  #arena: Buffer = Buffer.alloc(0);
  #used = 0;
  #size = 0;
  #scratch = Buffer.alloc(1024);
  readonly #idOf = new Map<string, number>();
  readonly #cachedIds = new Int32Array(CACHE_SIZE).fill(-1);
  readonly #cachedTexts: string[] = new Array(CACHE_SIZE).fill('');

  get size(): number {
    return this.#size;
  }

  /** Bytes of all texts. */
  get textBytes(): number {
    return this.#used;
  }

  /** Whether texts of so many bytes may still come. */
  hasRoom(bytes: number): boolean {
    return this.#used + bytes <= TEXT_BYTES_MAX;
  }

  intern(text: string): number {
    const cached = this.#idOf.get(text);
    if (cached !== undefined) return cached;
    const length = this.#encode(text);
    const id = this.internBytes(this.#scratch, 0, length);
    this.#remember(id, length);
    return id;
  }

  /** Interns the UTF-8 text in [start, end). */
  internBytes(source: Uint8Array, start: number, end: number): number {
    const hash = hashOf(source, start, end);
    const found = this.#lookUp(source, start, end, hash);
    return found >= 0 ? found : this.#add(source, start, end, hash);
  }

  /** The id of a text, or -1 when nobody interned it. */
  find(text: string): number {
    const cached = this.#idOf.get(text);
    if (cached !== undefined) return cached;
    const length = this.#encode(text);
    return this.#lookUp(this.#scratch, 0, length, hashOf(this.#scratch, 0, length));
  }

  text(id: number): string {
    const place = id % CACHE_SIZE;
    if (this.#cachedIds[place] === id) return this.#cachedTexts[place];
    const start = this.#start.view[id];
    const end = this.#start.view[id + 1];
    const text = this.#arena.toString('utf8', start, end);
    if (end - start <= CACHED_TEXT_MAX) {
      this.#cachedIds[place] = id;
      this.#cachedTexts[place] = text;
    }
    return text;
  }

  /** The UTF-8 of a text; a view that stays valid. */
  bytes(id: number): Uint8Array {
    return this.#bytes.view.subarray(this.#start.view[id], this.#start.view[id + 1]);
  }

  byteLength(id: number): number {
    return this.#start.view[id + 1] - this.#start.view[id];
  }

  /** Below 0 where the first text's bytes come before the second's. */
  compare(a: number, b: number): number {
    const bytes = this.#bytes.view;
    const starts = this.#start.view;
    const start = starts[a];
    const offset = starts[b] - start;
    const length = starts[a + 1] - start;
    const otherLength = starts[b + 1] - starts[b];
    const end = start + Math.min(length, otherLength);
    for (let i = start; i < end; i++) {
      const order = bytes[i] - bytes[i + offset];
      if (order !== 0) return order;
    }
    return length - otherLength;
  }

  /** Writes the text's UTF-8 into the scratch buffer; returns its length. */
  #encode(text: string): number {
    const sizeMax = text.length * 3;
    if (sizeMax > this.#scratch.length) this.#scratch = Buffer.alloc(sizeMax);
    return this.#scratch.write(text);
  }

  /** Keeps a string of our own: a slice of a scraped page would keep the whole page in memory. */
  #remember(id: number, length: number): void {
    if (length > CACHED_TEXT_MAX) return;
    if (this.#idOf.size >= CACHE_SIZE) this.#idOf.clear();
    this.#idOf.set(this.#scratch.toString('utf8', 0, length), id);
  }

  #lookUp(source: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots;
    const hashes = this.#hash.view;
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const id = slots[slot] - 1;
      if (id < 0) return -1;
      if (hashes[id] === hash && this.#equals(id, source, start, end)) return id;
    }
  }

  #equals(id: number, source: Uint8Array, start: number, end: number): boolean {
    const own = this.#bytes.view;
    const ownStart = this.#start.view[id];
    if (this.#start.view[id + 1] - ownStart !== end - start) return false;
    const offset = ownStart - start;
    for (let i = start; i < end; i++) {
      if (source[i] !== own[i + offset]) return false;
    }
    return true;
  }

  #add(source: Uint8Array, start: number, end: number, hash: number): number {
    const id = this.#size++;
    const length = end - start;
    if (this.#used + length > this.#bytes.view.length) {
      this.#bytes.reserve(this.#used + length);
      const { buffer, byteLength } = this.#bytes.view;
      this.#arena = Buffer.from(buffer as unknown as ArrayBuffer, 0, byteLength);
    }
    this.#start.reserve(id + 2);
    this.#hash.reserve(id + 1);
    const own = this.#bytes.view;
    for (let i = 0; i < length; i++) own[this.#used + i] = source[start + i];
    this.#used += length;
    this.#start.view[id + 1] = this.#used;
    this.#hash.view[id] = hash;
    if (this.#size * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2);
    else this.#place(id);
    return id;
  }

  #place(id: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hash.view[id] & mask;
    while (this.#slots[slot] !== NONE) slot = (slot + 1) & mask;
    this.#slots[slot] = id + 1;
  }

  #rehash(size: number): void {
    this.#slots = new Uint32Array(size);
    for (let id = 0; id < this.#size; id++) this.#place(id);
  }
}

/** FNV-1a over the bytes, mixed so that its low bits depend on all of them. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
