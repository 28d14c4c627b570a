/**
 * info(): adds the data labels of info series to the series with the same identifying labels.
 * Which info series are there may change from step to step, and with it the labels of a result.
 */
import { TytoError } from '@tyto/base';
import {
  type Labels,
  type Matcher,
  matchesAll,
  METRIC_NAME,
  type SampleColumns,
} from '@tyto/model';
import {
  ABSENT,
  type Column,
  emptyColumn,
  emptyHistogramColumn,
  FLOAT,
  HISTOGRAM,
  mergeEqual,
} from '../column.ts';
import { dataMatchers, infoNameMatchers, infoSelector } from '../infoSelector.ts';
import { selectLatest } from '../selectors.ts';
import type { VectorFunction } from './registry.ts';

const IDENTIFYING: ReadonlySet<string> = new Set(['instance', 'job']);

const info: VectorFunction = async (call, grid, evaluation) => {
  const given: readonly Matcher[] = call.args[1]?.kind === 'vector' ? call.args[1].matchers : [];
  const names = infoNameMatchers(given);
  const data = dataMatchers(given);
  const base = await evaluation.vector(call.args[0], grid);
  const infos = await selectLatest(infoSelector(call), grid, evaluation, fillTimes);
  const byIdentity = new Map<string, Column[]>();
  for (const column of infos) {
    const { key } = column.labels.keep(IDENTIFYING);
    byIdentity.set(key, [...(byIdentity.get(key) ?? []), column]);
  }
  const required = data.some((matcher) => !matcher.matches(''));
  const wanted = new Set(data.map(({ name }) => name));
  const results: Column[] = [];
  for (const column of base) {
    if (evaluation.budget.due()) await evaluation.budget.pause();
    if (matchesAll(names, column.labels)) {
      // An info series is not enriched itself.
      results.push(column);
      continue;
    }
    const candidates = byIdentity.get(column.labels.keep(IDENTIFYING).key) ?? [];
    results.push(...enriched(column, candidates, wanted, required));
  }
  return mergeEqual(results);
};

/** The times of the samples, and of what kind they are. */
function fillTimes(samples: SampleColumns, latest: Int32Array, column: Column): void {
  for (let step = 0; step < latest.length; step++) {
    const index = latest[step];
    if (index < 0 || samples.isStale(index)) continue;
    column.values[step] = samples.timestamps[index];
    column.present[step] = samples.histograms?.[index] === undefined ? FLOAT : HISTOGRAM;
  }
}

/** The column split by the labels that its steps get. */
function enriched(
  column: Column,
  candidates: readonly Column[],
  wanted: ReadonlySet<string>,
  required: boolean,
): Column[] {
  const count = column.values.length;
  const results = new Map<string, Column>();
  for (let step = 0; step < count; step++) {
    if (column.present[step] === ABSENT) continue;
    const chosen = newestOfEachName(candidates, step);
    if (chosen.length === 0 && required) continue;
    const labels = withData(column.labels, chosen, wanted);
    let out = results.get(labels.key);
    if (out === undefined) {
      const make = column.histograms === null ? emptyColumn : emptyHistogramColumn;
      out = make(labels, column.dropName, count);
      results.set(labels.key, out);
    }
    out.values[step] = column.values[step];
    out.present[step] = column.present[step];
    if (out.histograms !== null) out.histograms[step] = column.histograms?.[step];
  }
  return [...results.values()];
}

/** Of the info series of each metric the one with the newest sample; their values are times. */
function newestOfEachName(candidates: readonly Column[], step: number): Labels[] {
  const newest = new Map<string, Column>();
  for (const candidate of candidates) {
    if (candidate.present[step] === ABSENT) continue;
    if (candidate.present[step] === HISTOGRAM) {
      const problem = `an info sample must be a float, and ${candidate.labels} is a histogram`;
      throw new TytoError('execution', problem);
    }
    const name = candidate.labels.get(METRIC_NAME);
    const known = newest.get(name);
    if (known !== undefined && known.values[step] === candidate.values[step]) {
      throw new TytoError(
        'execution',
        `found duplicate series for info metric: existing ${known.labels} and ${candidate.labels}`,
      );
    }
    if (known === undefined || known.values[step] < candidate.values[step]) {
      newest.set(name, candidate);
    }
  }
  return [...newest.values()].map(({ labels }) => labels);
}

/** The labels of a series with the data labels that it does not have itself. */
function withData(base: Labels, infos: readonly Labels[], wanted: ReadonlySet<string>): Labels {
  const added = new Map<string, string>();
  for (const labels of infos) {
    for (const [name, value] of labels.entries()) {
      if (name === METRIC_NAME || IDENTIFYING.has(name) || base.has(name)) continue;
      if (wanted.size > 0 && !wanted.has(name)) continue;
      const known = added.get(name);
      if (known !== undefined && known !== value) {
        throw new TytoError('execution', `conflicting label: ${name}`);
      }
      added.set(name, value);
    }
  }
  let result = base;
  for (const [name, value] of added) result = result.with(name, value);
  return result;
}

export const infoFunctions: readonly (readonly [string, VectorFunction])[] = [['info', info]];
