/** Where a loop gets its expositions from: an HTTP target, or a function in this process. */
import { TytoError } from '@tyto/base';
import { ENTRY_END, ExpositionParser } from '@tyto/wire';
import type { ScrapeConfig } from '../config/scrapeConfig.ts';
import { BodyBuffers } from '../http/bodyBuffers.ts';
import type { HttpClient } from '../http/httpClient.ts';
import { BODY_BYTES_MAX, HEAD_BYTES } from '../limits.ts';
import { acceptHeader, expositionFormat, type ScrapeFormat } from './negotiation.ts';
import type { Target } from './target.ts';

export interface Exposition {
  readonly body: Uint8Array;
  readonly format: ScrapeFormat;
  /** Called once nobody looks at the body any more. */
  release?(): void;
}

export interface ScrapeSource {
  /** Rejects with TytoError; `timeout` when the signal aborted it. */
  read(signal: AbortSignal): Promise<Exposition>;
}

/** Of all targets of the process. */
const buffers = new BodyBuffers();

export class HttpSource implements ScrapeSource {
  readonly #client: HttpClient;
  readonly #config: ScrapeConfig;
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  /** Whether the last answer began as an exposition: then the next one is not tried beforehand. */
  #isTrusted = false;

  constructor(client: HttpClient, config: ScrapeConfig, target: Target, userAgent: string) {
    this.#client = client;
    this.#config = config;
    this.#url = target.url;
    this.#headers = {
      Accept: acceptHeader(config),
      'Accept-Encoding': acceptedEncoding(config, target),
      'User-Agent': userAgent,
      'X-Prometheus-Scrape-Timeout-Seconds': String(target.timeoutMs / 1000),
    };
  }

  async read(signal: AbortSignal): Promise<Exposition> {
    const { bodySizeLimit, fallbackScrapeProtocol } = this.#config;
    const isTrusted = this.#isTrusted;
    this.#isTrusted = false;
    const response = await this.#client.get({
      url: this.#url,
      headers: this.#headers,
      signal,
      bodyBytesMax: bodySizeLimit > 0 ? bodySizeLimit : BODY_BYTES_MAX,
      inspect: isTrusted
        ? undefined
        : (head, contentType) =>
            checkHead(head, expositionFormat(contentType, fallbackScrapeProtocol)),
      buffers,
    });
    if (response.status !== 200) {
      const status = `${response.status} ${response.statusText}`.trim();
      throw new TytoError('unavailable', `server returned HTTP status ${status}`);
    }
    const format = expositionFormat(response.contentType, fallbackScrapeProtocol);
    this.#isTrusted = true;
    return { body: response.body, format, release: () => buffers.giveBack(response.body) };
  }
}

/** Between two processes of one machine, compressing costs both and saves nothing. */
function acceptedEncoding(config: ScrapeConfig, target: Target): string {
  const { hostname } = new URL(target.url);
  const isNear = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  return config.enableCompression && !isNear ? 'gzip' : 'identity';
}

/** Refuses a body by its first lines, so that garbage is not read to its end. */
export function checkHead(head: Uint8Array, format: ScrapeFormat): void {
  // Its messages have lengths, so that garbage ends at the first one.
  if (format === 'protobuf') return;
  const end = head.lastIndexOf(0x0a) + 1;
  if (end === 0) {
    if (head.length < HEAD_BYTES) return;
    throw new TytoError('bad_data', `line 1: expected a line of less than ${HEAD_BYTES} bytes`);
  }
  const parser = new ExpositionParser(format);
  parser.start(head, end);
  let lineCount = 0;
  for (let i = 0; i < end; i++) if (head[i] === 0x0a) lineCount++;
  // A quoted value may span lines of the text format; the last ones are left to the real reading.
  while (parser.line < lineCount - 1) {
    try {
      if (parser.next() === ENTRY_END) return;
    } catch (error) {
      if (parser.line < lineCount - 1) throw error;
      return;
    }
  }
}

/** Host metrics, self metrics: scraped like a target, without a network between. */
export interface InternalTarget {
  readonly jobName: string;
  readonly instance: string;
  /** Further labels of all its series. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** The format of what it reads; the text format unless given. */
  readonly format?: ScrapeFormat | undefined;
  /** Its samples have all of their labels: those of the target are for `up` and its kind only. */
  readonly hasOwnLabels?: boolean | undefined;
  /** The exposition; a rejection makes the target down. */
  read(signal: AbortSignal): Promise<string | Uint8Array> | string | Uint8Array;
}

export class InternalSource implements ScrapeSource {
  readonly #target: InternalTarget;

  constructor(target: InternalTarget) {
    this.#target = target;
  }

  async read(signal: AbortSignal): Promise<Exposition> {
    const timedOut = new Promise<never>((_, reject) => {
      const fail = () => reject(new TytoError('timeout', 'context deadline exceeded'));
      signal.addEventListener('abort', fail, { once: true });
    });
    // Behind a promise, so that a throw cannot leave `timedOut` without anybody who listens.
    const read = Promise.resolve().then(() => this.#target.read(signal));
    const text = await Promise.race([read, timedOut]);
    const { format = 'text' } = this.#target;
    return { body: typeof text === 'string' ? Buffer.from(text) : text, format };
  }
}
