/**
 * ClickHouse's format Native: blocks of columns. Written are the columns of the tables here, read
 * are those that its queries ask for. https://clickhouse.com/docs/interfaces/formats/Native
 */
import { isAscii } from 'node:buffer';
import { assert, TytoError } from '@tyto/base';

/** Bytes that grow. The buffer of `bytes()` is the column's own. */
export class ByteColumn {
  #buffer: Buffer;
  #size = 0;

  constructor(size = 4096) {
    this.#buffer = Buffer.allocUnsafeSlow(size);
  }

  get size(): number {
    return this.#size;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#size);
  }

  /** A text with its length before it; returns its bytes without the length. */
  writeText(text: string): number {
    const { length } = text;
    this.#reserve(length * 3 + 10);
    // Most texts are ASCII, so the length is guessed, and the text moved where the guess was wrong.
    const guessed = varintSize(length);
    let from = this.#size + guessed;
    const size = this.#buffer.write(text, from);
    const actual = varintSize(size);
    if (actual !== guessed) {
      this.#buffer.copyWithin(this.#size + actual, from, from + size);
      from = this.#size + actual;
    }
    this.writeVarint(size);
    this.#size = from + size;
    return size;
  }

  writeVarint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 127) {
      this.#buffer[this.#size++] = (rest & 127) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.#size++] = rest;
  }

  writeUint64(value: bigint): void {
    this.#reserve(8);
    this.#size = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.#size);
  }

  writeUint8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#size++] = value;
  }

  #reserve(count: number): void {
    if (this.#size + count <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#size + count));
    this.#buffer.copy(larger, 0, 0, this.#size);
    this.#buffer = larger;
  }
}

/** Whole numbers of 64 bits that grow. */
export class LongColumn {
  #values = new BigInt64Array(1024);
  #halves = new Uint32Array(this.#values.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: bigint): void {
    this.#reserve();
    this.#values[this.#length++] = value;
  }

  /** A number of up to 32 bits, without making a bigint of it. */
  pushNumber(value: number): void {
    this.#reserve();
    this.#halves[this.#length * 2] = value;
    this.#halves[this.#length * 2 + 1] = 0;
    this.#length++;
  }

  bytes(): Buffer {
    return Buffer.from(this.#values.buffer, 0, this.#length * 8);
  }

  #reserve(): void {
    if (this.#length < this.#values.length) return;
    const larger = new BigInt64Array(this.#length * 2);
    larger.set(this.#values);
    this.#values = larger;
    this.#halves = new Uint32Array(larger.buffer);
  }
}

/** Texts of which few differ: a dictionary and indexes, as LowCardinality is sent. */
export class DictionaryColumn {
  readonly #indexes = new Map<string, number>();
  readonly #texts = new ByteColumn();
  #rows = new Uint32Array(1024);
  #length = 0;

  constructor() {
    this.#indexOf('');
  }

  push(text: string): void {
    if (this.#length === this.#rows.length) {
      const larger = new Uint32Array(this.#length * 2);
      larger.set(this.#rows);
      this.#rows = larger;
    }
    this.#rows[this.#length++] = this.#indexOf(text);
  }

  /** Version, kind of indexes with their own keys, keys, indexes. */
  pieces(): Buffer[] {
    const head = new ByteColumn(64);
    head.writeUint64(1n);
    head.writeUint64(2n | (1n << 9n) | (1n << 10n));
    head.writeUint64(BigInt(this.#indexes.size));
    const count = new ByteColumn(8);
    count.writeUint64(BigInt(this.#length));
    const rows = Buffer.from(this.#rows.buffer, 0, this.#length * 4);
    return [head.bytes(), this.#texts.bytes(), count.bytes(), rows];
  }

  #indexOf(text: string): number {
    if (text === '' && this.#indexes.size > 0) return 0;
    const known = this.#indexes.get(text);
    if (known !== undefined) return known;
    this.#indexes.set(text, this.#indexes.size);
    this.#texts.writeText(text);
    return this.#indexes.size - 1;
  }
}

export interface NativeColumn {
  readonly name: string;
  readonly type: string;
  readonly pieces: readonly Buffer[];
}

/** One block. The pieces are the columns' own buffers. */
export function nativeBlock(rows: number, columns: readonly NativeColumn[]): Buffer[] {
  const pieces: Buffer[] = [];
  const start = new ByteColumn(64);
  start.writeVarint(columns.length);
  start.writeVarint(rows);
  pieces.push(start.bytes());
  for (const { name, type, pieces: own } of columns) {
    const head = new ByteColumn(64);
    head.writeText(name);
    head.writeText(type);
    pieces.push(head.bytes(), ...own);
  }
  return pieces;
}

/** A column that was read: numbers of 64 bits, texts, or pairs of a Map. */
export type ReadColumn =
  | { readonly kind: 'long'; readonly values: BigInt64Array }
  | { readonly kind: 'text'; readonly values: string[] }
  | { readonly kind: 'map'; readonly values: readonly (readonly string[])[] };

export interface ReadBlock {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, ReadColumn>;
}

/** All blocks of an answer. */
export function readNative(buffer: Buffer): ReadBlock[] {
  const reader = new NativeReader(buffer);
  const blocks: ReadBlock[] = [];
  while (!reader.isAtEnd) {
    const block = reader.readBlock();
    if (block.rows > 0) blocks.push(block);
  }
  return blocks;
}

export function longColumn(block: ReadBlock, name: string): BigInt64Array {
  const column = block.columns.get(name);
  if (column?.kind !== 'long') throw missing(name);
  return column.values;
}

export function textColumn(block: ReadBlock, name: string): string[] {
  const column = block.columns.get(name);
  if (column?.kind !== 'text') throw missing(name);
  return column.values;
}

export function mapColumn(block: ReadBlock, name: string): readonly (readonly string[])[] {
  const column = block.columns.get(name);
  if (column?.kind !== 'map') throw missing(name);
  return column.values;
}

function missing(name: string): TytoError {
  return new TytoError('internal', `the log store answered without the column ${name}`);
}

class NativeReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#buffer.length;
  }

  readBlock(): ReadBlock {
    const columnCount = this.#varint();
    const rows = this.#varint();
    const columns = new Map<string, ReadColumn>();
    for (let i = 0; i < columnCount; i++) {
      const name = this.#text();
      const type = this.#text();
      if (rows > 0) columns.set(name, this.#column(type, rows));
    }
    return { rows, columns };
  }

  #column(type: string, rows: number): ReadColumn {
    if (type === 'String') return { kind: 'text', values: this.#texts(rows) };
    if (type === 'Map(String, String)') return { kind: 'map', values: this.#pairs(rows) };
    assert(/^(UInt64|Int64|DateTime64)/.test(type), `no query here asks for ${type}`);
    return { kind: 'long', values: this.#longs(rows) };
  }

  #longs(rows: number): BigInt64Array {
    const end = this.#at + rows * 8;
    if (end > this.#buffer.length) throw cutShort();
    const values = new BigInt64Array(rows);
    Buffer.from(values.buffer).set(this.#buffer.subarray(this.#at, end));
    this.#at = end;
    return values;
  }

  #pairs(rows: number): string[][] {
    const ends = this.#longs(rows);
    const count = rows === 0 ? 0 : Number(ends[rows - 1]);
    const names = this.#texts(count);
    const values = this.#texts(count);
    const pairs: string[][] = [];
    let from = 0;
    for (let row = 0; row < rows; row++) {
      const end = Number(ends[row]);
      const own: string[] = [];
      for (let i = from; i < end; i++) own.push(names[i], values[i]);
      pairs.push(own);
      from = end;
    }
    return pairs;
  }

  /** A column of ASCII becomes one text that the others are cut from. */
  #texts(rows: number): string[] {
    const from = this.#at;
    const starts = new Uint32Array(rows);
    const ends = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) {
      const size = this.#varint();
      starts[row] = this.#at;
      this.#at += size;
      ends[row] = this.#at;
    }
    if (this.#at > this.#buffer.length) throw cutShort();
    const region = this.#buffer.subarray(from, this.#at);
    // The lengths between the texts may have the high bit, so they are looked past.
    const whole = region.toString('latin1');
    const isPlain = isAscii(region);
    const texts: string[] = new Array(rows);
    for (let row = 0; row < rows; row++) {
      const start = starts[row];
      const end = ends[row];
      texts[row] =
        isPlain || isAscii(this.#buffer.subarray(start, end))
          ? whole.slice(start - from, end - from)
          : this.#buffer.toString('utf8', start, end);
    }
    return texts;
  }

  #text(): string {
    return this.#texts(1)[0];
  }

  #varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      if (this.#at >= this.#buffer.length) throw cutShort();
      const byte = this.#buffer[this.#at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size++;
  return size;
}

function cutShort(): TytoError {
  return new TytoError('unavailable', 'the answer of the log store was cut short; try again');
}
