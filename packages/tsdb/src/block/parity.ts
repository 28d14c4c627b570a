/**
 * Bytes beside a file from which a damaged page of it can be computed: a checksum of each page, and
 * for each group of pages their exclusive or. In every group one page may be lost. See
 * docs/formats/block.md for the bytes.
 */
import { crc32 } from 'node:zlib';
import { copyBytes } from '@tyto/base';

const MAGIC = Uint8Array.from([0x54, 0x59, 0x54, 0x4f, 0x50, 0x41, 0x52, 0x31]);
const PAGE_BYTES = 4096;
const GROUP_PAGES = 32;
/** Magic, checksum of the rest, length of the file. */
const HEADER_BYTES = 8 + 4 + 8;

/** Sees a file as it is written. */
export class ParityBuilder {
  readonly #checksums: number[] = [];
  readonly #groups: Uint8Array[] = [];
  readonly #page = new Uint8Array(PAGE_BYTES);
  #used = 0;
  #length = 0;

  push(bytes: Uint8Array): void {
    this.#length += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + PAGE_BYTES - this.#used);
      this.#page.set(bytes.subarray(at, end), this.#used);
      this.#used += end - at;
      at = end;
      if (this.#used === PAGE_BYTES) this.#endPage();
    }
  }

  /** What is kept beside the file. */
  finish(): Uint8Array {
    if (this.#used > 0) this.#endPage();
    const checksums = Uint32Array.from(this.#checksums);
    const bytes = Buffer.concat([
      MAGIC,
      new Uint8Array(HEADER_BYTES - MAGIC.length),
      new Uint8Array(checksums.buffer),
      ...this.#groups,
    ]);
    bytes.writeDoubleLE(this.#length, 12);
    bytes.writeUInt32LE(crc32(bytes.subarray(12)), 8);
    return bytes;
  }

  /** The last page counts with zeros behind it. */
  #endPage(): void {
    this.#page.fill(0, this.#used);
    this.#used = 0;
    const group = Math.floor(this.#checksums.length / GROUP_PAGES);
    this.#checksums.push(crc32(this.#page));
    this.#groups[group] ??= new Uint8Array(PAGE_BYTES);
    exclusiveOr(this.#groups[group], this.#page);
  }
}

/** The file as it was written; undefined where more is damaged than can be mended. */
export function mend(file: Uint8Array, parity: Uint8Array): Uint8Array | undefined {
  const view = new DataView(parity.buffer, parity.byteOffset, parity.byteLength);
  if (parity.length < HEADER_BYTES || !MAGIC.every((byte, i) => parity[i] === byte))
    return undefined;
  if (crc32(parity.subarray(12)) !== view.getUint32(8, true)) return undefined;
  const length = view.getFloat64(12, true);
  const pageCount = Math.ceil(length / PAGE_BYTES);
  const pages = new Uint8Array(pageCount * PAGE_BYTES);
  pages.set(file.subarray(0, length));
  const pageAt = (page: number) => pages.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
  const isSound = (page: number) => {
    return crc32(pageAt(page)) === view.getUint32(HEADER_BYTES + page * 4, true);
  };
  const groupsAt = HEADER_BYTES + pageCount * 4;
  for (let first = 0; first < pageCount; first += GROUP_PAGES) {
    const end = Math.min(pageCount, first + GROUP_PAGES);
    const damaged: number[] = [];
    for (let page = first; page < end; page++) if (!isSound(page)) damaged.push(page);
    if (damaged.length === 0) continue;
    if (damaged.length > 1) return undefined;
    const [lost] = damaged;
    const start = groupsAt + (first / GROUP_PAGES) * PAGE_BYTES;
    const mended = copyBytes(parity.subarray(start, start + PAGE_BYTES));
    for (let page = first; page < end; page++) {
      if (page !== lost) exclusiveOr(mended, pageAt(page));
    }
    pages.set(mended, lost * PAGE_BYTES);
    if (!isSound(lost)) return undefined;
  }
  return pages.subarray(0, length);
}

function exclusiveOr(target: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < target.length; i++) target[i] ^= other[i];
}
