/** The envelope of Prometheus' API, and which error has which status. */
import { Readable } from 'node:stream';
import { type ErrorKind, errorMessage, TytoError } from '@tyto/base';
import type { FastifyReply } from 'fastify';
import type { JsonPiece } from './queryJson.ts';

const STATUS: Readonly<Record<ErrorKind, number>> = {
  bad_data: 400,
  not_found: 404,
  not_acceptable: 406,
  too_large: 413,
  execution: 422,
  internal: 500,
  io: 500,
  canceled: 503,
  timeout: 503,
  unavailable: 503,
};

export function statusOfError(error: unknown): number {
  if (error instanceof TytoError) return STATUS[error.kind];
  const given = (error as { statusCode?: unknown }).statusCode;
  return typeof given === 'number' && given >= 400 ? given : 500;
}

/** What the caller is told: of a mistake of ours no more than that it happened. */
export function errorBody(error: unknown): { errorType: string; error: string } {
  const status = statusOfError(error);
  if (error instanceof TytoError) {
    const errorType = error.kind === 'io' ? 'internal' : error.kind;
    return { errorType, error: errorMessage(error) };
  }
  if (status < 500) return { errorType: 'bad_data', error: errorMessage(error) };
  return { errorType: 'internal', error: 'internal error; the log has the details' };
}

export function sendData(reply: FastifyReply, data: unknown): FastifyReply {
  return sendRaw(reply, JSON.stringify(data));
}

/** Sends data that is JSON text already. */
export function sendRaw(
  reply: FastifyReply,
  data: string,
  warnings: readonly string[] = [],
  infos: readonly string[] = [],
): FastifyReply {
  reply.header('content-type', JSON_TYPE);
  return reply.send(OPENING + data + closing(warnings, infos));
}

/** Sends data that comes in pieces: a small answer at once, a large one as the client takes it. */
export function sendPieces(
  reply: FastifyReply,
  pieces: Iterator<JsonPiece>,
  warnings: readonly string[],
  infos: readonly string[],
): FastifyReply {
  reply.header('content-type', JSON_TYPE);
  const start = new PieceBuffer(OPENING);
  while (start.length < AT_ONCE_BYTES_MAX) {
    const { value, done } = pieces.next();
    if (done === true) {
      start.add(closing(warnings, infos));
      return reply.send(start.takeAll());
    }
    start.add(value);
  }
  return reply.send(Readable.from(paced(start, pieces, closing(warnings, infos))));
}

const JSON_TYPE = 'application/json; charset=utf-8';
const OPENING = '{"status":"success","data":';
const AT_ONCE_BYTES_MAX = 256 * 1024;
/** A chunk of a streamed answer; smaller ones cost a system call each. */
const CHUNK_BYTES_MIN = 256 * 1024;

function closing(warnings: readonly string[], infos: readonly string[]): string {
  const notes =
    (warnings.length > 0 ? `,"warnings":${JSON.stringify(warnings)}` : '') +
    (infos.length > 0 ? `,"infos":${JSON.stringify(infos)}` : '');
  return `${notes}}`;
}

/** All of an answer, with a pause after every chunk so that everything else goes on. */
async function* paced(
  chunk: PieceBuffer,
  pieces: Iterator<JsonPiece>,
  end: string,
): AsyncIterableIterator<Buffer> {
  for (let next = pieces.next(); next.done !== true; next = pieces.next()) {
    chunk.add(next.value);
    if (chunk.length < CHUNK_BYTES_MIN) continue;
    yield chunk.take();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  chunk.add(end);
  yield chunk.take();
}

/** Texts are encoded once they are this long together: long ones keep all their parts alive. */
const TEXT_LENGTH_MIN = 8192;
/** The first bytes of an answer that is longer. */
const BYTES_MIN = 64 * 1024;

const NO_BYTES = Buffer.alloc(0);

/** Pieces that become one buffer. */
class PieceBuffer {
  #text: string;
  #bytes = NO_BYTES;
  #used = 0;
  /** What the next bytes are likely to take. */
  #least = BYTES_MIN;

  constructor(text: string) {
    this.#text = text;
  }

  /** About how many bytes there are. */
  get length(): number {
    return this.#used + this.#text.length;
  }

  add(piece: JsonPiece): void {
    if (typeof piece === 'string') {
      this.#text += piece;
      if (this.#text.length >= TEXT_LENGTH_MIN) this.#encode();
      return;
    }
    this.#encode();
    this.#reserve(piece.length);
    this.#bytes.set(piece, this.#used);
    this.#used += piece.length;
  }

  /** All of it; then it is empty. */
  take(): Buffer {
    this.#encode();
    const taken = this.#bytes.subarray(0, this.#used);
    this.#least = Math.max(this.#least, this.#bytes.length);
    this.#bytes = NO_BYTES;
    this.#used = 0;
    return taken;
  }

  /** The same as a text where it is a short one, which goes out with its headers at once. */
  takeAll(): Buffer | string {
    return this.#used === 0 ? this.#text : this.take();
  }

  #encode(): void {
    // No character takes more than three bytes for each of its parts.
    this.#reserve(this.#text.length * 3);
    this.#used += this.#bytes.write(this.#text, this.#used);
    this.#text = '';
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(
      Math.max(this.#used + bytes, this.#bytes.length * 2, this.#least),
    );
    grown.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = grown;
  }
}
