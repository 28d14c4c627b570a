/** Helpers of this directory's tests; not exported. */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { BODIES_BYTES_MAX, BODY_BYTES_MAX } from '../limits.ts';
import { BodyCollector } from './bodyCollector.ts';
import type { HttpRequest } from './httpClient.ts';
import { ResponseError, type ResponseHead, ResponseReader } from './responseReader.ts';

/** What a reader makes of the bytes of a connection. */
export interface Reading {
  readonly status: number | undefined;
  readonly statusText: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Undefined as long as the response is not complete. */
  readonly reusable: boolean | undefined;
  readonly error: string | undefined;
}

/** Reads one response that comes in these pieces, after which the connection ends, or not. */
export function readPieces(pieces: readonly Uint8Array[], ends: boolean): Reading {
  let head: ResponseHead | undefined;
  let body = '';
  let reusable: boolean | undefined;
  let error: string | undefined;
  const reader = new ResponseReader({
    onHead(it) {
      head = it;
      return true;
    },
    onBody(piece) {
      if (piece.length === 0) throw new Error('an empty piece');
      body += Buffer.from(piece).toString('latin1');
    },
    onEnd(it) {
      reusable = it;
    },
  });
  reader.expect();
  try {
    for (const piece of pieces) reader.push(piece);
    if (ends) reader.end();
  } catch (thrown) {
    if (!(thrown instanceof ResponseError)) throw thrown;
    error = thrown.message;
  }
  const { status, statusText, headers = new Map() } = head ?? {};
  return { status, statusText, headers: Object.fromEntries(headers), body, reusable, error };
}

/** Cuts bytes at these positions, in any order; copies, so that nobody reads beyond a piece. */
export function cut(bytes: Uint8Array, positions: readonly number[]): Uint8Array[] {
  const sorted = [...new Set([0, bytes.length, ...positions])].sort((a, b) => a - b);
  return sorted.slice(1).map((end, i) => Uint8Array.from(bytes.subarray(sorted[i], end)));
}

/**
 * Whether no bytes count as being read, neither too many nor too few: all that targets together may
 * have is free, and not a byte more.
 */
export function nothingIsInFlight(): boolean {
  const piece = Buffer.alloc(BODIES_BYTES_MAX / 16);
  const collector = new BodyCollector({ bytesMax: Infinity, announcedBytes: 0 });
  let isFree = false;
  try {
    for (let i = 0; i < 16; i++) collector.push(piece);
    isFree = true;
    collector.push(piece.subarray(0, 1));
    return false;
  } catch {
    return isFree;
  } finally {
    collector.drop();
  }
}

/** Bytes that compression leaves about three quarters of; others for each seed. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[i] = 32 + (state >>> 26);
  }
  return bytes;
}

/** A request as a scrape makes it. */
export function requestOf(url: string, more: Partial<HttpRequest> = {}): HttpRequest {
  const signal = AbortSignal.timeout(10_000);
  return { url, headers: {}, signal, bodyBytesMax: BODY_BYTES_MAX, ...more };
}

/** Servers of a test, and the sockets that are open at them. */
export class TestServers {
  readonly #servers: Server[] = [];
  readonly sockets = new Set<Socket>();
  /** Connections that were ever made. */
  connectionCount = 0;

  /** A server that gets each connection, and the texts of the requests that come over it. */
  async raw(onRequest: (socket: Socket, count: number) => void, host?: string): Promise<string> {
    const server = createServer((socket) => {
      let text = '';
      let count = 0;
      socket.setEncoding('latin1').on('data', (piece) => {
        text += piece;
        for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
          text = text.slice(end + 4);
          onRequest(socket, count++);
        }
      });
    });
    return await this.#listen(server, host);
  }

  async http(listener: RequestListener, host?: string): Promise<string> {
    return await this.#listen(createHttpServer(listener), host);
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    for (const server of this.#servers.splice(0)) {
      await new Promise((resolve) => server.close(resolve));
    }
  }

  async #listen(server: Server, host = '127.0.0.1'): Promise<string> {
    this.#servers.push(server);
    server.on('connection', (socket: Socket) => {
      this.connectionCount++;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket)).on('error', () => {});
    });
    await new Promise<void>((resolve, reject) => {
      server.on('error', reject).listen(0, host, resolve);
    });
    const { port } = server.address() as AddressInfo;
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }
}
