/**
 * One HTTP exchange: builds the request, bounds it by time, links the caller's abort to it, and
 * turns whatever goes wrong into `ApiError`. The network, the clock and the maker of abort
 * controllers are handed in, so the client runs in browsers, Node.js and tests alike.
 */

import { type Clock, errorMessage } from '@tyto/base';
import { ApiError, errorTypeOfStatus } from './apiError.ts';

/** Longer URLs are refused by some proxies; such requests go as a form in a POST instead. */
const URL_LENGTH_MAX = 1800;

export interface HttpResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly statusText: string;
  text(): Promise<string>;
}

export interface HttpRequest {
  method: string;
  headers: Record<string, string>;
  signal: AbortSignal;
  body?: string;
}

/** The part of the standard `fetch` that the client uses. */
export type FetchLike = (url: string, request: HttpRequest) => Promise<HttpResponse>;

/** The part of the standard AbortSignal that a caller's signal needs. */
export interface CancelSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

export interface AbortHandle {
  readonly signal: AbortSignal;
  abort(): void;
}

export interface Transport {
  readonly fetch: FetchLike;
  readonly createAbort: () => AbortHandle;
  readonly clock: Clock;
}

export interface CallOptions {
  readonly signal?: CancelSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface Exchange {
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
}

export type ParameterValue = string | number | boolean | readonly string[] | undefined;
export type Parameters = Readonly<Record<string, ParameterValue>>;

/** `a=1&b=2`; undefined is left out, a list repeats its name. */
export function encodeParameters(parameters: Parameters): string {
  const parts: string[] = [];
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue;
    const values = typeof value === 'object' ? value : [String(value)];
    for (const one of values) parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(one)}`);
  }
  return parts.join('&');
}

/** A read: GET, or a form in a POST where the URL would be too long and the endpoint takes both. */
export function readExchange(url: string, parameters: Parameters, takesPost: boolean): Exchange {
  const encoded = encodeParameters(parameters);
  if (encoded === '') return { url, method: 'GET' };
  if (!takesPost || url.length + encoded.length < URL_LENGTH_MAX) {
    return { url: `${url}?${encoded}`, method: 'GET' };
  }
  return { url, method: 'POST', body: encoded, contentType: 'application/x-www-form-urlencoded' };
}

export interface Answer {
  readonly status: number;
  readonly ok: boolean;
  readonly body: string;
}

/** Rejects with `ApiError` only; an error status is an answer, not a rejection. */
export async function perform(
  transport: Transport,
  exchange: Exchange,
  options: { signal?: CancelSignal | undefined; timeoutMs: number },
): Promise<Answer> {
  const { signal, timeoutMs } = options;
  if (isAborted(signal)) throw new ApiError('canceled', 'The request was canceled');
  const abort = transport.createAbort();
  let timedOut = false;
  const timer = transport.clock.schedule(timeoutMs, () => {
    timedOut = true;
    abort.abort();
  });
  const onAbort = () => abort.abort();
  signal?.addEventListener('abort', onAbort);
  try {
    const request: HttpRequest = {
      method: exchange.method,
      headers: { accept: 'application/json' },
      signal: abort.signal,
    };
    if (exchange.body !== undefined) {
      request.body = exchange.body;
      request.headers['content-type'] = exchange.contentType ?? 'application/json';
    }
    const response = await transport.fetch(exchange.url, request);
    return { status: response.status, ok: response.ok, body: await response.text() };
  } catch (cause) {
    if (timedOut) {
      const seconds = Math.round(timeoutMs / 100) / 10;
      throw new ApiError('timeout', `No answer within ${seconds} s`, { cause });
    }
    if (isAborted(signal)) {
      throw new ApiError('canceled', 'The request was canceled', { cause });
    }
    throw new ApiError('network', errorMessage(cause), { cause });
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}

function isAborted(signal: CancelSignal | undefined): boolean {
  return signal?.aborted ?? false;
}

/** The JSON of an answer; what is not JSON (a proxy's error page) becomes an `ApiError`. */
export function parseJson(answer: Answer): unknown {
  try {
    return JSON.parse(answer.body);
  } catch (cause) {
    const type = answer.ok ? 'bad_response' : errorTypeOfStatus(answer.status);
    const start = answer.body.trim().slice(0, 200);
    const message = start === '' ? `Empty answer with status ${answer.status}` : start;
    throw new ApiError(type, message, { status: answer.status, cause });
  }
}
