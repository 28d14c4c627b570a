/**
 * The engine of LogQL: a text and a time, or a range of them, become an answer, over any store
 * that keeps the contract of `LogQuerier`.
 */
import { type Clock, formatDuration, TytoError } from '@tyto/base';
import type { Labels, LogEntry, LogQuerier, LogReadSize } from '@tyto/model';
import { matchesAll } from '@tyto/model';
import { QueryBudget } from '@tyto/promql';
import { type LogqlExpr, parseLogPipeline, parseLogql, pipelinesOf } from '@tyto/syntax';
import type { QueryContext, ReadCount, StepGrid } from './context.ts';
import { hintsOf } from './hints.ts';
import { DEFAULT_LOGQL_LIMITS, type LogqlLimits, STEP_COUNT_MAX } from './limits.ts';
import { evaluateLogs } from './logQuery.ts';
import { evaluateMetric } from './metricQuery.ts';
import { compilePipeline } from './pipeline/compile.ts';
import { METADATA, PARSED, STREAM, WorkingEntry } from './pipeline/workingEntry.ts';
import type {
  LogqlEntry,
  LogqlInstantRequest,
  LogqlRangeRequest,
  LogqlRequest,
  LogqlResult,
  LogqlValue,
} from './results.ts';

export interface LogqlEngineOptions {
  readonly store: LogQuerier;
  readonly clock: Clock;
  readonly limits?: Partial<LogqlLimits> | undefined;
}

/** An entry as a query shows it. */
export interface FollowedEntry {
  readonly labels: Labels;
  readonly entry: LogqlEntry;
}

const INSTANT_LOGS =
  'log queries are not supported as an instant query type, please change your query to a range ' +
  'query type';

export class LogqlEngine {
  readonly #store: LogQuerier;
  readonly #clock: Clock;
  readonly #limits: LogqlLimits;

  constructor({ store, clock, limits }: LogqlEngineOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#limits = { ...DEFAULT_LOGQL_LIMITS, ...limits };
  }

  /** Throws TytoError: `bad_data`, `execution`, `timeout`, `canceled`, `too_large`. */
  async range(request: LogqlRangeRequest): Promise<LogqlResult> {
    const expr = parseLogql(request.query);
    const { startNs, endNs, stepNs } = request;
    this.#checkLength(expr, endNs - startNs);
    if (expr.kind === 'pipeline') {
      this.#checkLimit(request);
      return this.#run(request, async (context) => {
        return { type: 'streams', streams: await evaluateLogs(expr, request, context) };
      });
    }
    if (stepNs <= 0n) throw new TytoError('bad_data', 'step must be greater than 0');
    const count = endNs < startNs ? 0 : Number((endNs - startNs) / stepNs) + 1;
    if (count > STEP_COUNT_MAX) {
      throw new TytoError(
        'bad_data',
        `exceeded maximum resolution of ${STEP_COUNT_MAX} points per time series. Try increasing ` +
          'the value of the step parameter',
      );
    }
    if (count === 0) return this.#run(request, async () => ({ type: 'matrix', series: [] }));
    const grid: StepGrid = { startNs, stepNs, count };
    return this.#run(request, (context) => evaluateMetric(expr, grid, true, context));
  }

  async instant(request: LogqlInstantRequest): Promise<LogqlResult> {
    const expr = parseLogql(request.query);
    this.#checkLength(expr, 0n);
    if (expr.kind === 'pipeline') throw new TytoError('bad_data', INSTANT_LOGS);
    const grid: StepGrid = { startNs: request.timeNs, stepNs: 1n, count: 1 };
    return this.#run(request, (context) => evaluateMetric(expr, grid, false, context));
  }

  /**
   * What a live tail shows of entries as they arrive; undefined for those that it leaves out.
   * Throws `bad_data` for a query that gives no log lines.
   */
  follow(query: string): (stream: Labels, entry: LogEntry) => FollowedEntry | undefined {
    const { matchers, stages } = parseLogPipeline(query);
    const { run } = compilePipeline(stages, undefined, this.#clock);
    const working = new WorkingEntry();
    return (stream, { timestampNs, line, metadata }) => {
      if (!matchesAll(matchers, stream)) return undefined;
      working.reset(stream, metadata, line, timestampNs);
      if (!run(working)) return undefined;
      const entry: LogqlEntry = {
        timestampNs,
        line: working.line,
        metadata: working.labels(METADATA),
        parsed: working.labels(PARSED),
      };
      return { labels: working.labels(STREAM), entry };
    };
  }

  /** A query with all that can be wrong with it before it runs. Throws `bad_data`. */
  check(query: string): LogqlExpr {
    const expr = parseLogql(query);
    for (const { pipeline } of pipelinesOf(expr)) {
      compilePipeline(pipeline.stages, undefined, this.#clock);
    }
    return expr;
  }

  /** About what a query would read, before anything of it is. */
  async estimate(
    request: Pick<LogqlRangeRequest, 'tenant' | 'query' | 'startNs' | 'endNs' | 'signal'>,
  ): Promise<LogReadSize> {
    const { tenant, startNs, endNs, signal } = request;
    let [entries, bytes] = [0, 0];
    for (const { pipeline, rangeMs, offsetMs } of pipelinesOf(parseLogql(request.query))) {
      const offsetNs = nanoseconds(offsetMs);
      const size = await this.#store.estimate({
        tenant,
        matchers: pipeline.matchers,
        filters: hintsOf(pipeline.stages, false).filters,
        startNs: startNs - nanoseconds(rangeMs) - offsetNs,
        endNs: endNs - offsetNs,
        signal,
      });
      entries += size.entries;
      bytes += size.bytes;
    }
    return { entries, bytes };
  }

  #checkLimit({ limit }: LogqlRequest): void {
    const { entriesMax } = this.#limits;
    if (limit <= entriesMax) return;
    throw new TytoError(
      'bad_data',
      `max entries limit per query exceeded, limit > max_entries_limit_per_query ` +
        `(${limit} > ${entriesMax})`,
    );
  }

  #checkLength(expr: LogqlExpr, lengthNs: bigint): void {
    const { queryLengthMaxMs } = this.#limits;
    const lengthMs = Number(lengthNs) / 1e6;
    const reachMs = Math.max(0, ...pipelinesOf(expr).map(({ rangeMs }) => rangeMs));
    const longestMs = Math.max(lengthMs, reachMs);
    if (queryLengthMaxMs === 0 || longestMs <= queryLengthMaxMs) return;
    throw new TytoError(
      'bad_data',
      'the query time range exceeds the limit (query length: ' +
        `${formatDuration(longestMs)}, limit: ${formatDuration(queryLengthMaxMs)})`,
    );
  }

  async #run(
    { tenant, signal }: LogqlRequest,
    evaluate: (context: QueryContext) => Promise<LogqlValue>,
  ): Promise<LogqlResult> {
    const ending = new AbortController();
    const end = () => ending.abort();
    if (signal?.aborted === true) end();
    signal?.addEventListener('abort', end);
    const limits = this.#limits;
    const budget = new QueryBudget({
      sampleLimit: limits.pointsMax,
      timeoutMs: limits.timeoutMs,
      ending,
      clock: this.#clock,
    });
    const read: ReadCount = { entries: 0, bytes: 0, passed: 0 };
    const timer = this.#clock.schedule(limits.timeoutMs, () => ending.abort(timedOut()));
    try {
      const context: QueryContext = {
        tenant,
        store: this.#store,
        clock: this.#clock,
        limits,
        budget,
        signal: ending.signal,
        read,
      };
      const value = await evaluate(context);
      const { entries, bytes, passed } = read;
      return { value, read: { entries, bytes }, entries: passed, warnings: [] };
    } catch (error) {
      // A store that was told to end says so; why is known here.
      throw ending.signal.reason instanceof TytoError ? ending.signal.reason : error;
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', end);
      ending.abort();
    }
  }
}

function timedOut(): TytoError {
  return new TytoError('timeout', 'query timed out in query execution');
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6));
}
