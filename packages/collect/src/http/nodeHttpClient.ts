/**
 * The HTTP client: bodies that come often, without TLS, over connections of our own, the rest over
 * node:http and node:https. Connections are kept alive, bodies are counted while they stream, and
 * secrets in files are read for each request so that rotation needs no reload.
 */
import { readFile } from 'node:fs/promises';
import {
  Agent as HttpAgent,
  type IncomingMessage,
  request as httpRequest,
  STATUS_CODES,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { errorCode, errorMessage, TytoError } from '@tyto/base';
import type { HttpClientConfig, Secret, TlsConfig } from '../config/httpClientConfig.ts';
import { REDIRECT_COUNT_MAX } from '../limits.ts';
import { BodyCollector } from './bodyCollector.ts';
import type { BodySink } from './bodySink.ts';
import { GzipBody } from './gzipBody.ts';
import type {
  HttpClient,
  HttpPost,
  HttpPosted,
  HttpPoster,
  HttpRequest,
  HttpResponse,
} from './httpClient.ts';
import { describeNetworkError } from './networkError.ts';
import { PlainConnections } from './plainConnections.ts';
import type { ResponseHead } from './responseReader.ts';

/** Idle connections are kept this long; longer than most scrape intervals. */
const KEEP_ALIVE_MS = 5 * 60_000;

/** How much of an answer that tells of a failure is read. */
const FAILURE_BYTES_MAX = 2048;

type Headers = Record<string, string | string[]>;

/** What deciding about a redirect takes. */
interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** '' where there is none. */
  readonly location: string;
}

export class NodeHttpClient implements HttpClient, HttpPoster {
  readonly #config: HttpClientConfig;
  readonly #plain = new PlainConnections();
  readonly #plainAgent = new HttpAgent({ keepAlive: true, timeout: KEEP_ALIVE_MS });
  #secureAgent: HttpsAgent | undefined;
  #secureKey = '';

  constructor(config: HttpClientConfig) {
    this.#config = config;
  }

  async get(request: HttpRequest): Promise<HttpResponse> {
    try {
      const redirects = [301, 302, 303, 307, 308];
      return await this.#follow(request, redirects, (url, headers) =>
        url.protocol === 'http:'
          ? this.#getPlain(url, headers, request)
          : this.#getSecure(url, headers, request),
      );
    } catch (error) {
      throw requestError('Get', request, error);
    }
  }

  async post(request: HttpPost): Promise<HttpPosted> {
    try {
      // Of the redirects only these two keep method and body.
      return await this.#follow(request, [307, 308], (url, headers) =>
        this.#post(url, headers, request),
      );
    } catch (error) {
      throw requestError('Post', request, error);
    }
  }

  close(): void {
    this.#plain.close();
    this.#plainAgent.destroy();
    this.#secureAgent?.destroy();
  }

  /** Sends a request, and again to where it is redirected. */
  async #follow<T extends Answer>(
    request: Pick<HttpRequest, 'url' | 'headers'>,
    followed: readonly number[],
    send: (url: URL, headers: Headers) => Promise<T>,
  ): Promise<T> {
    const own = await this.#ownHeaders();
    const firstHost = new URL(request.url).host;
    let url = new URL(request.url);
    for (let count = 0; count <= REDIRECT_COUNT_MAX; count++) {
      // Credentials are for the host that the configuration names, and for no other.
      const trusted = url.host === firstHost;
      const headers = trusted ? { ...own, ...request.headers } : { ...request.headers };
      const answer = await send(url, headers);
      const { status, location } = answer;
      const redirects = followed.includes(status) && location !== '';
      if (!redirects || !this.#config.followRedirects) return answer;
      if (!URL.canParse(location, url.href))
        throw new Error(`failed to parse Location "${location}"`);
      url = new URL(location, url);
      if (url.protocol !== 'http:' && url.protocol !== 'https:') {
        throw new Error(`unsupported protocol scheme "${url.protocol.slice(0, -1)}"`);
      }
    }
    throw new Error(`stopped after ${REDIRECT_COUNT_MAX} redirects`);
  }

  async #getPlain(
    url: URL,
    headers: Headers,
    request: HttpRequest,
  ): Promise<HttpResponse & Answer> {
    let sink: BodySink | undefined;
    const receive = (head: ResponseHead) => {
      if (!isGood(head.status)) return undefined;
      const header = (name: string) => head.headers.get(name) ?? '';
      sink = bodySink(header, request);
      return sink;
    };
    try {
      const head = await this.#plain.get({ url, headers, signal: request.signal, receive });
      const { status } = head;
      const statusText = STATUS_CODES[status] ?? head.statusText;
      const contentType = head.headers.get('content-type') ?? '';
      const location = head.headers.get('location') ?? '';
      const body = (await sink?.finish()) ?? new Uint8Array(0);
      return { status, statusText, contentType, location, body };
    } catch (error) {
      sink?.drop();
      throw error;
    }
  }

  async #getSecure(
    url: URL,
    headers: Headers,
    request: HttpRequest,
  ): Promise<HttpResponse & Answer> {
    const response = await this.#send('GET', url, headers, undefined, request.signal);
    const { status, location, contentType } = answerOf(response);
    const statusText = STATUS_CODES[status] ?? response.statusMessage ?? '';
    let body: Uint8Array = new Uint8Array(0);
    if (isGood(status)) body = await readBody(response, request);
    else response.destroy();
    return { status, statusText, contentType, location, body };
  }

  async #post(url: URL, headers: Headers, request: HttpPost): Promise<HttpPosted & Answer> {
    const { body: sent, signal, mayRepeat } = request;
    const response = await this.#send('POST', url, headers, sent, signal, mayRepeat);
    const answer = answerOf(response);
    const retryAfter = response.headers['retry-after'] ?? '';
    const body = isGood(answer.status)
      ? await readBody(response, request)
      : await readStart(response, FAILURE_BYTES_MAX);
    return { ...answer, retryAfter, body };
  }

  async #send(
    method: string,
    url: URL,
    headers: Headers,
    body: Uint8Array | undefined,
    signal: AbortSignal,
    mayRepeat = false,
  ): Promise<IncomingMessage> {
    const secure = url.protocol === 'https:';
    const agent = secure ? await this.#httpsAgent() : this.#plainAgent;
    return await new Promise((resolve, reject) => {
      const send = secure ? httpsRequest : httpRequest;
      const sent = send(url, { agent, headers, signal, method }, resolve);
      sent.on('error', (error) => {
        // The other side closed an idle connection, or was restarted: it has not seen the request.
        const isStale = sent.reusedSocket && errorCode(error) === 'ECONNRESET';
        if (!mayRepeat || !isStale) reject(error);
        else this.#send(method, url, headers, body, signal, true).then(resolve, reject);
      });
      sent.end(body);
    });
  }

  async #ownHeaders(): Promise<Headers> {
    const { basicAuth, authorization, headers } = this.#config;
    const out: Headers = {};
    for (const { name, values } of headers) out[name] = await Promise.all(values.map(readSecret));
    if (basicAuth !== undefined) {
      const username = await readSecret(basicAuth.username);
      const password = await readSecret(basicAuth.password);
      out.Authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
    } else if (authorization !== undefined) {
      out.Authorization = `${authorization.type} ${await readSecret(authorization.credentials)}`;
    }
    return out;
  }

  /** The agent for the certificates as they are in their files now. */
  async #httpsAgent(): Promise<HttpsAgent> {
    const options = await tlsOptions(this.#config.tls);
    const key = JSON.stringify(options);
    if (this.#secureAgent === undefined || key !== this.#secureKey) {
      this.#secureAgent?.destroy();
      const agent = { keepAlive: true, timeout: KEEP_ALIVE_MS, ...options };
      this.#secureAgent = new HttpsAgent(agent);
      this.#secureKey = key;
    }
    return this.#secureAgent;
  }
}

function requestError(
  verb: string,
  { url, signal }: Pick<HttpRequest, 'url' | 'signal'>,
  error: unknown,
): TytoError {
  if (error instanceof TytoError) return error;
  const timedOut = signal.aborted;
  const reason = timedOut ? 'context deadline exceeded' : describeNetworkError(error);
  // As Go does: a password in an address is not for logs.
  const shown = url.replace(/^(\w+:\/\/[^/@:]*):[^/@]*@/, '$1:xxxxx@');
  const message = `${verb} ${JSON.stringify(shown)}: ${reason}`;
  return new TytoError(timedOut ? 'timeout' : 'unavailable', message, { cause: error });
}

/** The first bytes of a body; a connection with more than that is given up. */
async function readStart(response: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response) {
    pieces.push(piece as Buffer);
    length += (piece as Buffer).length;
    if (length >= bytesMax) break;
  }
  return Buffer.concat(pieces).subarray(0, bytesMax);
}

type TlsOptions = SecureContextOptions & { servername?: string; rejectUnauthorized: boolean };

async function tlsOptions(tls: TlsConfig): Promise<TlsOptions> {
  const options: TlsOptions = { rejectUnauthorized: !tls.insecureSkipVerify };
  if (tls.ca !== undefined) options.ca = await readSecret(tls.ca);
  if (tls.cert !== undefined) options.cert = await readSecret(tls.cert);
  if (tls.key !== undefined) options.key = await readSecret(tls.key);
  if (tls.serverName !== '') options.servername = tls.serverName;
  if (tls.minVersion !== undefined) options.minVersion = tls.minVersion;
  if (tls.maxVersion !== undefined) options.maxVersion = tls.maxVersion;
  return options;
}

async function readSecret(secret: Secret): Promise<string> {
  if ('value' in secret) return secret.value;
  try {
    return (await readFile(secret.file, 'utf8')).trim();
  } catch (error) {
    throw new TytoError('io', `unable to read file ${secret.file}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

function isGood(status: number): boolean {
  return status >= 200 && status < 300;
}

function answerOf({ statusCode = 0, headers }: IncomingMessage): Answer {
  const contentType = headers['content-type'] ?? '';
  return { status: statusCode, contentType, location: headers.location ?? '' };
}

/** Where the body of an answer with these headers goes. */
function bodySink(
  header: (name: string) => string,
  { bodyBytesMax, buffers, inspect }: Pick<HttpRequest, 'bodyBytesMax' | 'buffers' | 'inspect'>,
): BodySink {
  const contentType = header('content-type');
  const limits = {
    bytesMax: bodyBytesMax,
    announcedBytes: Number(header('content-length')) || 0,
    buffers,
    inspect: inspect === undefined ? undefined : (head: Uint8Array) => inspect(head, contentType),
  };
  return header('content-encoding') === 'gzip' ? new GzipBody(limits) : new BodyCollector(limits);
}

async function readBody(
  response: IncomingMessage,
  request: Pick<HttpRequest, 'signal' | 'bodyBytesMax' | 'buffers' | 'inspect'>,
): Promise<Uint8Array> {
  const sink = bodySink((name) => String(response.headers[name] ?? ''), request);
  try {
    for await (const piece of response) {
      await new Promise<void>((resume) => {
        if (sink.push(piece as Buffer, resume)) resume();
      });
    }
    // For node:http a body that ends with its connection is complete when it is aborted, too.
    request.signal.throwIfAborted();
    return await sink.finish();
  } catch (error) {
    sink.drop();
    throw error;
  } finally {
    if (!response.complete) response.destroy();
  }
}
