/**
 * Queries on behalf of people: so many at once, counted and timed; the others wait their turn. Each
 * can be seen and ended while it runs, and the slow ones are told in the log.
 */
import { type Clock, type Logger, TytoError } from '@tyto/base';
import { formatMatcher, type MetricQuerier, type QueryResult } from '@tyto/model';
import {
  QueryEngine,
  type QueryOptions,
  type QueryRead,
  type QueryStep,
  type QueryUsage,
  type SampleAccount,
  SamplePool,
} from '@tyto/promql';
import type { Features } from './features.ts';
import type { SelfMetrics } from './metrics/selfMetrics.ts';

/** Queries that may wait; more are refused at once, which is better than an answer too late. */
const WAITING_MAX = 500;
/** Of a query's text and of its reads in the log. */
const LOGGED_CHARACTERS_MAX = 2000;
/** Of the text of one part of a query. */
const STEP_CHARACTERS_MAX = 100;

export interface QueryLimits {
  readonly concurrencyMax: number;
  /** Samples and points that all queries hold together. */
  readonly samplesTotalMax: number;
  /** Queries that take longer are logged; 0 for none. */
  readonly slowMs: number;
  /** The longest that a query may wait and run; a caller may ask for less. */
  readonly timeoutMs: number;
}

/** A result, and what it took. */
export interface TimedResult extends QueryResult {
  readonly timings: QueryTimes;
  readonly usage: QueryUsage | undefined;
}

export interface QueryTimes {
  /** Waiting for its turn. */
  readonly queueMs: number;
  /** Finding series, and all of the evaluation, the former included. */
  readonly preparationMs: number;
  readonly evaluationMs: number;
}

/** Times of an instant query are the same. */
export interface QueryRange {
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for an instant query. */
  readonly stepMs: number;
}

/** A query that waits or runs. */
export interface ActiveQuery extends QueryRange {
  readonly id: string;
  readonly text: string;
  readonly arrivedMs: number;
  /** How long it has been running; undefined while it waits. */
  readonly runningMs: number | undefined;
  readonly usage: QueryUsage | undefined;
}

interface Entry extends QueryRange {
  readonly id: string;
  readonly text: string;
  readonly arrivedMs: number;
  readonly ending: AbortController;
  /** On the monotonic clock. */
  startedMs: number | undefined;
  usage: QueryUsage | undefined;
}

/** What queries may take of the machine, and of the language. */
export interface EngineSettings {
  readonly clock: Clock;
  readonly query: QueryLimits & {
    readonly sampleLimit: number;
    readonly resultCacheBytes: number;
    readonly lookbackMs: number;
  };
  readonly features: Pick<Features, 'syntax' | 'useStartTimes'>;
}

export function createEngine(
  querier: MetricQuerier,
  { clock, query, features }: EngineSettings,
): QueryEngine {
  const { timeoutMs, sampleLimit, lookbackMs, resultCacheBytes } = query;
  const { syntax: experimental, useStartTimes } = features;
  const limits = { timeoutMs, sampleLimit, lookbackMs, resultCacheBytes };
  return new QueryEngine(querier, { clock, experimental, useStartTimes, ...limits });
}

export class QueryRunner {
  readonly #engine: QueryEngine;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: SelfMetrics;
  readonly #limits: QueryLimits;
  readonly #active = new Map<string, Entry>();
  readonly #pool: SamplePool;
  readonly #waiting = new Set<() => void>();
  #running = 0;
  #lastId = 0;

  constructor(
    engine: QueryEngine,
    clock: Clock,
    logger: Logger,
    metrics: SelfMetrics,
    limits: QueryLimits,
  ) {
    this.#engine = engine;
    this.#clock = clock;
    this.#logger = logger;
    this.#metrics = metrics;
    this.#limits = limits;
    this.#pool = new SamplePool(limits.samplesTotalMax);
    metrics.queriesMax.set(limits.concurrencyMax);
  }

  instant(text: string, timeMs: number, options: QueryOptions = {}): Promise<TimedResult> {
    const range = { startMs: timeMs, endMs: timeMs, stepMs: 0 };
    return this.#run(text, range, options, (watched) =>
      this.#engine.instant(text, timeMs, watched),
    );
  }

  range(
    text: string,
    startMs: number,
    endMs: number,
    stepMs: number,
    options: QueryOptions = {},
  ): Promise<TimedResult> {
    return this.#run(text, { startMs, endMs, stepMs }, options, (watched) =>
      this.#engine.range(text, startMs, endMs, stepMs, watched),
    );
  }

  /** For an answer that is held until it is sent: closed by the caller, who gives it to a query. */
  openAccount(): SampleAccount {
    return this.#pool.open();
  }

  /** Those that wait or run, the oldest first. */
  active(): ActiveQuery[] {
    const nowMs = this.#clock.monotonicMs();
    return [...this.#active.values()].map((entry) => {
      const { id, text, startMs, endMs, stepMs, arrivedMs, startedMs, usage } = entry;
      const runningMs = startedMs === undefined ? undefined : nowMs - startedMs;
      return { id, text, startMs, endMs, stepMs, arrivedMs, runningMs, usage };
    });
  }

  /** Ends a query: its caller gets an error that says so. False where there is none of that id. */
  kill(id: string): boolean {
    const entry = this.#active.get(id);
    entry?.ending.abort(new TytoError('canceled', 'the query was killed'));
    return entry !== undefined;
  }

  async #run(
    text: string,
    range: QueryRange,
    options: QueryOptions,
    query: (watched: QueryOptions) => Promise<QueryResult>,
  ): Promise<TimedResult> {
    if (this.#waiting.size >= WAITING_MAX) {
      throw new TytoError('unavailable', `${WAITING_MAX} queries are waiting already`);
    }
    const entry = this.#enter(text, range, options.ending ?? new AbortController());
    const own = options.account === undefined ? this.#pool.open() : undefined;
    const account = options.account ?? own;
    this.#metrics.queriesRunning.inc();
    try {
      const timeoutMs = Math.min(options.timeoutMs ?? Infinity, this.#limits.timeoutMs);
      const queueMs = await this.#turn(entry, timeoutMs);
      const watch = (usage: QueryUsage) => {
        entry.usage = usage;
        options.watch?.(usage);
      };
      const watched = {
        ...options,
        account,
        timeoutMs: timeoutMs - queueMs,
        ending: entry.ending,
        watch,
      };
      const startedMs = this.#clock.monotonicMs();
      const result = await this.#timed(entry, () => query(watched));
      const evaluationMs = this.#clock.monotonicMs() - startedMs;
      const { usage } = entry;
      const preparationMs = usage?.preparationMs ?? 0;
      return { ...result, timings: { queueMs, preparationMs, evaluationMs }, usage };
    } finally {
      own?.close();
      this.#active.delete(entry.id);
      this.#metrics.queriesRunning.dec();
    }
  }

  #enter(text: string, range: QueryRange, ending: AbortController): Entry {
    const entry: Entry = {
      ...range,
      id: String(++this.#lastId),
      text,
      arrivedMs: this.#clock.nowMs(),
      ending,
      startedMs: undefined,
      usage: undefined,
    };
    this.#active.set(entry.id, entry);
    return entry;
  }

  /**
   * Waits for a place among those that run, and resolves with how long. Rejects with `canceled` for
   * a query that is ended before, and with `timeout`.
   */
  async #turn(entry: Entry, timeoutMs: number): Promise<number> {
    const arrivedMs = this.#clock.monotonicMs();
    const { signal } = entry.ending;
    if (signal.aborted) throw endedBy(signal);
    if (this.#running < this.#limits.concurrencyMax) this.#running++;
    else {
      await new Promise<void>((resolve, reject) => {
        const timer = this.#clock.schedule(timeoutMs, () => {
          entry.ending.abort(new TytoError('timeout', 'query timed out in query queue'));
        });
        const enter = () => {
          timer.cancel();
          signal.removeEventListener('abort', end);
          resolve();
        };
        const end = () => {
          timer.cancel();
          this.#waiting.delete(enter);
          reject(endedBy(signal));
        };
        this.#waiting.add(enter);
        signal.addEventListener('abort', end);
      });
    }
    entry.startedMs = this.#clock.monotonicMs();
    const waitedMs = entry.startedMs - arrivedMs;
    this.#metrics.queryDuration.observe({ slice: 'queue_time' }, waitedMs / 1000);
    return waitedMs;
  }

  async #timed(entry: Entry, query: () => Promise<QueryResult>): Promise<QueryResult> {
    try {
      return await query();
    } finally {
      const ms = this.#clock.monotonicMs() - (entry.startedMs as number);
      this.#metrics.queryDuration.observe({ slice: 'inner_eval' }, ms / 1000);
      const [next] = this.#waiting;
      if (next === undefined) this.#running--;
      else {
        this.#waiting.delete(next);
        next();
      }
      if (this.#limits.slowMs > 0 && ms >= this.#limits.slowMs) this.#logSlow(entry, ms);
    }
  }

  #logSlow({ text, startMs, endMs, stepMs, usage }: Entry, ms: number): void {
    this.#logger.warn('a slow query', {
      query: text.slice(0, LOGGED_CHARACTERS_MAX),
      seconds: ms / 1000,
      start: timeText(startMs),
      end: timeText(endMs),
      step: stepMs / 1000,
      samplesRead: usage?.readSamples ?? 0,
      samplesPeak: usage?.peakSamples ?? 0,
      plan: (usage?.steps ?? []).map(stepText).join('; ').slice(0, LOGGED_CHARACTERS_MAX),
      reads: (usage?.reads ?? []).map(readText).join('; ').slice(0, LOGGED_CHARACTERS_MAX),
    });
  }
}

/** `{job="api"} from … to …: 12 series` */
function readText({ matchers, minTimeMs, maxTimeMs, seriesCount }: QueryRead): string {
  const range = `from ${timeText(minTimeMs)} to ${timeText(maxTimeMs)}`;
  return `{${matchers.map(formatMatcher).join()}} ${range}: ${seriesCount} series`;
}

/** `rate(x[5m]) 0.12s, 40 series (computed by the store)`, and what is inside in braces. */
function stepText({ text, notes, elapsedMs, seriesCount, steps }: QueryStep): string {
  const told = notes.length === 0 ? '' : ` (${notes.join(', ')})`;
  const inside = steps.length === 0 ? '' : ` {${steps.map(stepText).join('; ')}}`;
  const seconds = (elapsedMs / 1000).toFixed(3);
  return `${text.slice(0, STEP_CHARACTERS_MAX)} ${seconds}s, ${seriesCount} series${told}${inside}`;
}

/** A query may ask for times that no calendar has. */
function timeText(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms);
}

function endedBy({ reason }: AbortSignal): TytoError {
  return reason instanceof TytoError
    ? reason
    : new TytoError('canceled', 'query was canceled while it waited for its turn');
}
