/**
 * Reads request bodies in the pieces in which they come, and bounds how many bytes of them are held
 * at once over all requests: what is beyond that is told to come again, before it is read.
 */
import { errorMessage } from '@tyto/base';

/** A refusal with the status that answers it. */
export class BodyRefusal extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

export interface HeldBody {
  readonly pieces: readonly Uint8Array[];
  /** To be called once, when nobody reads the pieces any more. */
  release(): void;
}

/** Where a body comes from: a request of HTTP, or a stream of HTTP/2. */
export interface BodySource {
  readonly headers: { readonly 'content-length'?: string | undefined };
  iterator(options: { destroyOnReturn: boolean }): AsyncIterable<Uint8Array>;
}

export class HeldBodies {
  /** Bytes that are held now. */
  bytes = 0;
  /** Requests that were sent away because too much was held. */
  shed = 0;
  readonly #bodyBytesMax: number;
  readonly #bytesMax: number;

  constructor(bodyBytesMax: number, bytesMax: number) {
    this.#bodyBytesMax = bodyBytesMax;
    this.#bytesMax = bytesMax;
  }

  /** Rejects with BodyRefusal: 413 for a body that is too large, 503 when too much is held. */
  async read(message: BodySource): Promise<HeldBody> {
    const announced = Number(message.headers['content-length'] ?? 0);
    let reserved = 0;
    const reserve = (bytes: number) => {
      if (bytes > this.#bodyBytesMax) {
        throw new BodyRefusal(413, `the body is larger than ${this.#bodyBytesMax} bytes`);
      }
      if (bytes <= reserved) return;
      if (this.bytes + bytes - reserved > this.#bytesMax) {
        this.shed++;
        throw new BodyRefusal(503, 'too many bytes of requests are held already; try again');
      }
      this.bytes += bytes - reserved;
      reserved = bytes;
    };
    const release = () => {
      this.bytes -= reserved;
      reserved = 0;
    };
    try {
      reserve(announced);
      const pieces: Uint8Array[] = [];
      let length = 0;
      // A refusal leaves the message alone: destroying it would take the answer with it.
      for await (const piece of message.iterator({ destroyOnReturn: false })) {
        length += piece.length;
        reserve(length);
        pieces.push(piece);
      }
      return { pieces, release };
    } catch (error) {
      release();
      if (error instanceof BodyRefusal) throw error;
      throw new BodyRefusal(400, `the body could not be read: ${errorMessage(error)}`);
    }
  }
}
