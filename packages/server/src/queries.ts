/** Queries on behalf of people: so many at once, counted and timed; the others wait their turn. */
import { type Clock, TytoError } from '@tyto/base';
import type { QueryResult } from '@tyto/model';
import type { QueryEngine, QueryOptions } from '@tyto/promql';
import type { SelfMetrics } from './metrics/selfMetrics.ts';

/** Queries that may wait; more are refused at once, which is better than an answer too late. */
const WAITING_MAX = 500;

export class QueryRunner {
  readonly #engine: QueryEngine;
  readonly #clock: Clock;
  readonly #metrics: SelfMetrics;
  readonly #concurrencyMax: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(engine: QueryEngine, clock: Clock, metrics: SelfMetrics, concurrencyMax: number) {
    this.#engine = engine;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#concurrencyMax = concurrencyMax;
    metrics.queriesMax.set(concurrencyMax);
  }

  instant(text: string, timeMs: number, options: QueryOptions = {}): Promise<QueryResult> {
    return this.#run(() => this.#engine.instant(text, timeMs, options));
  }

  range(
    text: string,
    startMs: number,
    endMs: number,
    stepMs: number,
    options: QueryOptions = {},
  ): Promise<QueryResult> {
    return this.#run(() => this.#engine.range(text, startMs, endMs, stepMs, options));
  }

  async #run(query: () => Promise<QueryResult>): Promise<QueryResult> {
    const arrivedMs = this.#clock.monotonicMs();
    if (this.#waiting.length >= WAITING_MAX) {
      throw new TytoError('unavailable', `${WAITING_MAX} queries are waiting already`);
    }
    this.#metrics.queriesRunning.inc();
    try {
      if (this.#running >= this.#concurrencyMax) {
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      } else {
        this.#running++;
      }
      const startedMs = this.#clock.monotonicMs();
      this.#metrics.queryDuration.observe({ slice: 'queue_time' }, (startedMs - arrivedMs) / 1000);
      try {
        return await query();
      } finally {
        const seconds = (this.#clock.monotonicMs() - startedMs) / 1000;
        this.#metrics.queryDuration.observe({ slice: 'inner_eval' }, seconds);
        const next = this.#waiting.shift();
        if (next === undefined) this.#running--;
        else next();
      }
    } finally {
      this.#metrics.queriesRunning.dec();
    }
  }
}
