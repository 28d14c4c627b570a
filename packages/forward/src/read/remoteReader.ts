/** Reads another store by remote read: one endpoint of `remote_read`. */
import { type Clock, errorMessage, TytoError } from '@tyto/base';
import type { HttpPoster } from '@tyto/collect';
import { decodeSnappy, encodeSnappy } from '@tyto/kernels';
import { type Labels, type Matcher, SampleColumns, type SelectRequest } from '@tyto/model';
import { appendRange, sortByTime } from '@tyto/promblock';
import type { RemoteReadConfig } from '../config.ts';
import { READ_ANSWER_BYTES_MAX } from '../limits.ts';
import {
  decodeFrames,
  decodeReadResponse,
  encodeReadRequest,
  type ReadSeries,
} from './messages.ts';

export interface RemoteReaderOptions {
  readonly config: RemoteReadConfig;
  readonly externalLabels: Labels;
  readonly client: HttpPoster;
  readonly clock: Clock;
  readonly userAgent: string;
}

export class RemoteReader {
  readonly #options: RemoteReaderOptions;
  queries = 0;
  failures = 0;

  constructor(options: RemoteReaderOptions) {
    this.#options = options;
  }

  get config(): RemoteReadConfig {
    return this.#options.config;
  }

  close(): void {
    this.#options.client.close();
  }

  /**
   * The series of a selection. `completeFromMs` is where our own store begins to have everything.
   * Rejects with TytoError.
   */
  async select(request: SelectRequest, completeFromMs: number): Promise<ReadSeries[]> {
    const { config } = this.#options;
    const { matchers, minTimeMs } = request;
    const maxTimeMs = config.readRecent
      ? request.maxTimeMs
      : Math.min(request.maxTimeMs, completeFromMs);
    if (minTimeMs > maxTimeMs || !this.#isAsked(matchers)) return [];
    this.queries++;
    try {
      return await this.#read({ ...request, maxTimeMs });
    } catch (error) {
      this.failures++;
      const message = `remote read from ${shownHost(config)}: ${errorMessage(error)}`;
      throw new TytoError('unavailable', message, { cause: error });
    }
  }

  /** Whether all required matchers are there. */
  #isAsked(matchers: readonly Matcher[]): boolean {
    return Object.entries(this.#options.config.requiredMatchers).every(([name, value]) =>
      matchers.some((m) => m.type === '=' && m.name === name && m.value === value),
    );
  }

  async #read({ matchers, minTimeMs, maxTimeMs, signal }: SelectRequest): Promise<ReadSeries[]> {
    const { client, clock, config } = this.#options;
    const added = this.#addedLabels(matchers);
    const all = [
      ...matchers,
      ...added.map(([name, value]) => ({ type: '=' as const, name, value })),
    ];
    const body = encodeSnappy(encodeReadRequest({ minTimeMs, maxTimeMs, matchers: all }));
    const ending = new AbortController();
    const end = () => ending.abort();
    const timer = clock.schedule(config.timeoutMs, end);
    signal?.throwIfAborted();
    signal?.addEventListener('abort', end);
    const answer = await client
      .post({
        url: config.url,
        body,
        headers: {
          ...config.headers,
          'Content-Encoding': 'snappy',
          'Content-Type': 'application/x-protobuf',
          'User-Agent': this.#options.userAgent,
          'X-Prometheus-Remote-Read-Version': '0.1.0',
        },
        signal: ending.signal,
        bodyBytesMax: READ_ANSWER_BYTES_MAX,
        mayRepeat: true,
      })
      .finally(() => {
        timer.cancel();
        signal?.removeEventListener('abort', end);
      });
    if (answer.status < 200 || answer.status > 299) {
      const text = new TextDecoder().decode(answer.body).trim();
      throw new TytoError('unavailable', `status ${answer.status}: ${text}`);
    }
    const isStream = answer.contentType.startsWith('application/x-streamed-protobuf');
    const series = isStream
      ? decodeFrames(answer.body)
      : decodeReadResponse(decodeSnappy(answer.body, READ_ANSWER_BYTES_MAX));
    const names = new Set(added.map(([name]) => name));
    return series.map(({ labels, columns }) => ({
      labels: labels.without(names),
      columns: within(columns, minTimeMs, maxTimeMs),
    }));
  }

  /** External labels that the other store has to have, and that ours does not store. */
  #addedLabels(matchers: readonly Matcher[]): [name: string, value: string][] {
    const { config, externalLabels } = this.#options;
    if (!config.filtersExternalLabels) return [];
    return [...externalLabels.entries()].filter(
      ([name]) => !matchers.some((matcher) => matcher.name === name),
    );
  }
}

/** The samples of a range, rising: chunks may overlap, and reach beyond what was asked for. */
function within(columns: SampleColumns, minTimeMs: number, maxTimeMs: number): SampleColumns {
  const sorted = sortByTime(columns);
  const kept = new SampleColumns(sorted.length);
  appendRange(sorted, minTimeMs, maxTimeMs, [], kept);
  return kept;
}

function shownHost({ name, url }: RemoteReadConfig): string {
  return name === '' ? new URL(url).host : name;
}
