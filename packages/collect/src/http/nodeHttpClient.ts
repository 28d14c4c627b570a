/**
 * The HTTP client over node:http and node:https: connections are kept alive, bodies are counted
 * while they stream, secrets in files are read for each request so that rotation needs no reload.
 */
import { readFile } from 'node:fs/promises';
import {
  Agent as HttpAgent,
  type IncomingMessage,
  request as httpRequest,
  STATUS_CODES,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { createGunzip, gunzipSync } from 'node:zlib';
import { errorMessage, TytoError } from '@tyto/base';
import type { HttpClientConfig, Secret, TlsConfig } from '../config/httpClientConfig.ts';
import { BODIES_BYTES_MAX, HEAD_BYTES, REDIRECT_COUNT_MAX } from '../limits.ts';
import { BodyBuffers } from './bodyBuffers.ts';
import type {
  HttpClient,
  HttpPost,
  HttpPosted,
  HttpPoster,
  HttpRequest,
  HttpResponse,
} from './httpClient.ts';
import { describeNetworkError } from './networkError.ts';

/** Idle connections are kept this long; longer than most scrape intervals. */
const KEEP_ALIVE_MS = 5 * 60_000;

/** How much of an answer that tells of a failure is read. */
const FAILURE_BYTES_MAX = 2048;

export class NodeHttpClient implements HttpClient, HttpPoster {
  readonly #config: HttpClientConfig;
  readonly #plainAgent = new HttpAgent({ keepAlive: true, timeout: KEEP_ALIVE_MS });
  #secureAgent: HttpsAgent | undefined;
  #secureKey = '';

  constructor(config: HttpClientConfig) {
    this.#config = config;
  }

  async get(request: HttpRequest): Promise<HttpResponse> {
    try {
      const response = await this.#follow('GET', request, [301, 302, 303, 307, 308]);
      return await readResponse(response, request);
    } catch (error) {
      throw requestError('Get', request, error);
    }
  }

  async post(request: HttpPost): Promise<HttpPosted> {
    try {
      // Of the redirects only these two keep method and body.
      const response = await this.#follow('POST', request, [307, 308]);
      const status = response.statusCode ?? 0;
      const contentType = response.headers['content-type'] ?? '';
      const retryAfter = response.headers['retry-after'] ?? '';
      const isGood = status >= 200 && status < 300;
      const body = isGood
        ? await readBody(response, request, contentType)
        : await readStart(response, FAILURE_BYTES_MAX);
      return { status, contentType, retryAfter, body };
    } catch (error) {
      throw requestError('Post', request, error);
    }
  }

  close(): void {
    this.#plainAgent.destroy();
    this.#secureAgent?.destroy();
  }

  async #follow(
    method: 'GET' | 'POST',
    request: HttpRequest | HttpPost,
    followed: readonly number[],
  ): Promise<IncomingMessage> {
    const own = await this.#ownHeaders();
    const firstHost = new URL(request.url).host;
    let url = new URL(request.url);
    for (let count = 0; count <= REDIRECT_COUNT_MAX; count++) {
      // Credentials are for the host that the configuration names, and for no other.
      const trusted = url.host === firstHost;
      const headers = trusted ? { ...own, ...request.headers } : { ...request.headers };
      const body = 'body' in request ? request.body : undefined;
      const response = await this.#send(method, url, headers, body, request.signal);
      const location = response.headers.location;
      const redirects = followed.includes(response.statusCode ?? 0) && location !== undefined;
      if (!redirects || !this.#config.followRedirects) return response;
      response.destroy();
      if (!URL.canParse(location, url.href))
        throw new Error(`failed to parse Location "${location}"`);
      url = new URL(location, url);
      if (url.protocol !== 'http:' && url.protocol !== 'https:') {
        throw new Error(`unsupported protocol scheme "${url.protocol.slice(0, -1)}"`);
      }
    }
    throw new Error(`stopped after ${REDIRECT_COUNT_MAX} redirects`);
  }

  async #send(
    method: string,
    url: URL,
    headers: Record<string, string | string[]>,
    body: Uint8Array | undefined,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const secure = url.protocol === 'https:';
    const agent = secure ? await this.#httpsAgent() : this.#plainAgent;
    return await new Promise((resolve, reject) => {
      const send = secure ? httpsRequest : httpRequest;
      const sent = send(url, { agent, headers, signal, method }, resolve);
      sent.on('error', reject);
      sent.end(body);
    });
  }

  async #ownHeaders(): Promise<Record<string, string | string[]>> {
    const { basicAuth, authorization, headers } = this.#config;
    const out: Record<string, string | string[]> = {};
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

async function readResponse(
  response: IncomingMessage,
  request: HttpRequest,
): Promise<HttpResponse> {
  const status = response.statusCode ?? 0;
  const statusText = STATUS_CODES[status] ?? response.statusMessage ?? '';
  const contentType = response.headers['content-type'] ?? '';
  if (status < 200 || status > 299) {
    response.destroy();
    return { status, statusText, contentType, body: new Uint8Array(0) };
  }
  const body = await readBody(response, request, contentType);
  return { status, statusText, contentType, body };
}

/** Compressed bodies up to this size are read before they are decompressed. */
const COMPRESSED_AT_ONCE_MAX = 256 * 1024;
/** Bodies that claim to be no larger are decompressed in one step, in a millisecond or two. */
const DECOMPRESSED_AT_ONCE_MAX = 512 * 1024;

/** Larger bodies are kept in the pieces in which they come. */
const LARGE_BODY_BYTES = 4 * 1024 * 1024;

/** Bytes of the bodies that are being read now, by all clients of the process. */
let bytesInFlight = 0;

/** Reads to the end, decompressing, and stops at the limit or when the head is refused. */
async function readBody(
  response: IncomingMessage,
  request: Pick<HttpRequest, 'bodyBytesMax' | 'buffers' | 'inspect'>,
  contentType: string,
): Promise<Uint8Array> {
  const inspect = (head: Uint8Array) => request.inspect?.(head, contentType);
  if (response.headers['content-encoding'] !== 'gzip') {
    return await collect(response, response, request.bodyBytesMax, request.buffers, inspect);
  }
  const length = Number(response.headers['content-length']);
  if (!(length <= COMPRESSED_AT_ONCE_MAX)) return await decompress(response, request, inspect);
  const { buffers = new BodyBuffers() } = request;
  const compressed = await collect(response, response, COMPRESSED_AT_ONCE_MAX, buffers);
  const size = claimedSize(compressed);
  try {
    if (size <= Math.min(DECOMPRESSED_AT_ONCE_MAX, request.bodyBytesMax)) {
      // One buffer of the right size, at once: streams take a piece of 16 KB at a time.
      const options = { chunkSize: Math.max(64, size + 1), maxOutputLength: size };
      const body = gunzipSync(compressed, options);
      buffers.giveBack(compressed);
      return body;
    }
  } catch {
    // It claims a wrong size, or is damaged: the careful way tells.
  }
  return await decompress(Readable.from([compressed]), request, inspect, response);
}

/** What the last four bytes of a gzip body say: its decompressed size, modulo 4 GB. */
function claimedSize(compressed: Uint8Array): number {
  if (compressed.length < 18) return Infinity;
  const view = new DataView(compressed.buffer, compressed.byteOffset, compressed.length);
  return view.getUint32(compressed.length - 4, true);
}

async function decompress(
  source: Readable,
  request: Pick<HttpRequest, 'bodyBytesMax' | 'buffers'>,
  inspect: (head: Uint8Array) => void,
  response: IncomingMessage = source as IncomingMessage,
): Promise<Uint8Array> {
  const stream = source.pipe(createGunzip());
  // A broken connection must end the decompression too.
  source.on('error', (error) => stream.destroy(error));
  return await collect(stream, response, request.bodyBytesMax, request.buffers, inspect);
}

async function collect(
  stream: Readable,
  response: IncomingMessage,
  bytesMax: number,
  buffers: BodyBuffers = new BodyBuffers(),
  inspect?: (head: Uint8Array) => void,
): Promise<Uint8Array> {
  const announced = Number(response.headers['content-length'] ?? 0);
  const fits = stream === response && announced <= Math.min(bytesMax, LARGE_BODY_BYTES);
  let body = buffers.take(fits ? announced : 0);
  /** The pieces of a body that is too large for a buffer of its own. */
  const large: Uint8Array[] = [];
  let length = 0;
  let inspected = inspect === undefined;
  let complete = false;
  try {
    for await (const piece of stream) {
      const chunk = piece as Buffer;
      bytesInFlight += chunk.length;
      length += chunk.length;
      if (length > bytesMax) throw new TytoError('too_large', 'body size limit exceeded');
      if (bytesInFlight > BODIES_BYTES_MAX) {
        throw new TytoError('too_large', 'body size limit exceeded (all targets together)');
      }
      if (large.length === 0 && length <= LARGE_BODY_BYTES) {
        if (length > body.length) {
          const wanted = Math.min(Math.max(length, body.length * 2), LARGE_BODY_BYTES);
          body = grown(body, length - chunk.length, wanted, buffers);
        }
        body.set(chunk, length - chunk.length);
      } else {
        // Nothing is copied before the end: two of these would be held meanwhile.
        if (large.length === 0) large.push(body.subarray(0, length - chunk.length));
        large.push(chunk);
      }
      if (inspected || length < HEAD_BYTES) continue;
      inspected = true;
      inspect?.(large.length === 0 ? body.subarray(0, length) : Buffer.concat(large));
    }
    complete = true;
    if (large.length === 0) return body.subarray(0, length);
    const whole = Buffer.concat(large, length);
    buffers.giveBack(body);
    return whole;
  } finally {
    bytesInFlight -= length;
    if (!complete) buffers.giveBack(body);
    if (!response.complete) response.destroy();
    stream.destroy();
  }
}

function grown(body: Buffer, used: number, bytes: number, buffers: BodyBuffers): Buffer {
  const larger = buffers.take(bytes);
  larger.set(body.subarray(0, used));
  buffers.giveBack(body);
  return larger;
}
