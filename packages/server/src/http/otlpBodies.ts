/**
 * OpenTelemetry's requests, however they come: decompresses a body and hands it to the receiver,
 * one at a time, because what little bytes decompress to is bounded for each but not for all.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { errorCode, errorMessage, TytoError } from '@tyto/base';
import { type OtlpOutcome, type OtlpReceiver, WRITE_BODY_BYTES_MAX } from '@tyto/collect';
import type { OtlpEncoding } from '@tyto/wire';

export class OtlpBodies {
  readonly #receiver: OtlpReceiver;
  readonly #bodyBytesMax: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(receiver: OtlpReceiver, bodyBytesMax = WRITE_BODY_BYTES_MAX) {
    this.#receiver = receiver;
    this.#bodyBytesMax = bodyBytesMax;
  }

  /** Rejects with TytoError. */
  receive(body: Uint8Array, isGzip: boolean, encoding: OtlpEncoding): Promise<OtlpOutcome> {
    const outcome = this.#last.then(async () =>
      this.#receiver.receive(isGzip ? await this.#decompress(body) : body, encoding),
    );
    this.#last = outcome.catch(() => undefined);
    return outcome;
  }

  async #decompress(body: Uint8Array): Promise<Uint8Array> {
    try {
      return await promisify(gunzip)(body, { maxOutputLength: this.#bodyBytesMax });
    } catch (error) {
      if (errorCode(error) === 'ERR_BUFFER_TOO_LARGE') {
        const message = `the body is larger than ${this.#bodyBytesMax} bytes`;
        throw new TytoError('too_large', message);
      }
      throw new TytoError('bad_data', `the body is no gzip: ${errorMessage(error)}`);
    }
  }
}
