/**
 * Requests to delete logs, as Loki has them: what one wants is hidden at once; it can be cancelled
 * for a while, then it is carried out. They are kept in the state store, so that a restart forgets
 * none.
 */
import { randomUUID } from 'node:crypto';
import type { StateStore } from '@tyto/alerting';
import {
  type Clock,
  errorMessage,
  getOrCreate,
  type Logger,
  type Timer,
  TytoError,
} from '@tyto/base';
import type { Labels, LogEntry, LogFilter, LogStore } from '@tyto/model';
import { type LogPipeline, parseLogPipeline } from '@tyto/syntax';
import type { HiddenLogs } from './hidingStore.ts';

export interface DeleteRequest {
  readonly id: string;
  readonly tenant: string;
  readonly query: string;
  /** Both are included. */
  readonly startMs: number;
  readonly endMs: number;
  readonly createdMs: number;
  readonly status: 'received' | 'processed' | 'failed';
  /** Entries that went, or why none did. */
  readonly outcome: string;
}

export interface LogDeletionsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: StateStore;
  readonly store: LogStore;
  /** For how long a request may be cancelled. */
  cancelMs(): number;
  /** What a query makes of an entry; undefined where it does not want it. */
  follow(query: string): (stream: Labels, entry: LogEntry) => unknown;
}

const PREFIX = 'logs/deletions/';
const REQUESTS_MAX = 1000;
/** What was done is told for so long. */
const DONE_MS_MAX = 30 * 24 * 3_600_000;
const LOOK_MS = 5000;
const NS_PER_MS = 1_000_000n;

export class LogDeletions {
  readonly #options: LogDeletionsOptions;
  readonly #requests = new Map<string, DeleteRequest>();
  /** Of requests that wait, by their id. */
  readonly #hidden = new Map<string, HiddenLogs>();
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: LogDeletionsOptions) {
    this.#options = options;
    for (const [key, value] of options.state.entries(PREFIX)) {
      this.#requests.set(key.slice(PREFIX.length), value as DeleteRequest);
    }
  }

  start(): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.schedule(LOOK_MS, () => {
      void this.#look().finally(() => this.start());
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** What requests hide that are not carried out yet. */
  hiddenOf(tenant: string): HiddenLogs[] {
    const hidden: HiddenLogs[] = [];
    for (const request of this.#requests.values()) {
      if (request.tenant !== tenant || request.status !== 'received') continue;
      hidden.push(getOrCreate(this.#hidden, request.id, () => this.#hiddenBy(request)));
    }
    return hidden;
  }

  #hiddenBy({ query, startMs, endMs }: DeleteRequest): HiddenLogs {
    const follow = this.#options.follow(query);
    return {
      matchers: parseLogPipeline(query).matchers,
      ...rangeOf(startMs, endMs),
      wants: (stream, entry) => follow(stream, entry) !== undefined,
    };
  }

  /** Those of a tenant, the oldest first. */
  list(tenant: string): DeleteRequest[] {
    return [...this.#requests.values()]
      .filter((request) => request.tenant === tenant)
      .sort((a, b) => a.createdMs - b.createdMs);
  }

  /** Throws TytoError `bad_data` for a query that says more than what lines are meant. */
  async add(tenant: string, query: string, startMs: number, endMs: number): Promise<string> {
    filtersOf(parseLogPipeline(query));
    this.#options.follow(query);
    if (this.#requests.size >= REQUESTS_MAX) {
      throw new TytoError('unavailable', `${REQUESTS_MAX} delete requests are kept already`);
    }
    const id = randomUUID().slice(0, 8);
    const createdMs = this.#options.clock.nowMs();
    const about = { id, tenant, query, startMs, endMs, createdMs };
    await this.#put({ ...about, status: 'received', outcome: '' });
    return id;
  }

  /** Rejects with TytoError `not_found`, or `bad_data` where it is too late. */
  async cancel(tenant: string, id: string): Promise<void> {
    const request = this.#requests.get(id);
    if (request?.tenant !== tenant) {
      throw new TytoError('not_found', 'could not find delete request with given id');
    }
    if (request.status !== 'received') {
      const message = 'deletion of request which is in process or already processed is not allowed';
      throw new TytoError('bad_data', message);
    }
    this.#requests.delete(id);
    this.#hidden.delete(id);
    await this.#options.state.remove(PREFIX + id);
  }

  async #look(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    for (const request of [...this.#requests.values()]) {
      const ageMs = nowMs - request.createdMs;
      if (request.status !== 'received') {
        if (ageMs > DONE_MS_MAX) await this.#forget(request.id);
      } else if (ageMs >= this.#options.cancelMs()) await this.#carryOut(request);
    }
  }

  async #forget(id: string): Promise<void> {
    this.#requests.delete(id);
    this.#hidden.delete(id);
    await this.#options.state.remove(PREFIX + id);
  }

  async #carryOut(request: DeleteRequest): Promise<void> {
    const { logger, store } = this.#options;
    const { tenant, query, startMs, endMs } = request;
    try {
      const pipeline = parseLogPipeline(query);
      const entries = await store.delete({
        tenant,
        matchers: pipeline.matchers,
        filters: filtersOf(pipeline),
        ...rangeOf(startMs, endMs),
      });
      logger.info('logs were deleted', { tenant, query, entries });
      await this.#put({ ...request, status: 'processed', outcome: `${entries} entries` });
    } catch (error) {
      const outcome = errorMessage(error);
      logger.error('logs could not be deleted', { tenant, query, error: outcome });
      // What the store cannot do it never will; everything else may go away.
      const isFinal = error instanceof TytoError && error.kind === 'bad_data';
      if (isFinal) await this.#put({ ...request, status: 'failed', outcome });
    }
  }

  async #put(request: DeleteRequest): Promise<void> {
    this.#requests.set(request.id, request);
    if (request.status !== 'received') this.#hidden.delete(request.id);
    await this.#options.state.put(PREFIX + request.id, request);
  }
}

function rangeOf(startMs: number, endMs: number): { startNs: bigint; endNs: bigint } {
  return { startNs: BigInt(startMs) * NS_PER_MS, endNs: BigInt(endMs) * NS_PER_MS + 1n };
}

/** Only filters of lines: what a pipeline makes of a line is not what is stored. */
function filtersOf({ stages }: LogPipeline): LogFilter[] {
  return stages.map((stage) => {
    const isPlain = stage.kind === 'line_filter' && stage.alternatives.every(({ isIp }) => !isIp);
    if (!isPlain) {
      const message = 'a delete request takes a selector and line filters: {app="x"} |= "text"';
      throw new TytoError('bad_data', message);
    }
    const { operator, alternatives } = stage;
    const types = { '=': 'contains', '~': 'regexp', '>': 'pattern' } as const;
    return {
      on: 'line',
      type: types[operator[1] as keyof typeof types],
      negated: operator[0] === '!',
      values: alternatives.map(({ value }) => value),
    };
  });
}
