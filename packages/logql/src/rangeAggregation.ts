/**
 * Range aggregations: entries in order of time go through the pipeline into the panes of their
 * series, and the panes become a column per series. What a store can aggregate, it does.
 */
import { Labels, type LogWindows } from '@tyto/model';
import { type Column, emptyColumn, FLOAT } from '@tyto/promql';
import type { LogqlGrouping, RangeAggregation, Unwrap } from '@tyto/syntax';
import type { QueryContext, StepGrid } from './context.ts';
import { hintsOf } from './hints.ts';
import { Pace } from './pace.ts';
import { compilePipeline, labelsOfFilter } from './pipeline/compile.ts';
import { numberReader } from './pipeline/conversions.ts';
import { labelFilterStage } from './pipeline/labelFilters.ts';
import type { NeededLabels } from './pipeline/stage.ts';
import { ERROR, WorkingEntry } from './pipeline/workingEntry.ts';
import { pipelineError } from './problems.ts';
import { type Reducer, reducerOf } from './reducers.ts';
import { SeriesTable } from './seriesTable.ts';
import { storedAggregation } from './storedAggregation.ts';
import { WindowGrid } from './windows.ts';

const SAMPLE_ERROR = 'SampleExtractionErr';

/** A range aggregation, with the grouping of the aggregation around it where that is the same. */
export interface RangeTask {
  readonly node: RangeAggregation;
  readonly grouping: LogqlGrouping | undefined;
}

export async function evaluateRange(
  { node, grouping }: RangeTask,
  grid: StepGrid,
  context: QueryContext,
): Promise<Column[]> {
  const windows = windowsOf(node, grid);
  const stored = await storedAggregation(node, grouping, windows, context);
  if (stored !== undefined) return stored;
  const reading = new Reading(node, grouping, windows, context);
  await reading.run();
  return await reading.columns();
}

function windowsOf(node: RangeAggregation, { startNs, stepNs, count }: StepGrid): LogWindows {
  return {
    firstEndNs: startNs - nanoseconds(node.offsetMs),
    stepNs,
    rangeNs: nanoseconds(node.rangeMs),
    count,
  };
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6));
}

/** The labels that are asked for in the end; undefined where that may be any. */
function neededOf({ unwrap }: RangeAggregation, grouping: LogqlGrouping | undefined): NeededLabels {
  if (grouping === undefined || grouping.without) return undefined;
  const filtered = unwrap?.filters.flatMap(labelsOfFilter) ?? [];
  return new Set([
    ...grouping.labels,
    ...(unwrap === undefined ? [] : [unwrap.label]),
    ...filtered,
  ]);
}

/** The value of an entry, undefined where it has none; sets an error where it is no number. */
type ValueOf = (entry: WorkingEntry) => number | undefined;

function valueFunction({ operator, unwrap }: RangeAggregation): ValueOf {
  if (unwrap !== undefined) return unwrapped(unwrap);
  if (operator === 'bytes_over_time' || operator === 'bytes_rate') {
    return ({ line }) => Buffer.byteLength(line);
  }
  return () => 1;
}

function unwrapped({ label, conversion, filters }: Unwrap): ValueOf {
  const isDuration = conversion === 'duration' || conversion === 'duration_seconds';
  const read = numberReader(isDuration ? 'duration' : (conversion ?? 'number'));
  const stages = filters.map(labelFilterStage);
  return (entry) => {
    const text = entry.get(label);
    if (text === undefined || text === '') return undefined;
    let value = read(text);
    if (typeof value === 'string') {
      entry.fail(SAMPLE_ERROR, value);
      value = 0;
    }
    for (const stage of stages) if (!stage(entry)) return undefined;
    return isDuration ? value / 1e9 : value;
  };
}

class Reading {
  readonly #node: RangeAggregation;
  readonly #context: QueryContext;
  readonly #windows: LogWindows;
  readonly #grid: WindowGrid;
  readonly #reducer: Reducer<unknown>;
  readonly #table: SeriesTable;
  readonly #needed: NeededLabels;
  readonly #keepsErrors: boolean;

  constructor(
    node: RangeAggregation,
    grouping: LogqlGrouping | undefined,
    windows: LogWindows,
    context: QueryContext,
  ) {
    this.#node = node;
    this.#context = context;
    this.#windows = windows;
    this.#grid = new WindowGrid(windows);
    this.#reducer = reducerOf(node);
    // Whether anything is there at all is asked over all series together.
    const groups = node.operator === 'absent_over_time' ? { without: false, labels: [] } : grouping;
    const { paneCount } = this.#grid;
    this.#table = new SeriesTable(groups, node.unwrap?.label, paneCount, context.budget);
    this.#needed = neededOf(node, groups);
    this.#keepsErrors = groups?.without === false && groups.labels.includes(ERROR);
  }

  async run(): Promise<void> {
    const { store, tenant, clock, signal, budget, read } = this.#context;
    const { pipeline } = this.#node;
    const { firstEndNs, rangeNs, stepNs, count } = this.#windows;
    const { run, isCostly } = compilePipeline(pipeline.stages, this.#needed, clock);
    const pace = new Pace(budget, isCostly);
    const sampleOf = valueFunction(this.#node);
    const reducer = this.#reducer;
    const entry = new WorkingEntry();
    const chunks = store.read({
      tenant,
      matchers: pipeline.matchers,
      filters: hintsOf(pipeline.stages, false).filters,
      startNs: firstEndNs - rangeNs + 1n,
      endNs: firstEndNs + stepNs * BigInt(count - 1) + 1n,
      direction: 'forward',
      wanted: Number.MAX_SAFE_INTEGER,
      signal,
    });
    for await (const chunk of chunks) {
      const { streams, streamOf, timestampsNs, lines, metadata } = chunk;
      for (let i = 0; i < lines.length; i++) {
        if (pace.due(lines[i].length)) await budget.pause();
        read.bytes += lines[i].length;
        const pane = this.#grid.paneOf(timestampsNs[i]);
        if (pane < 0) continue;
        const stream = streams[streamOf[i]];
        entry.reset(stream, metadata[i], lines[i], timestampsNs[i]);
        if (!run(entry)) continue;
        const value = sampleOf(entry);
        if (value === undefined) continue;
        if (entry.error !== '' && !this.#keepsErrors) {
          throw pipelineError(entry.error, entry.allLabels());
        }
        read.passed++;
        const { panes } = this.#table.of(entry, stream);
        panes[pane] = reducer.add(panes[pane], value);
        if (reducer.valueSize > 0) budget.acquire(reducer.valueSize);
      }
      read.entries += lines.length;
    }
  }

  async columns(): Promise<Column[]> {
    const { budget } = this.#context;
    const { count } = this.#grid;
    if (this.#node.operator === 'absent_over_time') return this.#absent();
    const columns: Column[] = [];
    for (const { labels, panes } of this.#table.series) {
      if (budget.due()) await budget.pause();
      const column = emptyColumn(labels, false, count);
      this.#grid.eachWindow(panes, this.#reducer, (window, state) => {
        if (state === undefined) return;
        column.values[window] = this.#reducer.result(state);
        column.present[window] = FLOAT;
      });
      columns.push(column);
      // Only the values of windows are looked at from here on.
      panes.length = 0;
    }
    return columns;
  }

  /** One where nothing is; its labels are those that the selector asks for exactly. */
  #absent(): Column[] {
    const column = emptyColumn(absentLabels(this.#node), false, this.#grid.count);
    column.values.fill(1);
    column.present.fill(FLOAT);
    for (const { panes } of this.#table.series) {
      this.#grid.eachWindow(panes, this.#reducer, (window, state) => {
        if (state !== undefined) column.present[window] = 0;
      });
    }
    return column.present.includes(FLOAT) ? [column] : [];
  }
}

function absentLabels({ pipeline }: RangeAggregation): Labels {
  const { matchers } = pipeline;
  const single = matchers.filter(
    ({ name, type }) =>
      type === '=' && matchers.filter((matcher) => matcher.name === name).length === 1,
  );
  return Labels.fromEntries(single.map(({ name, value }) => [name, value]));
}
