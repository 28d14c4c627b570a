/**
 * Bodies of requests with logs, however they are compressed: decompressed and decoded one at a
 * time, and bounded together until what they hold is stored.
 */
import { promisify } from 'node:util';
import { gunzip, inflate, inflateRaw } from 'node:zlib';
import { errorCode, errorMessage, TytoError } from '@tyto/base';
import { decodeSnappy } from '@tyto/kernels';

/** Of one body when it is decompressed. */
export const LOG_BODY_BYTES_MAX = 64 * 1024 * 1024;
/** Bodies that are being read, all together, as they are sent. */
export const LOG_BODIES_BYTES_MAX = 96 * 1024 * 1024;
/** Bodies whose entries are not stored yet; what comes then is told to come again. */
const HELD_BYTES_MAX = 128 * 1024 * 1024;

export type Coding = 'identity' | 'gzip' | 'deflate' | 'snappy';

const packed = { gzip: promisify(gunzip), zlib: promisify(inflate), raw: promisify(inflateRaw) };

export class LogBodies {
  #last: Promise<unknown> = Promise.resolve();
  #heldBytes = 0;

  /**
   * Gives `decode` the plain bytes, and what comes of that to `store`. Rejects with TytoError
   * `unavailable` when too much is held, `too_large`, `bad_data`, and whatever the two throw.
   */
  async take<D, T>(
    body: Uint8Array,
    coding: Coding,
    decode: (bytes: Uint8Array) => D,
    store: (decoded: D) => Promise<T>,
  ): Promise<T> {
    let held = body.length;
    this.#heldBytes += held;
    try {
      if (this.#heldBytes > HELD_BYTES_MAX) {
        throw new TytoError('unavailable', 'too many logs wait to be stored; try again');
      }
      const turn = this.#last.then(async () => {
        const bytes = await decompress(body, coding);
        this.#heldBytes += bytes.length - held;
        held = bytes.length;
        return decode(bytes);
      });
      this.#last = turn.catch(() => undefined);
      return await store(await turn);
    } finally {
      this.#heldBytes -= held;
    }
  }
}

/** The coding of a header. Throws TytoError `bad_data` for another one. */
export function codingOf(header: string | undefined): Coding {
  const name = (header ?? '').trim().toLowerCase();
  if (name === '' || name === 'identity') return 'identity';
  if (name === 'gzip' || name === 'deflate' || name === 'snappy') return name;
  throw new TytoError('bad_data', `Content-Encoding ${JSON.stringify(name)} not supported`);
}

async function decompress(body: Uint8Array, coding: Coding): Promise<Uint8Array> {
  if (coding === 'identity') return body;
  if (coding === 'snappy') return decodeSnappy(body, LOG_BODY_BYTES_MAX);
  // Some mean the format of zlib by `deflate`, as HTTP does, others the bare one within.
  const isZlib = body.length > 1 && (body[0] & 0x0f) === 8 && (body[0] * 256 + body[1]) % 31 === 0;
  const decode = coding === 'gzip' ? packed.gzip : isZlib ? packed.zlib : packed.raw;
  try {
    return await decode(body, { maxOutputLength: LOG_BODY_BYTES_MAX });
  } catch (error) {
    if (errorCode(error) === 'ERR_BUFFER_TOO_LARGE') {
      throw new TytoError('too_large', `the body is larger than ${LOG_BODY_BYTES_MAX} bytes`);
    }
    throw new TytoError('bad_data', `the body is no ${coding}: ${errorMessage(error)}`);
  }
}
