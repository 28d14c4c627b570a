/** The port through which targets and discovery endpoints are asked. */
import type { HttpClientConfig } from '../config/httpClientConfig.ts';
import type { BodyBuffers } from './bodyBuffers.ts';

export interface HttpRequest {
  readonly url: string;
  /** In the order and spelling in which they are sent; authentication is the client's. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted when the time is over; the request then rejects with `timeout`. */
  readonly signal: AbortSignal;
  /** A decompressed body that is larger rejects with `too_large`. */
  readonly bodyBytesMax: number;
  /**
   * Sees the first bytes of a successful body as soon as there are HEAD_BYTES of them, or all;
   * throws to refuse the rest.
   */
  readonly inspect?: ((head: Uint8Array, contentType: string) => void) | undefined;
  /** Where the body's memory comes from; whoever asks gives it back. */
  readonly buffers?: BodyBuffers;
}

export interface HttpResponse {
  readonly status: number;
  readonly statusText: string;
  /** '' when the server sends none. */
  readonly contentType: string;
  /** Decompressed; of `buffers` where there are any. Empty unless the status is 2xx. */
  readonly body: Uint8Array;
}

export interface HttpClient {
  /** Rejects with TytoError; the messages read like Prometheus'. */
  get(request: HttpRequest): Promise<HttpResponse>;
  /** Closes idle connections; the client is not used any more. */
  close(): void;
}

export interface HttpPost {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
  /** A body of the answer that is larger rejects with `too_large`. */
  readonly bodyBytesMax: number;
  /** Whether it is sent again when a connection that was kept open turns out to be dead. */
  readonly mayRepeat?: boolean;
}

export interface HttpPosted {
  readonly status: number;
  readonly contentType: string;
  /** The header Retry-After; '' when there is none. */
  readonly retryAfter: string;
  /** Of an answer that is not 2xx the beginning. */
  readonly body: Uint8Array;
}

/** The port through which bodies are sent. */
export interface HttpPoster {
  /** Rejects with TytoError; any status is an answer. Follows redirects that keep the body. */
  post(request: HttpPost): Promise<HttpPosted>;
  close(): void;
}

export type HttpClientFactory = (config: HttpClientConfig) => HttpClient;
