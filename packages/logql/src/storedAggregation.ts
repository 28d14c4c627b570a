/**
 * Range aggregations that the store computes as a whole, where that gives exactly what reading
 * would: the pipeline only filters and extracts, and the places of all labels are certain.
 */
import type { LogAggregate, LogAggregated, LogUnit, LogWindows } from '@tyto/model';
import { type Column, emptyColumn, FLOAT } from '@tyto/promql';
import type { LogqlGrouping, LogqlStage, RangeAggregation } from '@tyto/syntax';
import type { QueryContext } from './context.ts';
import { type Hints, hintsOf, placesOf } from './hints.ts';
import { STORED_GROUPS_MAX } from './limits.ts';
import { labelsOfFilter } from './pipeline/compile.ts';
import { ERROR, ERROR_DETAILS } from './pipeline/workingEntry.ts';

/** The columns, or undefined where entries have to be read. */
export async function storedAggregation(
  node: RangeAggregation,
  grouping: LogqlGrouping | undefined,
  windows: LogWindows,
  { store, tenant, signal, budget, read }: QueryContext,
): Promise<Column[] | undefined> {
  if (store.aggregate === undefined) return undefined;
  const request = requestOf(node, grouping, windows, tenant, signal);
  if (request === undefined) return undefined;
  const aggregated = await budget.wait(store.aggregate(request));
  // Lines that do not parse fail the query or are filtered by their error: both need reading.
  if (aggregated === undefined || aggregated.unparsed > 0) return undefined;
  read.entries += aggregated.read.entries;
  read.bytes += aggregated.read.bytes;
  read.passed += aggregated.read.entries;
  return columnsOf(node, aggregated, windows.count);
}

function columnsOf(node: RangeAggregation, { groups }: LogAggregated, count: number): Column[] {
  const isRate = node.operator === 'rate' || node.operator === 'bytes_rate';
  const divisor = isRate ? node.rangeMs / 1000 : 1;
  return groups.map(({ labels, values }) => {
    const column = emptyColumn(labels, false, count);
    for (let window = 0; window < count; window++) {
      if (Number.isNaN(values[window])) continue;
      column.values[window] = values[window] / divisor;
      column.present[window] = FLOAT;
    }
    return column;
  });
}

function requestOf(
  node: RangeAggregation,
  grouping: LogqlGrouping | undefined,
  windows: LogWindows,
  tenant: string,
  signal: AbortSignal,
): LogAggregate | undefined {
  const { pipeline, unwrap } = node;
  const postFilters = unwrap?.filters.map((filter) => ({ kind: 'label_filter' as const, filter }));
  const stages = [...pipeline.stages, ...(postFilters ?? [])];
  const hints = hintsOf(stages, true);
  const of = storedOperation(node);
  if (of === undefined || !hints.isExact) return undefined;
  const value = valueFieldOf(node, hints);
  const by = groupsOf(grouping, hints, unwrap !== undefined);
  if (by === undefined || (unwrap !== undefined && value === undefined)) return undefined;
  const { firstEndNs, rangeNs, stepNs, count } = windows;
  // A parser whose labels nobody asks for is not run, so that it has no errors.
  const isParsed = [...pipelineFields(hints), ...(value?.places ?? []), ...fieldsOf(by)].some(
    ({ from }) => from !== 'label' && from !== 'metadata',
  );
  return {
    select: {
      tenant,
      matchers: pipeline.matchers,
      filters: hints.filters,
      startNs: firstEndNs - rangeNs + 1n,
      endNs: firstEndNs + stepNs * BigInt(count - 1) + 1n,
      signal,
    },
    windows,
    of,
    value,
    by,
    parse: isParsed || asksForErrors(stages) ? hints.parser : undefined,
    groupsMax: STORED_GROUPS_MAX,
  };
}

function asksForErrors(stages: readonly LogqlStage[]): boolean {
  return stages.some(
    (stage) =>
      stage.kind === 'label_filter' &&
      labelsOfFilter(stage.filter).some((name) => name === ERROR || name === ERROR_DETAILS),
  );
}

function pipelineFields({ filters }: Hints) {
  return filters.flatMap((filter) => (filter.on === 'line' ? [] : filter.places));
}

function fieldsOf(by: LogAggregate['by']) {
  return by === 'entry' ? [] : by.flatMap(({ places }) => places);
}

function storedOperation({ operator, unwrap }: RangeAggregation): LogAggregate['of'] | undefined {
  switch (operator) {
    case 'count_over_time':
      return 'count';
    case 'bytes_over_time':
    case 'bytes_rate':
      return 'bytes';
    case 'rate':
      return unwrap === undefined ? 'count' : 'sum';
    case 'sum_over_time':
      return 'sum';
    case 'min_over_time':
      return 'min';
    case 'max_over_time':
      return 'max';
    default:
      return undefined;
  }
}

function valueFieldOf({ unwrap }: RangeAggregation, { parser }: Hints): LogAggregate['value'] {
  const places = unwrap === undefined ? undefined : placesOf(unwrap.label, parser);
  if (unwrap === undefined || places === undefined) return undefined;
  const units = { bytes: 'bytes', duration: 'duration', duration_seconds: 'duration' } as const;
  const unit: LogUnit = unwrap.conversion === undefined ? 'number' : units[unwrap.conversion];
  return { places, unit };
}

function groupsOf(
  grouping: LogqlGrouping | undefined,
  { parser }: Hints,
  isUnwrapped: boolean,
): LogAggregate['by'] | undefined {
  if (grouping === undefined) return parser === undefined && !isUnwrapped ? 'entry' : undefined;
  if (grouping.without) return undefined;
  const groups = grouping.labels.map((name) => ({ name, places: placesOf(name, parser) }));
  const certain = groups.flatMap(({ name, places }) => (places ? [{ name, places }] : []));
  return certain.length === groups.length ? certain : undefined;
}
