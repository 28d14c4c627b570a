/**
 * The chunk files of a block: `chunks/000001` and so on. A reference is the number of the file,
 * counted from 0, and the place in it. Files are opened when they are needed.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ByteCursor } from './byteCursor.ts';
import { crc32c } from './crc32c.ts';
import { damaged } from './damage.ts';
import { WindowFile } from './windowFile.ts';

export const CHUNKS_MAGIC = 0x85bd40dd;
export const CHUNKS_HEADER_BYTES = 8;
const REF_FACTOR = 2 ** 32;
/** Length, of at most 5 bytes, and encoding. */
const CHUNK_HEADER_BYTES_MAX = 6;
const CRC_BYTES = 4;

export interface RawChunk {
  readonly encoding: number;
  /** Valid until the next chunk is read. */
  readonly data: Uint8Array;
}

export class ChunkFiles {
  readonly #directory: string;
  readonly #files = new Map<number, WindowFile>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The numbers of the files that are there, rising. */
  numbers(): number[] {
    return readdirSync(this.#directory)
      .filter((name) => /^\d{6,}$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** Where a chunk is, for reports. */
  place(ref: number): { file: string; offset: number } {
    return { file: this.#path(Math.floor(ref / REF_FACTOR) + 1), offset: ref % REF_FACTOR };
  }

  /** Throws TytoError `io` where the chunk is damaged or not there. */
  read(ref: number): RawChunk {
    const file = this.#file(Math.floor(ref / REF_FACTOR) + 1);
    const offset = ref % REF_FACTOR;
    if (offset < CHUNKS_HEADER_BYTES) throw damaged('a chunk is said to be in the header');
    return readChunkAt(file, offset).chunk;
  }

  size(number: number): number {
    return this.#file(number).size;
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  #path(number: number): string {
    return join(this.#directory, String(number).padStart(6, '0'));
  }

  #file(number: number): WindowFile {
    const open = this.#files.get(number);
    if (open !== undefined) return open;
    let file: WindowFile;
    try {
      file = new WindowFile(this.#path(number));
    } catch {
      throw damaged('the file is missing or cannot be read');
    }
    try {
      checkHeader(file);
    } catch (error) {
      file.close();
      throw error;
    }
    this.#files.set(number, file);
    return file;
  }
}

function checkHeader(file: WindowFile): void {
  const cursor = new ByteCursor(file.some(0, CHUNKS_HEADER_BYTES));
  if (cursor.uint32() !== CHUNKS_MAGIC) throw damaged('it does not begin as a file of chunks');
  const version = cursor.byte();
  if (version !== 1) throw damaged(`version ${version} of chunks is not known, only 1`);
}

function readChunkAt(file: WindowFile, offset: number): { chunk: RawChunk; end: number } {
  const cursor = new ByteCursor(file.some(offset, CHUNK_HEADER_BYTES_MAX));
  const length = cursor.count(file.size, 'the length of a chunk');
  const start = offset + cursor.at;
  const bytes = file.bytes(start, 1 + length + CRC_BYTES);
  const wanted = new ByteCursor(bytes, 1 + length).uint32();
  if (crc32c(bytes, 0, 1 + length) !== wanted) throw damaged('the checksum of a chunk is wrong');
  return {
    chunk: { encoding: bytes[0], data: bytes.subarray(1, 1 + length) },
    end: start + bytes.length,
  };
}
