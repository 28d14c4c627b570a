/** Log queries: entries in the asked direction, until there are enough. */
import { TytoError } from '@tyto/base';
import type { Labels } from '@tyto/model';
import type { LogPipeline } from '@tyto/syntax';
import type { QueryContext } from './context.ts';
import { hintsOf } from './hints.ts';
import { Pace } from './pace.ts';
import { compilePipeline } from './pipeline/compile.ts';
import { METADATA, PARSED, STREAM, WorkingEntry } from './pipeline/workingEntry.ts';
import type { LogqlEntry, LogqlRangeRequest, LogqlStream } from './results.ts';

type LogQueryRequest = Pick<
  LogqlRangeRequest,
  'startNs' | 'endNs' | 'limit' | 'direction' | 'intervalNs'
>;

/** Throws TytoError `too_large` where the answer does. */
export async function evaluateLogs(
  pipeline: LogPipeline,
  request: LogQueryRequest,
  context: QueryContext,
): Promise<LogqlStream[]> {
  const collector = new EntryCollector(request, context.limits.answerLengthMax);
  if (request.limit === 0 || request.endNs <= request.startNs) return [];
  const { store, tenant, clock, signal, budget, read } = context;
  const { run, isCostly } = compilePipeline(pipeline.stages, undefined, clock);
  const pace = new Pace(budget, isCostly);
  const entry = new WorkingEntry();
  const chunks = store.read({
    tenant,
    matchers: pipeline.matchers,
    filters: hintsOf(pipeline.stages, false).filters,
    startNs: request.startNs,
    endNs: request.endNs,
    direction: request.direction,
    wanted: request.limit,
    signal,
  });
  for await (const { streams, streamOf, timestampsNs, lines, metadata } of chunks) {
    read.entries += lines.length;
    for (let i = 0; i < lines.length; i++) {
      if (pace.due(lines[i].length)) await budget.pause();
      read.bytes += lines[i].length;
      entry.reset(streams[streamOf[i]], metadata[i], lines[i], timestampsNs[i]);
      if (!run(entry)) continue;
      read.passed++;
      collector.add(entry);
      if (collector.isFull) return collector.streams();
    }
  }
  return collector.streams();
}

class EntryCollector {
  readonly #limit: number;
  readonly #lengthMax: number;
  readonly #intervalNs: bigint;
  readonly #sign: bigint;
  readonly #streams = new Map<string, { labels: Labels; entries: LogqlEntry[] }>();
  /** Of each stream with all of its labels, when it last gave an entry. */
  readonly #lastNs = new Map<string, bigint>();
  #count = 0;
  #length = 0;

  constructor({ limit, direction, intervalNs }: LogQueryRequest, lengthMax: number) {
    this.#limit = limit;
    this.#lengthMax = lengthMax;
    this.#intervalNs = intervalNs;
    this.#sign = direction === 'forward' ? 1n : -1n;
  }

  get isFull(): boolean {
    return this.#count >= this.#limit;
  }

  add(working: WorkingEntry): void {
    const { timestampNs, line } = working;
    const labels = working.labels(STREAM);
    if (this.#intervalNs > 0n && !this.#isDue(working)) return;
    const stream = this.#streams.get(labels.key) ?? { labels, entries: [] };
    this.#streams.set(labels.key, stream);
    const metadata = working.labels(METADATA);
    const parsed = working.labels(PARSED);
    stream.entries.push({ timestampNs, line, metadata, parsed });
    this.#count++;
    this.#length += line.length;
    if (this.#length > this.#lengthMax) {
      throw new TytoError(
        'too_large',
        `the lines of the answer have more than ${this.#lengthMax} characters: lower the limit`,
      );
    }
  }

  #isDue(working: WorkingEntry): boolean {
    const { key } = working.allLabels();
    const last = this.#lastNs.get(key);
    const { timestampNs } = working;
    const isDue = last === undefined || (timestampNs - last) * this.#sign >= this.#intervalNs;
    if (isDue) this.#lastNs.set(key, timestampNs);
    return isDue;
  }

  streams(): LogqlStream[] {
    return [...this.#streams.values()];
  }
}
