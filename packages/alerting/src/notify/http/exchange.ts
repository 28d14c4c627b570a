/** One request and its answer, of which no more is read than anybody needs. */
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { errorCode, errorMessage } from '@tyto/base';
import { NotifyError } from '../notification.ts';
import type { Connections, Way } from './connections.ts';

/** From the first packet to a connection, encrypted where it is to be. */
const CONNECT_MS_MAX = 15_000;
/** The longest answers that are looked into are lists of transitions of an issue. */
const ANSWER_BYTES_MAX = 1024 * 1024;
/** Once the status is there, the rest has this long to come. */
const ANSWER_MS_MAX = 10_000;

export interface Exchange {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string | undefined;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  /** '' where there is none. */
  readonly location: string;
  /** The first part of it where it is long or slow. */
  readonly text: string;
}

/** Sends; resolves with whatever status is answered. Rejects with NotifyError to be retried. */
export async function exchange(connections: Connections, sent: Exchange): Promise<Answer> {
  const way = await connections.to(sent.url);
  try {
    const answer = await send(way, sent);
    const { statusCode: status = 0, headers } = answer;
    const text = await readStart(answer, status);
    const { 'content-type': contentType = '', location = '' } = headers;
    return { status, contentType, location, text };
  } catch (error) {
    if (error instanceof NotifyError) throw error;
    const message = `${sent.method} "${shownUrl(sent.url)}": ${reasonOf(error, sent.signal)}`;
    throw new NotifyError(message, true, error);
  }
}

/** Resolves when status and headers are there. */
function send(way: Way, sent: Exchange): Promise<IncomingMessage> {
  const { method, url, headers, body = '', signal } = sent;
  const length = Buffer.byteLength(body);
  const hasBody = method !== 'GET' || length > 0;
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? secureRequest : plainRequest)(url, {
      ...way.tls,
      agent: way.agent,
      method,
      headers: { ...headers, ...(hasBody ? { 'content-length': length } : {}) },
      signal,
    });
    const late = AbortSignal.timeout(CONNECT_MS_MAX);
    const giveUp = () => request.destroy(new Error('no connection in time'));
    late.addEventListener('abort', giveUp, { once: true });
    request.on('socket', (socket) => {
      const connected = () => late.removeEventListener('abort', giveUp);
      if (!socket.connecting) connected();
      else socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', connected);
    });
    request.on('response', resolve);
    request.on('error', reject);
    request.end(body);
  });
}

/** Paths and queries of webhooks are secrets: only the host is shown. */
export function shownUrl({ protocol, host }: URL): string {
  return `${protocol}//${host}/<redacted>`;
}

function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'no answer in time';
  const code = errorCode(error);
  const text = errorMessage(error);
  return code === undefined || text.includes(code) ? text : `${code}: ${text}`;
}

async function readStart(body: IncomingMessage, status: number): Promise<string> {
  const late = AbortSignal.timeout(ANSWER_MS_MAX);
  const stop = () => void body.destroy();
  body.on('error', () => undefined);
  late.addEventListener('abort', stop, { once: true });
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of body) {
      pieces.push(piece);
      length += piece.length;
      if (length >= ANSWER_BYTES_MAX) break;
    }
  } catch (error) {
    // What was taken was taken: told again, it would be there twice.
    if (!late.aborted && status >= 300) throw error;
  } finally {
    late.removeEventListener('abort', stop);
    body.destroy();
  }
  return Buffer.concat(pieces).subarray(0, ANSWER_BYTES_MAX).toString('utf8');
}
