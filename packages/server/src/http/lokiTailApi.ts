/**
 * Loki's live tail: a WebSocket at /loki/api/v1/tail that is sent entries as they are stored, after
 * some that are there already. Connections are bounded for each tenant.
 */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, errorMessage, type Logger, TytoError } from '@tyto/base';
import type { LogqlEntry, LogqlStream } from '@tyto/logql';
import type { Labels } from '@tyto/model';
import { type WebSocket, WebSocketServer } from 'ws';
import type { LogService } from '../logs/logService.ts';
import type { DroppedEntry, FollowedEntry } from '../logs/tailHub.ts';
import { labelsJson, mergedStreams, streamText } from './lokiJson.ts';
import { lokiMessage, lokiStatus } from './lokiErrors.ts';
import { countOf, limitOf, parseLokiTime, queryOf } from './lokiParams.ts';
import { Params } from './params.ts';

export interface LokiTailOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logs: LogService;
  readonly externalUrl: string;
}

const PATHS = ['/loki/api/v1/tail', '/api/prom/tail'];
const DELAY_SECONDS_MAX = 5;
const HOUR_NS = 3_600_000_000_000n;
const NS_PER_MS = 1_000_000n;
/** Bytes that a connection may have waiting before entries are kept back. */
const BUFFERED_BYTES_MAX = 4 * 1024 * 1024;
/** Nobody sends more than a closing. */
const PAYLOAD_BYTES_MAX = 64 * 1024;
const PING_MS = 30_000;
const CLOSED_BY_ERROR = 1011;

export class LokiTails {
  readonly #options: LokiTailOptions;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: PAYLOAD_BYTES_MAX });
  readonly #prefix: string;

  constructor(options: LokiTailOptions) {
    this.#options = options;
    this.#prefix = new URL(options.externalUrl).pathname.replace(/\/+$/, '');
  }

  /** Answers upgrades of a server, of which there may be several. */
  attach(server: Server): void {
    server.on('upgrade', (request, socket, head) => {
      const isWebSocket = (request.headers.upgrade ?? '').toLowerCase() === 'websocket';
      if (isWebSocket) this.#upgrade(request, socket, head);
      else readAgain(server, request, socket, head);
    });
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const url = request.url ?? '/';
    const path = url.split('?', 1)[0];
    const bare = path.startsWith(this.#prefix) ? path.slice(this.#prefix.length) : path;
    try {
      if (!PATHS.includes(bare)) throw new TytoError('not_found', `nobody tails at ${path}`);
      const asked = this.#read(request, url);
      this.#sockets.handleUpgrade(request, socket, head, (client) => this.#serve(client, asked));
    } catch (error) {
      refuse(socket, lokiStatus(error), lokiMessage(error));
    }
  }

  #read(request: IncomingMessage, url: string): Asked {
    const { logs, clock, externalUrl } = this.#options;
    refuseForeign(request, externalUrl);
    const tenant = logs.tenantOf(request.headers['x-scope-orgid']);
    const params = new Params(new URLSearchParams(url.split('?').slice(1).join('?')));
    const query = queryOf(params);
    const delaySeconds = countOf(params, 'delay_for', 0);
    if (delaySeconds > DELAY_SECONDS_MAX) {
      throw new TytoError('bad_data', `delay_for can't be greater than ${DELAY_SECONDS_MAX}`);
    }
    const { tailsMax, entriesMax } = logs.limitsOf(tenant).query;
    if (tailsMax > 0 && logs.tails.count(tenant) >= tailsMax) {
      const message = `max concurrent tail requests limit exceeded, count > limit (${tailsMax})`;
      throw new TytoError('bad_data', message);
    }
    const start = params.text('start');
    const nowNs = BigInt(clock.nowMs()) * NS_PER_MS;
    return {
      tenant,
      query,
      follow: logs.engine.follow(query),
      limit: Math.min(limitOf(params), entriesMax || Number.MAX_SAFE_INTEGER),
      startNs: start === '' ? nowNs - HOUR_NS : parseLokiTime(start),
      nowNs,
      delayMs: delaySeconds * 1000,
    };
  }

  #serve(client: WebSocket, asked: Asked): void {
    const { logs, clock, logger } = this.#options;
    // Followed from now on, and told after what is there already.
    let isHistoryTold = false;
    const follower = logs.tails.follow({
      tenant: asked.tenant,
      follow: asked.follow,
      delayMs: asked.delayMs,
      isReady: () => isHistoryTold && client.bufferedAmount < BUFFERED_BYTES_MAX,
      send: (entries, dropped) => client.send(frame(grouped(entries), dropped)),
    });
    let isAlive = true;
    client.on('pong', () => {
      isAlive = true;
    });
    let timer = clock.schedule(PING_MS, function ping() {
      if (!isAlive) {
        client.terminate();
        return;
      }
      isAlive = false;
      client.ping();
      timer = clock.schedule(PING_MS, ping);
    });
    client.on('error', (error) => logger.debug('a tail failed', { error: errorMessage(error) }));
    client.on('close', () => {
      timer.cancel();
      follower.close();
    });
    this.#history(asked).then(
      (streams) => {
        if (streams.length > 0) client.send(frame(streams, []));
        isHistoryTold = true;
      },
      (error: unknown) => client.close(CLOSED_BY_ERROR, lokiMessage(error).slice(0, 120)),
    );
  }

  /** The newest entries that are there, the oldest of them first. */
  async #history(asked: Asked): Promise<readonly LogqlStream[]> {
    const { tenant, query, limit, startNs, nowNs } = asked;
    const { logs } = this.#options;
    const { value } = await logs.gate.run(() =>
      logs.engine.range({
        tenant,
        query,
        limit,
        direction: 'backward',
        startNs,
        endNs: nowNs,
        stepNs: 0n,
        intervalNs: 0n,
      }),
    );
    if (value.type !== 'streams') return [];
    return value.streams.map(({ labels, entries }) => ({
      labels,
      entries: [...entries].reverse(),
    }));
  }
}

interface Asked {
  readonly tenant: string;
  readonly query: string;
  readonly follow: ReturnType<LogService['engine']['follow']>;
  readonly limit: number;
  readonly startNs: bigint;
  readonly nowNs: bigint;
  readonly delayMs: number;
}

function grouped(entries: readonly FollowedEntry[]): LogqlStream[] {
  const streams = new Map<string, { labels: Labels; entries: LogqlEntry[] }>();
  for (const { labels, entry } of entries) {
    const stream = streams.get(labels.key) ?? { labels, entries: [] };
    streams.set(labels.key, stream);
    stream.entries.push(entry);
  }
  return [...streams.values()];
}

function frame(streams: readonly LogqlStream[], dropped: readonly DroppedEntry[]): string {
  const texts = mergedStreams(streams).map(streamText).join();
  const lost = dropped.map(
    ({ timestampNs, labels }) => `{"timestamp":"${timestampNs}","labels":${labelsJson(labels)}}`,
  );
  const end = lost.length === 0 ? '' : `,"dropped_entries":[${lost.join()}]`;
  return `{"streams":[${texts}]${end}}`;
}

/** A page of another site must not read logs with the browser of its visitor. */
function refuseForeign({ headers }: IncomingMessage, externalUrl: string): void {
  const { origin, host } = headers;
  if (origin === undefined) return;
  const page = URL.canParse(origin) ? new URL(origin).host : '';
  if (page === host || page === new URL(externalUrl).host) return;
  throw Object.assign(new Error(`requests from pages of ${origin} are refused`), {
    statusCode: 403,
  });
}

/**
 * Clients of HTTP/2, such as Java's, ask with any request whether they may change to it. Node.js
 * takes whoever listens for upgrades to mean all of them, so such a request is read once more
 * without its question, which is a no.
 */
function readAgain(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { rawHeaders, method, url, httpVersion } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i].toLowerCase();
    if (name === 'upgrade' || name === 'http2-settings' || name === 'connection') continue;
    lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

function refuse(socket: Duplex, status: number, message: string): void {
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${status} ${status === 404 ? 'Not Found' : 'Bad Request'}\r\n` +
      'content-type: text/plain; charset=utf-8\r\nconnection: close\r\n' +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
