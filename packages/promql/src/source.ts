/** Reading series for an evaluation: each load is selected once, and decoded once where shared. */
import { must } from '@tyto/base';
import {
  type ColumnReader,
  type Labels,
  type MetricQuerier,
  SampleColumns,
  type SeriesGroups,
  type SeriesSelection,
  type WindowRequest,
} from '@tyto/model';
import type { VectorSelector } from '@tyto/syntax';
import type { QueryBudget } from './budget.ts';
import { withFoundResets } from './foundResets.ts';
import { SELECTED_SAMPLES } from './limits.ts';
import type { SelectorLoad } from './plan.ts';
import type { QueryRead } from './usage.ts';

/** The series of one selector. */
export interface SeriesSource {
  readonly size: number;
  labels(index: number): Labels;
  /** Whether the metric name of the series is on its way out. */
  dropName(index: number): boolean;
  /** As a SeriesSelection's: to be awaited before `samples`, where there is anything to await. */
  prepare(index: number): Promise<void> | undefined;
  /** The samples with stale markers; valid until the next call. Not to be changed. */
  samples(index: number): SampleColumns;
  /** As a SeriesSelection's; undefined where the store has none. */
  columns(request: WindowRequest): ColumnReader | undefined;
  groupBy(names: readonly string[]): SeriesGroups | undefined;
}

export interface SourceOptions {
  /** Whether start times of samples are told to functions. */
  readonly useStartTimes: boolean;
  /** Selectors in whose histograms counter resets are found while they are read. */
  readonly statistics: ReadonlySet<VectorSelector>;
}

/** All that a query reads. */
export class QuerySources {
  readonly #loads: ReadonlyMap<VectorSelector, SelectorLoad>;
  readonly #sources = new Map<SelectorLoad, SeriesSource>();
  readonly #selections: SeriesSelection[] = [];
  readonly #scratch = new Scratch();
  /** What has been found so far. */
  readonly reads: QueryRead[] = [];
  readonly #budget: QueryBudget;
  readonly #options: SourceOptions;

  constructor(
    loads: ReadonlyMap<VectorSelector, SelectorLoad>,
    budget: QueryBudget,
    options: SourceOptions,
  ) {
    this.#loads = loads;
    this.#budget = budget;
    this.#options = options;
  }

  get useStartTimes(): boolean {
    return this.#options.useStartTimes;
  }

  async select(querier: MetricQuerier): Promise<void> {
    for (const load of new Set(this.#loads.values())) {
      if (this.#budget.due()) await this.#budget.pause();
      const { matchers, minTimeMs, maxTimeMs } = load;
      const selection = await this.#budget.waitFor((signal) =>
        querier.select({ matchers, minTimeMs, maxTimeMs, signal }),
      );
      this.#selections.push(selection);
      this.#budget.pin(selection.size * SELECTED_SAMPLES);
      this.reads.push({ matchers, minTimeMs, maxTimeMs, seriesCount: selection.size });
      const source = load.shared
        ? new DecodedSource(selection, this.#budget, this.useStartTimes)
        : new StreamedSource(selection, this.#scratch, this.#budget, this.useStartTimes);
      this.#sources.set(load, source);
    }
  }

  /** Gives back what stores have read ahead; to be called however the evaluation ends. */
  release(): void {
    for (const selection of this.#selections) selection.release?.();
  }

  /** What the stores tell of their answers, each once. */
  warnings(): ReadonlySet<string> {
    return new Set(this.#selections.flatMap(({ warnings }) => [...(warnings ?? [])]));
  }

  of(node: VectorSelector): SeriesSource {
    const load = must(this.#loads.get(node), 'the plan has a load for every selector');
    const source = must(this.#sources.get(load), 'every load was selected');
    return this.#options.statistics.has(node) ? withFoundResets(source) : source;
  }
}

/** Columns for one series after the other; most queries are computed by the store, without any. */
class Scratch {
  #columns: SampleColumns | undefined;

  cleared(): SampleColumns {
    this.#columns ??= new SampleColumns();
    this.#columns.clear();
    return this.#columns;
  }
}

class StreamedSource implements SeriesSource {
  readonly #selection: SeriesSelection;
  readonly #scratch: Scratch;
  readonly #budget: QueryBudget;
  readonly #useStartTimes: boolean;

  constructor(
    selection: SeriesSelection,
    scratch: Scratch,
    budget: QueryBudget,
    useStartTimes: boolean,
  ) {
    this.#useStartTimes = useStartTimes;
    this.#selection = selection;
    this.#scratch = scratch;
    this.#budget = budget;
  }

  get size(): number {
    return this.#selection.size;
  }

  labels(index: number): Labels {
    return this.#selection.labels(index);
  }

  dropName(): boolean {
    return false;
  }

  prepare(index: number): Promise<void> | undefined {
    return this.#selection.prepare?.(index);
  }

  columns(request: WindowRequest): ColumnReader | undefined {
    return this.#selection.columns?.(request);
  }

  groupBy(names: readonly string[]): SeriesGroups | undefined {
    return this.#selection.groupBy?.(names);
  }

  samples(index: number): SampleColumns {
    const columns = this.#scratch.cleared();
    this.#selection.readInto(index, columns);
    if (!this.#useStartTimes) columns.startTimes = null;
    this.#budget.noteRead(columns.length);
    this.#budget.check(columns.length);
    return columns;
  }
}

class DecodedSource implements SeriesSource {
  readonly #selection: SeriesSelection;
  readonly #decoded: (SampleColumns | undefined)[];
  readonly #labels: (Labels | undefined)[];
  readonly #budget: QueryBudget;
  readonly #useStartTimes: boolean;

  constructor(selection: SeriesSelection, budget: QueryBudget, useStartTimes: boolean) {
    this.#useStartTimes = useStartTimes;
    this.#budget = budget;
    this.#selection = selection;
    this.#decoded = new Array(selection.size);
    this.#labels = new Array(selection.size);
  }

  get size(): number {
    return this.#selection.size;
  }

  labels(index: number): Labels {
    this.#labels[index] ??= this.#selection.labels(index);
    return this.#labels[index];
  }

  dropName(): boolean {
    return false;
  }

  prepare(index: number): Promise<void> | undefined {
    return this.#decoded[index] === undefined ? this.#selection.prepare?.(index) : undefined;
  }

  columns(request: WindowRequest): ColumnReader | undefined {
    return this.#selection.columns?.(request);
  }

  groupBy(names: readonly string[]): SeriesGroups | undefined {
    return this.#selection.groupBy?.(names);
  }

  samples(index: number): SampleColumns {
    let samples = this.#decoded[index];
    if (samples === undefined) {
      samples = new SampleColumns(16);
      this.#selection.readInto(index, samples);
      if (!this.#useStartTimes) samples.startTimes = null;
      this.#budget.noteRead(samples.length);
      this.#budget.pin(samples.length);
      this.#decoded[index] = samples;
    }
    return samples;
  }
}
