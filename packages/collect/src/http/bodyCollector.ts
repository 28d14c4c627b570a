/**
 * Puts a body together from its pieces, within the limits, and shows its beginning to whoever wants
 * to refuse it.
 */
import { assert, TytoError } from '@tyto/base';
import { BODIES_BYTES_MAX, HEAD_BYTES } from '../limits.ts';
import { BodyBuffers } from './bodyBuffers.ts';
import type { BodyLimits, BodySink } from './bodySink.ts';

/** What of a body is beyond this is kept in blocks until its end. */
const LARGE_BODY_BYTES = 4 * 1024 * 1024;
/** Blocks instead of the pieces as they come, whose number is the server's choice. */
const BLOCK_BYTES = 256 * 1024;

/** Bytes of the bodies that are being read now, by all clients of the process. */
let bytesInFlight = 0;

export class BodyCollector implements BodySink {
  readonly #bytesMax: number;
  readonly #buffers: BodyBuffers;
  #inspect: ((head: Uint8Array) => void) | undefined;
  #body: Buffer;
  /** What follows on `#body`; nothing is put together before the end: it would be held twice. */
  readonly #blocks: Buffer[] = [];
  #length = 0;
  /** Bytes of them that are in `#body`. */
  #bodyLength = 0;
  /** Taken, or dropped: the memory may be somebody else's by now. */
  #isOver = false;

  constructor({ bytesMax, announcedBytes, buffers = new BodyBuffers(), inspect }: BodyLimits) {
    this.#bytesMax = bytesMax;
    this.#buffers = buffers;
    this.#inspect = inspect;
    const fits = announcedBytes <= Math.min(bytesMax, LARGE_BODY_BYTES);
    this.#body = buffers.take(fits ? announcedBytes : 0);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Throws TytoError `too_large`, and what `inspect` throws. */
  push(piece: Uint8Array): boolean {
    assert(!this.#isOver, 'a body that is over takes no more');
    bytesInFlight += piece.length;
    this.#length += piece.length;
    if (this.#length > this.#bytesMax) {
      throw new TytoError('too_large', 'body size limit exceeded');
    }
    if (bytesInFlight > BODIES_BYTES_MAX) {
      throw new TytoError('too_large', 'body size limit exceeded (all targets together)');
    }
    if (this.#blocks.length === 0 && this.#length <= LARGE_BODY_BYTES) {
      if (this.#length > this.#body.length) this.#grow();
      this.#body.set(piece, this.#bodyLength);
      this.#bodyLength = this.#length;
    } else {
      this.#keep(piece);
    }
    if (this.#inspect === undefined || this.#length < HEAD_BYTES) return true;
    const inspect = this.#inspect;
    this.#inspect = undefined;
    inspect(this.#whole());
    return true;
  }

  async finish(): Promise<Uint8Array> {
    return this.take();
  }

  /** What there is so far of a body that is not large. */
  view(): Uint8Array {
    return this.#body.subarray(0, this.#bodyLength);
  }

  /** The body, at once. */
  take(): Uint8Array {
    assert(!this.#isOver, 'a body is taken once');
    this.#isOver = true;
    bytesInFlight -= this.#length;
    const whole = this.#whole();
    if (this.#blocks.length > 0) this.#buffers.giveBack(this.#body);
    return whole;
  }

  /** Nothing happens when the body is over. */
  drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    bytesInFlight -= this.#length;
    this.#blocks.length = 0;
    this.#buffers.giveBack(this.#body);
  }

  /** A view of `#body` where that has all of it. */
  #whole(): Buffer {
    const start = this.#body.subarray(0, this.#bodyLength);
    return this.#blocks.length === 0
      ? start
      : Buffer.concat([start, ...this.#blocks], this.#length);
  }

  /** Keeps a piece in blocks. `#length` has it already. */
  #keep(piece: Uint8Array): void {
    const used = this.#length - piece.length - this.#bodyLength;
    for (let at = 0; at < piece.length; ) {
      const inBlock = (used + at) % BLOCK_BYTES;
      if (inBlock === 0) this.#blocks.push(Buffer.allocUnsafeSlow(BLOCK_BYTES));
      const end = Math.min(piece.length, at + BLOCK_BYTES - inBlock);
      this.#blocks[this.#blocks.length - 1].set(piece.subarray(at, end), inBlock);
      at = end;
    }
  }

  #grow(): void {
    const wanted = Math.min(Math.max(this.#length, this.#body.length * 2), LARGE_BODY_BYTES);
    const larger = this.#buffers.take(wanted);
    larger.set(this.#body.subarray(0, this.#bodyLength));
    this.#buffers.giveBack(this.#body);
    this.#body = larger;
  }
}
