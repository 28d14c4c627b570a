/**
 * Our own store and those of `remote_read` as one. Samples of both are brought together by series
 * and time; where both have one of the same time, ours counts. A store that fails costs its samples
 * and adds a warning, as in Prometheus: rules and pages go on with what is here.
 */
import { errorMessage, getOrCreate, type Logger } from '@tyto/base';
import {
  type ExemplarRequest,
  type LabelRequest,
  type Labels,
  type Limited,
  type MetricQuerier,
  SampleColumns,
  type SelectRequest,
  type SeriesExemplars,
  type SeriesSelection,
  type SettledTime,
} from '@tyto/model';
import { appendRange, sortByTime } from '@tyto/promblock';
import type { ReadSeries } from './messages.ts';
import type { RemoteReader } from './remoteReader.ts';

export interface MergedQuerierOptions {
  readonly own: MetricQuerier;
  readonly logger: Logger;
  /** From when on our own store has everything. */
  completeFromMs(): number;
}

export class MergedQuerier implements MetricQuerier {
  readonly #options: MergedQuerierOptions;
  #readers: readonly RemoteReader[] = [];

  constructor(options: MergedQuerierOptions) {
    this.#options = options;
  }

  get readers(): readonly RemoteReader[] {
    return this.#readers;
  }

  set readers(readers: readonly RemoteReader[]) {
    for (const reader of this.#readers) reader.close();
    this.#readers = readers;
  }

  /** What other stores have may change at any time. */
  settled(): SettledTime | undefined {
    return this.#readers.length === 0 ? this.#options.own.settled?.() : undefined;
  }

  async select(request: SelectRequest): Promise<SeriesSelection> {
    const { own } = this.#options;
    if (this.#readers.length === 0) return await own.select(request);
    const warnings: string[] = [];
    const [selection, remote] = await Promise.all([
      own.select(request),
      this.#readAll(request, warnings),
    ]);
    return new MergedSelection(selection, remote, warnings);
  }

  labelNames(request: LabelRequest): Promise<Limited<string>> {
    return this.#options.own.labelNames(request);
  }

  labelValues(name: string, request: LabelRequest): Promise<Limited<string>> {
    return this.#options.own.labelValues(name, request);
  }

  series(request: LabelRequest): Promise<Limited<Labels>> {
    return this.#options.own.series(request);
  }

  exemplars(request: ExemplarRequest): Promise<readonly SeriesExemplars[]> {
    return this.#options.own.exemplars(request);
  }

  async #readAll(request: SelectRequest, warnings: string[]): Promise<ReadSeries[]> {
    const completeFromMs = this.#options.completeFromMs();
    const read = async (reader: RemoteReader): Promise<ReadSeries[]> => {
      try {
        return await reader.select(request, completeFromMs);
      } catch (error) {
        request.signal?.throwIfAborted();
        warnings.push(errorMessage(error));
        const reason = errorMessage(error);
        this.#options.logger.warn('a query goes on without another store', { reason });
        return [];
      }
    };
    return (await Promise.all(this.#readers.map(read))).flat();
  }
}

class MergedSelection implements SeriesSelection {
  readonly #warnings: readonly string[];
  readonly #own: SeriesSelection;
  /** Of the remote series those with the labels of each, by our index, and behind them the rest. */
  readonly #remote: (readonly ReadSeries[] | undefined)[];
  readonly #scratch = new SampleColumns();

  constructor(own: SeriesSelection, remote: readonly ReadSeries[], warnings: readonly string[]) {
    this.#own = own;
    this.#warnings = warnings;
    const byKey = new Map<string, ReadSeries[]>();
    for (const series of remote) getOrCreate(byKey, series.labels.key, () => []).push(series);
    this.#remote = new Array<readonly ReadSeries[] | undefined>(own.size);
    for (let i = 0; byKey.size > 0 && i < own.size; i++) {
      const { key } = own.labels(i);
      this.#remote[i] = byKey.get(key);
      byKey.delete(key);
    }
    this.#remote.push(...byKey.values());
  }

  get warnings(): readonly string[] {
    return [...(this.#own.warnings ?? []), ...this.#warnings];
  }

  get size(): number {
    return this.#remote.length;
  }

  labels(index: number): Labels {
    if (index < this.#own.size) return this.#own.labels(index);
    return (this.#remote[index] as readonly ReadSeries[])[0].labels;
  }

  prepare(index: number): Promise<void> | undefined {
    return index < this.#own.size ? this.#own.prepare?.(index) : undefined;
  }

  release(): void {
    this.#own.release?.();
  }

  readInto(index: number, target: SampleColumns): void {
    const remote = this.#remote[index];
    if (remote === undefined) {
      this.#own.readInto(index, target);
      return;
    }
    const scratch = this.#scratch;
    scratch.clear();
    // The first of equal times stays.
    if (index < this.#own.size) this.#own.readInto(index, scratch);
    for (const { columns } of remote) appendRange(columns, -Infinity, Infinity, [], scratch);
    appendRange(sortByTime(scratch), -Infinity, Infinity, [], target);
  }
}
