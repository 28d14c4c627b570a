/** Decompresses a body: a small one in one step when it is complete, others while they come. */
import { createGunzip, type Gunzip, gunzipSync } from 'node:zlib';
import { BodyBuffers } from './bodyBuffers.ts';
import { BodyCollector } from './bodyCollector.ts';
import type { BodyLimits, BodySink } from './bodySink.ts';

/** Compressed bodies up to this size are read before they are decompressed. */
const COMPRESSED_AT_ONCE_MAX = 256 * 1024;
/** Bodies that claim to be no larger are decompressed in one step, in a millisecond or two. */
const DECOMPRESSED_AT_ONCE_MAX = 512 * 1024;
/** What a stream decompresses in one step; pieces that come may be of single bytes. */
const BLOCK_BYTES = 64 * 1024;

export class GzipBody implements BodySink {
  readonly #limits: BodyLimits;
  readonly #buffers: BodyBuffers;
  readonly #compressed: BodyCollector;
  #stream: GunzipStream | undefined;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
    this.#buffers = limits.buffers ?? new BodyBuffers();
    const { announcedBytes } = limits;
    this.#compressed = new BodyCollector({
      bytesMax: COMPRESSED_AT_ONCE_MAX,
      announcedBytes,
      buffers: this.#buffers,
    });
  }

  push(piece: Uint8Array, resume: () => void): boolean {
    if (this.#stream !== undefined) return this.#stream.push(piece, resume);
    if (this.#compressed.length + piece.length <= COMPRESSED_AT_ONCE_MAX) {
      return this.#compressed.push(piece);
    }
    return this.#startStream().push(piece, resume);
  }

  async finish(): Promise<Uint8Array> {
    if (this.#stream !== undefined) return await this.#stream.finish();
    return this.#atOnce() ?? (await this.#startStream().finish());
  }

  drop(): void {
    if (this.#stream === undefined) this.#compressed.drop();
    else this.#stream.drop();
  }

  /** Undefined for a body that claims to be large, or a wrong size, or is damaged. */
  #atOnce(): Uint8Array | undefined {
    const compressed = this.#compressed.view();
    const size = claimedSize(compressed);
    if (size > Math.min(DECOMPRESSED_AT_ONCE_MAX, this.#limits.bytesMax)) return undefined;
    try {
      // One buffer of the right size, at once: streams take a piece of 16 KB at a time.
      const options = { chunkSize: Math.max(64, size + 1), maxOutputLength: size };
      const body = gunzipSync(compressed, options);
      this.#compressed.drop();
      return body;
    } catch {
      // The stream tells what is wrong.
      return undefined;
    }
  }

  #startStream(): GunzipStream {
    const { bytesMax, inspect } = this.#limits;
    const limits = { bytesMax, announcedBytes: 0, buffers: this.#buffers, inspect };
    this.#stream = new GunzipStream(limits);
    this.#stream.push(this.#compressed.view(), () => {});
    this.#compressed.drop();
    return this.#stream;
  }
}

/** A body of any size, decompressed on the way. */
class GunzipStream implements BodySink {
  readonly #gunzip: Gunzip = createGunzip();
  readonly #body: BodyCollector;
  readonly #ended: Promise<void>;
  /** Compressed bytes, of which the first `#blockLength` of `#block` are not written yet. */
  #length = 0;
  #block: Buffer | undefined;
  #blockLength = 0;
  #isDropped = false;
  #error: unknown;
  #resume: (() => void) | undefined;

  constructor(limits: BodyLimits) {
    this.#body = new BodyCollector(limits);
    this.#ended = this.#collect();
    this.#gunzip.on('drain', () => this.#goOn());
  }

  push(piece: Uint8Array, resume: () => void): boolean {
    if (this.#error !== undefined) throw this.#error;
    this.#length += piece.length;
    for (let at = 0; at < piece.length; ) {
      this.#block ??= Buffer.allocUnsafeSlow(BLOCK_BYTES);
      const end = Math.min(piece.length, at + BLOCK_BYTES - this.#blockLength);
      this.#block.set(piece.subarray(at, end), this.#blockLength);
      this.#blockLength += end - at;
      at = end;
      if (this.#blockLength === BLOCK_BYTES) this.#write();
    }
    // Never so when it has ended, so that nobody waits for it then.
    if (!this.#gunzip.writableNeedDrain) return true;
    this.#resume = resume;
    return false;
  }

  async finish(): Promise<Uint8Array> {
    this.#write();
    this.#gunzip.end();
    await this.#ended;
    if (this.#error !== undefined) throw this.#error;
    return this.#body.take();
  }

  drop(): void {
    this.#isDropped = true;
    this.#gunzip.destroy();
    this.#body.drop();
  }

  /** Hands over what is in the block, and the block. */
  #write(): void {
    const bytes = this.#block?.subarray(0, this.#blockLength);
    this.#block = undefined;
    this.#blockLength = 0;
    if (bytes !== undefined) this.#gunzip.write(bytes);
  }

  /** Never rejects. */
  async #collect(): Promise<void> {
    try {
      for await (const piece of this.#gunzip) {
        if (this.#isDropped) return;
        this.#body.push(piece as Buffer);
      }
      // Zeros, which zlib passes over and Go does not; it takes nothing more.
      if (this.#gunzip.bytesWritten < this.#length) throw new Error('gzip: bytes after the end');
    } catch (error) {
      this.#error = error;
    }
    this.#goOn();
  }

  #goOn(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}

/** What the last four bytes of a gzip body say: its decompressed size, modulo 4 GB. */
function claimedSize(compressed: Uint8Array): number {
  if (compressed.length < 18) return Infinity;
  const view = new DataView(compressed.buffer, compressed.byteOffset, compressed.length);
  return view.getUint32(compressed.length - 4, true);
}
