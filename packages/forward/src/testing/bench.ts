/** What tests of sending share: a forwarder on a directory, and a receiver in the test's hands. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock, TytoError } from '@tyto/base';
import {
  DEFAULT_HTTP_CLIENT,
  type HttpPost,
  type HttpPosted,
  type HttpPoster,
  WriteReceiver,
} from '@tyto/collect';
import {
  APPENDED,
  type AppendResult,
  type CommittedSamples,
  Labels,
  MemoryMetricStore,
  type MetricAppender,
  REPEATED,
  SampleColumns,
} from '@tyto/model';
import { type Disk, nodeDisk } from '@tyto/tsdb';
import type { RemoteWriteConfig } from '../config.ts';
import type { ForwarderOptions } from '../endpoint.ts';
import { Forwarder } from '../forwarder.ts';

export type Answer =
  | number
  | { readonly status: number; readonly retryAfter: string }
  /** Not taken. */
  | 'broken'
  /** Taken, and the answer is lost. */
  | 'unheard';

/** Refuses a batch as a whole where it would refuse one sample of it. */
class StrictStore extends MemoryMetricStore {
  override appender(): MetricAppender {
    const inner = super.appender();
    let isRefused = false;
    const noted = (result: AppendResult) => {
      if (result !== APPENDED && result !== REPEATED) isRefused = true;
      return result;
    };
    return {
      ...inner,
      append: (ref, timestampMs, value) => noted(inner.append(ref, timestampMs, value)),
      appendStale: (ref, timestampMs) => noted(inner.appendStale(ref, timestampMs)),
      appendHistogram: (ref, timestampMs, histogram) =>
        noted(inner.appendHistogram(ref, timestampMs, histogram)),
      appendRun: (...run) => noted(inner.appendRun(...run)),
      commit: async () => (isRefused ? inner.rollback() : await inner.commit()),
    };
  }
}

/** Takes all of a request or nothing of it, as strict receivers do. */
export class FakeReceiver implements HttpPoster {
  readonly requests: HttpPost[] = [];
  readonly store: MemoryMetricStore;
  refused = 0;
  /** What a request is answered. */
  answer: () => Answer = () => 204;
  readonly #receiver: WriteReceiver;
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: MemoryMetricStore = new StrictStore()) {
    this.store = store;
    this.#receiver = new WriteReceiver({ store, clock: systemClock, key: new Uint8Array(16) });
  }

  /** Resolves when nothing is being taken any more. */
  async idle(): Promise<void> {
    await this.#last;
  }

  async post(request: HttpPost): Promise<HttpPosted> {
    this.requests.push(request);
    const answer = this.answer();
    if (answer === 'broken') throw new TytoError('unavailable', 'connection refused');
    const wanted = typeof answer === 'object' ? answer.status : answer;
    const retryAfter = typeof answer === 'object' ? answer.retryAfter : '';
    const status = typeof wanted === 'number' && wanted >= 300 ? wanted : await this.#take(request);
    if (answer === 'unheard') throw new TytoError('timeout', 'connection reset');
    return { status, retryAfter, contentType: '', body: new Uint8Array(0) };
  }

  close(): void {}

  get metadata() {
    return this.#receiver.metadata;
  }

  /** The samples of all series: `labels`, each as `time value`. */
  async samples(): Promise<Record<string, string[]>> {
    const all: Record<string, string[]> = {};
    const matchers = [
      { type: '!=' as const, name: '__name__', value: '', regexp: undefined, matches: Boolean },
    ];
    const found = await this.store.select({ matchers, minTimeMs: -8e15, maxTimeMs: 8e15 });
    for (let i = 0; i < found.size; i++) {
      const columns = new SampleColumns();
      found.readInto(i, columns);
      all[found.labels(i).toString()] = samplesOf(columns);
    }
    return all;
  }

  #take({ body, headers }: HttpPost): Promise<number> {
    const version = headers['X-Prometheus-Remote-Write-Version'] === '2.0.0' ? 2 : 1;
    const taken = this.#last.then(async () => {
      const { refused } = await this.#receiver.receive([body], version);
      if (refused !== undefined) this.refused++;
      return refused === undefined ? 204 : 400;
    });
    this.#last = taken;
    return taken;
  }
}

function samplesOf(columns: SampleColumns): string[] {
  return Array.from({ length: columns.length }, (_, i) => {
    const histogram = columns.histograms?.[i];
    const shown = histogram === undefined ? columns.values[i] : JSON.stringify(histogram);
    return `${columns.timestamps[i]} ${columns.isStale(i) ? 'stale' : shown}`;
  });
}

export const REMOTE_WRITE: RemoteWriteConfig = {
  url: 'http://receiver.test/write',
  name: '',
  timeoutMs: 30_000,
  version: 1,
  headers: {},
  relabelConfigs: [],
  sendsExemplars: true,
  sendsHistograms: true,
  queue: {
    shardsMax: 4,
    shardsMin: 1,
    samplesPerSendMax: 10,
    batchDeadlineMs: 20,
    backoffMsMin: 2,
    backoffMsMax: 10,
    retriesTooMany: true,
    sampleAgeMsMax: 0,
  },
  metadata: { send: false, intervalMs: 60_000 },
  http: DEFAULT_HTTP_CLIENT,
};

export interface Bench {
  readonly directory: string;
  readonly forwarder: Forwarder;
}

const directories: string[] = [];

export function removeBenches(): void {
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true });
}

/** A forwarder on a new directory, or on a copy of what another one left when it was killed. */
export async function startBench(
  receiver: HttpPoster,
  config: RemoteWriteConfig = REMOTE_WRITE,
  options: Partial<ForwarderOptions> & { readonly from?: string; readonly disk?: Disk } = {},
): Promise<Bench> {
  const { from, ...rest } = options;
  const directory = mkdtempSync(join(tmpdir(), 'tyto-forward-'));
  directories.push(directory);
  if (from !== undefined) cpSync(from, directory, { recursive: true });
  const forwarder = new Forwarder({
    disk: nodeDisk,
    clock: systemClock,
    logger: silentLogger,
    directory,
    queueBytesMax: 1e9,
    fsyncIntervalMs: 1000,
    random: () => 0.5,
    userAgent: 'Tyto/test',
    createClient: () => receiver,
    metadata: () => [],
    ...rest,
  });
  await forwarder.apply([config], Labels.of({ cluster: 'here' }));
  return { directory, forwarder };
}

export const labelsOf = (ref: number): Labels => Labels.of({ __name__: 'm', id: String(ref) });

/** One sample each of these series. */
export function committed(
  samples: readonly (readonly [ref: number, timestampMs: number, value: number])[],
  rest: Partial<CommittedSamples> = {},
): CommittedSamples {
  const values = Float64Array.from(samples, ([, , value]) => value);
  return {
    refs: Float64Array.from(samples, ([ref]) => ref),
    timestamps: Float64Array.from(samples, ([, timestampMs]) => timestampMs),
    values,
    from: 0,
    end: samples.length,
    histograms: [],
    exemplars: [],
    late: false,
    ...rest,
  };
}

export function pendingOf(forwarder: Forwarder): number {
  return [...forwarder.endpoints].reduce((sum, { queue }) => sum + queue.pending, 0);
}

export async function until(what: string, ask: () => boolean): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`waited in vain until ${what}`);
}
