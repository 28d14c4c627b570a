/** One request and its answer, of which no more is read than anybody needs. */
import { errorCode, errorMessage } from '@tyto/base';
import { NotifyError } from '../notification.ts';
import type { Connections } from './connections.ts';

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
  const { method, url, headers, body, signal } = sent;
  const dispatcher = await connections.to(url);
  const { request: send } = await import('undici');
  try {
    const options = { dispatcher, method, headers: { ...headers }, body: body ?? null, signal };
    const answer = await send(url, options);
    const text = await readStart(answer.body, answer.statusCode);
    const { 'content-type': contentType, location } = answer.headers;
    return {
      status: answer.statusCode,
      contentType: first(contentType),
      location: first(location),
      text,
    };
  } catch (error) {
    if (error instanceof NotifyError) throw error;
    const message = `${method} "${shownUrl(url)}": ${reasonOf(error, signal)}`;
    throw new NotifyError(message, true, error);
  }
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

async function readStart(
  body: AsyncIterable<Uint8Array> & { destroy(): unknown; on(event: 'error', f: () => void): void },
  status: number,
): Promise<string> {
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

function first(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header[0] : header) ?? '';
}
