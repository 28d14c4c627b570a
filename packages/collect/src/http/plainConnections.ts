/**
 * GET over HTTP/1.1 without TLS, for bodies that come again and again. What arrives is read into
 * one buffer that all connections share, and handed on in views: with node:http, each piece of a
 * body leaves two buffers for the garbage collector, which took a third of the processor time of
 * scraping. Connections are kept alive; each has one request at a time.
 */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { connect, type Socket } from 'node:net';
import { must } from '@tyto/base';
import type { BodySink } from './bodySink.ts';
import { type ResponseHead, type ResponseListener, ResponseReader } from './responseReader.ts';

/** Idle connections are kept this long; longer than most scrape intervals. */
const IDLE_MS_MAX = 5 * 60_000;
/** Idle connections to one address that are kept. */
const IDLE_COUNT_MAX = 256;
/** After so long without a byte the system asks whether the peer is still there. */
const PROBE_MS = 15_000;
const READ_BYTES = 256 * 1024;

/** On Windows a read holds its buffer until it ends, so that each connection needs its own. */
const shared = process.platform === 'win32' ? undefined : Buffer.allocUnsafeSlow(READ_BYTES);

export interface PlainRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly signal: AbortSignal;
  /** Where the body goes; undefined when it is not wanted. */
  receive(head: ResponseHead): BodySink | undefined;
}

export class PlainConnections {
  readonly #idle = new Map<string, Connection[]>();
  #isClosed = false;

  /**
   * Resolves with the head when the body has been received, or when it is not wanted. Rejects with
   * the errors of the network, ResponseError, the signal's reason, and what the sink throws.
   */
  async get(request: PlainRequest): Promise<ResponseHead> {
    const { url, signal } = request;
    signal.throwIfAborted();
    const text = requestText(request);
    const kept = this.#idle.get(url.host)?.pop();
    if (kept !== undefined) {
      const answer = await kept.exchange(text, request);
      // A server may end an idle connection at the moment at which it is used again.
      if (answer !== undefined) return answer;
      signal.throwIfAborted();
    }
    const fresh = new Connection(url, this.#onIdle, this.#onClosed);
    return must(await fresh.exchange(text, request), 'a new connection answers, or fails');
  }

  /** Closes idle connections; others close when their response has come. */
  close(): void {
    this.#isClosed = true;
    for (const connections of this.#idle.values()) {
      for (const connection of [...connections]) connection.destroy();
    }
    this.#idle.clear();
  }

  readonly #onIdle = (connection: Connection): void => {
    const idle = this.#idle.get(connection.key) ?? [];
    if (this.#isClosed || idle.length >= IDLE_COUNT_MAX) connection.destroy();
    else this.#idle.set(connection.key, [...idle, connection]);
  };

  readonly #onClosed = (connection: Connection): void => {
    const left = this.#idle.get(connection.key)?.filter((one) => one !== connection) ?? [];
    if (left.length > 0) this.#idle.set(connection.key, left);
    else this.#idle.delete(connection.key);
  };
}

/** A request that waits for its response. */
interface Exchange {
  readonly request: PlainRequest;
  readonly onAbort: () => void;
  readonly resume: () => void;
  resolve(head: ResponseHead | undefined): void;
  reject(error: unknown): void;
  head: ResponseHead | undefined;
  sink: BodySink | undefined;
}

class Connection implements ResponseListener {
  readonly key: string;
  readonly #socket: Socket;
  readonly #reader = new ResponseReader(this);
  readonly #onIdle: (connection: Connection) => void;
  #exchange: Exchange | undefined;
  #exchangeCount = 0;
  #hasReceived = false;

  constructor(
    url: URL,
    onIdle: (connection: Connection) => void,
    onClosed: (connection: Connection) => void,
  ) {
    this.key = url.host;
    this.#onIdle = onIdle;
    const buffer = shared ?? Buffer.allocUnsafeSlow(READ_BYTES);
    this.#socket = connect({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? 80 : Number(url.port),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: PROBE_MS,
      onread: { buffer, callback: (length) => this.#onBytes(buffer.subarray(0, length)) },
    });
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('end', () => this.#onEnd());
    this.#socket.on('close', () => {
      this.#onEnd();
      onClosed(this);
    });
    this.#socket.on('timeout', () => {
      if (this.#exchange === undefined) this.destroy();
    });
    this.#socket.setTimeout(IDLE_MS_MAX);
  }

  /** Resolves with undefined when a connection that was used before ends without an answer. */
  exchange(text: string, request: PlainRequest): Promise<ResponseHead | undefined> {
    if (this.#socket.destroyed) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#fail(request.signal.reason);
      const resume = () => {
        // The connection may have another response to read by now.
        if (this.#exchange === exchange) this.#socket.resume();
      };
      const nothing = { head: undefined, sink: undefined };
      const exchange: Exchange = { request, onAbort, resume, resolve, reject, ...nothing };
      this.#exchange = exchange;
      request.signal.addEventListener('abort', onAbort);
      this.#exchangeCount++;
      this.#hasReceived = false;
      this.#reader.expect();
      this.#socket.ref();
      this.#socket.write(text, 'latin1');
    });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  onHead(head: ResponseHead): boolean {
    const exchange = this.#exchange as Exchange;
    exchange.head = head;
    exchange.sink = exchange.request.receive(head);
    if (exchange.sink !== undefined) return true;
    this.#finish(false);
    return false;
  }

  onBody(piece: Uint8Array): void {
    const exchange = this.#exchange;
    const goesOn = exchange?.sink?.push(piece, exchange.resume);
    if (goesOn === false) this.#socket.pause();
  }

  onEnd(reusable: boolean): void {
    this.#finish(reusable);
  }

  #onBytes(bytes: Uint8Array): boolean {
    this.#hasReceived = true;
    try {
      this.#reader.push(bytes);
    } catch (error) {
      this.#fail(error);
    }
    return true;
  }

  #onEnd(): void {
    if (this.#exchange === undefined) {
      this.destroy();
      return;
    }
    try {
      this.#reader.end();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The response has come. */
  #finish(reusable: boolean): void {
    const exchange = this.#takeExchange();
    if (exchange === undefined) return;
    if (reusable && !this.#socket.destroyed) {
      // The sink may have enough for now; what comes next is not for it.
      if (this.#socket.isPaused()) this.#socket.resume();
      // A connection that waits does not keep the process alive.
      this.#socket.unref();
      this.#onIdle(this);
    } else {
      this.destroy();
    }
    exchange.resolve(exchange.head);
  }

  #fail(error: unknown): void {
    this.destroy();
    const exchange = this.#takeExchange();
    if (exchange === undefined) return;
    const wasKept = this.#exchangeCount > 1 && !this.#hasReceived;
    if (wasKept && !exchange.request.signal.aborted) exchange.resolve(undefined);
    else exchange.reject(error);
  }

  #takeExchange(): Exchange | undefined {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.request.signal.removeEventListener('abort', exchange.onAbort);
    return exchange;
  }
}

function requestText({ url, headers }: PlainRequest): string {
  const lines = [`GET ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`];
  const namesUser = url.username !== '' || url.password !== '';
  // Authentication that is configured comes before that of the address, as in Go.
  if (namesUser && !Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')) {
    const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    lines.push(`Authorization: Basic ${Buffer.from(user).toString('base64')}`);
  }
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name);
    for (const one of typeof value === 'string' ? [value] : value) {
      validateHeaderValue(name, one);
      lines.push(`${name}: ${one}`);
    }
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}
