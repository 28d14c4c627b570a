/**
 * Puts a body together from its pieces, within the limits, and shows its beginning to whoever wants
 * to refuse it.
 */
import { TytoError } from '@tyto/base';
import { BODIES_BYTES_MAX, HEAD_BYTES } from '../limits.ts';
import { BodyBuffers } from './bodyBuffers.ts';
import type { BodyLimits, BodySink } from './bodySink.ts';

/** Larger bodies are kept in the pieces in which they come. */
const LARGE_BODY_BYTES = 4 * 1024 * 1024;

/** Bytes of the bodies that are being read now, by all clients of the process. */
let bytesInFlight = 0;

export class BodyCollector implements BodySink {
  readonly #bytesMax: number;
  readonly #buffers: BodyBuffers;
  #inspect: ((head: Uint8Array) => void) | undefined;
  #body: Buffer;
  /** The pieces of a body that is too large for a buffer of its own. */
  readonly #large: Uint8Array[] = [];
  #length = 0;

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
    const before = this.#length;
    bytesInFlight += piece.length;
    this.#length += piece.length;
    if (this.#length > this.#bytesMax) {
      throw new TytoError('too_large', 'body size limit exceeded');
    }
    if (bytesInFlight > BODIES_BYTES_MAX) {
      throw new TytoError('too_large', 'body size limit exceeded (all targets together)');
    }
    if (this.#large.length === 0 && this.#length <= LARGE_BODY_BYTES) {
      if (this.#length > this.#body.length) this.#grow(before);
      this.#body.set(piece, before);
    } else {
      // Nothing is put together before the end: two of these would be held meanwhile.
      if (this.#large.length === 0) this.#large.push(this.#body.subarray(0, before));
      this.#large.push(Buffer.from(piece));
    }
    if (this.#inspect === undefined || this.#length < HEAD_BYTES) return true;
    const inspect = this.#inspect;
    this.#inspect = undefined;
    const isLarge = this.#large.length > 0;
    inspect(isLarge ? Buffer.concat(this.#large) : this.#body.subarray(0, this.#length));
    return true;
  }

  async finish(): Promise<Uint8Array> {
    return this.take();
  }

  /** What there is so far of a body that is not large. */
  view(): Uint8Array {
    return this.#body.subarray(0, this.#length);
  }

  /** The body, at once. */
  take(): Uint8Array {
    bytesInFlight -= this.#length;
    if (this.#large.length === 0) return this.#body.subarray(0, this.#length);
    const whole = Buffer.concat(this.#large, this.#length);
    this.#buffers.giveBack(this.#body);
    return whole;
  }

  drop(): void {
    bytesInFlight -= this.#length;
    this.#buffers.giveBack(this.#body);
  }

  #grow(used: number): void {
    const wanted = Math.min(Math.max(this.#length, this.#body.length * 2), LARGE_BODY_BYTES);
    const larger = this.#buffers.take(wanted);
    larger.set(this.#body.subarray(0, used));
    this.#buffers.giveBack(this.#body);
    this.#body = larger;
  }
}
