/** One request over HTTP, until it is answered for good: backoff with jitter, Retry-After. */
import { type Clock, errorMessage, type Logger } from '@tyto/base';
import type { HttpPosted, HttpPoster } from '@tyto/collect';
import type { RemoteWriteVersion } from '@tyto/wire';
import { type QueueConfig, shownUrl } from '../config.ts';
import { RETRY_AFTER_MS_MAX } from '../limits.ts';

export interface DeliveryOptions {
  readonly client: HttpPoster;
  readonly clock: Clock;
  readonly logger: Logger;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly version: RemoteWriteVersion;
  readonly userAgent: string;
  readonly timeoutMs: number;
  readonly queue: QueueConfig;
}

export type Verdict = 'sent' | 'refused' | 'stopped';

const ANSWER_BYTES_MAX = 1024 * 1024;
/** How often a failing endpoint is complained about. */
const LOG_INTERVAL_MS = 60_000;

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #headers: Readonly<Record<string, string>>;
  /** The requests that are under way. */
  readonly #underWay = new Set<AbortController>();
  readonly #waiting = new Set<() => void>();
  #isStopping = false;
  #loggedMs = -Infinity;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    const isFirst = options.version === 1;
    this.#headers = {
      ...options.headers,
      'Content-Encoding': 'snappy',
      'Content-Type': isFirst
        ? 'application/x-protobuf'
        : 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
      'User-Agent': options.userAgent,
      'X-Prometheus-Remote-Write-Version': isFirst ? '0.1.0' : '2.0.0',
    };
  }

  /** `onRetry` is called before each further try. Never rejects. */
  async deliver(body: Uint8Array, onRetry: () => void): Promise<Verdict> {
    const { backoffMsMin, backoffMsMax } = this.#options.queue;
    for (let backoffMs = backoffMsMin; !this.#isStopping; ) {
      const outcome = await this.#attempt(body);
      if (typeof outcome === 'string') return outcome;
      if (this.#isStopping) break;
      onRetry();
      // Between half and all of it, so that shards do not come back together.
      const jittered = backoffMs * (0.5 + this.#options.random() / 2);
      await this.#sleep(Math.max(outcome.afterMs, jittered));
      backoffMs = Math.min(Math.max(1, backoffMs * 2), backoffMsMax);
    }
    return 'stopped';
  }

  /** No further tries; those that wait end now. */
  stop(): void {
    this.#isStopping = true;
    for (const wake of this.#waiting) wake();
  }

  /** Ends what is under way, too. */
  abort(): void {
    this.stop();
    for (const request of this.#underWay) request.abort();
    this.#options.client.close();
  }

  async #attempt(body: Uint8Array): Promise<'sent' | 'refused' | { readonly afterMs: number }> {
    const { client, clock, url, timeoutMs, queue } = this.#options;
    // Held here: nothing else keeps what ends a request that is never answered.
    const ending = new AbortController();
    const { signal } = ending;
    this.#underWay.add(ending);
    const timer = clock.schedule(timeoutMs, () => ending.abort());
    let answer: HttpPosted;
    try {
      const headers = this.#headers;
      answer = await client.post({ url, headers, body, signal, bodyBytesMax: ANSWER_BYTES_MAX });
    } catch (error) {
      this.#complain('remote write waits: the endpoint cannot be reached', errorMessage(error));
      return { afterMs: 0 };
    } finally {
      timer.cancel();
      this.#underWay.delete(ending);
    }
    const { status } = answer;
    if (status >= 200 && status < 300) return 'sent';
    const reason = `status ${status}: ${new TextDecoder().decode(answer.body).trim()}`;
    if (status >= 500 || (status === 429 && queue.retriesTooMany)) {
      this.#complain('remote write waits: the endpoint takes nothing now', reason);
      return { afterMs: retryAfterMs(answer.retryAfter, clock.nowMs()) };
    }
    this.#options.logger.error('remote write: the endpoint refused samples; they are dropped', {
      url: shownUrl(url),
      reason,
    });
    return 'refused';
  }

  #complain(message: string, reason: string): void {
    if (this.#isStopping) return;
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#loggedMs < LOG_INTERVAL_MS) return;
    this.#loggedMs = nowMs;
    this.#options.logger.warn(message, { url: shownUrl(this.#options.url), reason });
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        timer.cancel();
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = this.#options.clock.schedule(ms, wake);
      this.#waiting.add(wake);
    });
  }
}

/** Of the header's seconds or date; 0 where it says nothing. */
function retryAfterMs(header: string, nowMs: number): number {
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, ms), RETRY_AFTER_MS_MAX);
}
