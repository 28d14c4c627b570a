/** The transformations of a panel, one after the other, by Grafana's ids. */
import { TytoError } from '@tyto/base';
import { textTest } from '../frames/fieldMatcher.ts';
import { type Frame, frame } from '../frames/frame.ts';
import { type Json, textOf } from '../json.ts';
import type { Transformation } from '../model.ts';
import { calculateField } from './calculate.ts';
import { filterByValue, filterFieldsByName, limitRows, organize, renameByRegex } from './choose.ts';
import { convertFieldType, formatTimes } from './convert.ts';
import { groupBy, groupingToMatrix, partitionByValues } from './group.ts';
import { concatenate, joinByField, labelsToFields, merge, seriesToRows } from './join.ts';
import { reduceFrames, rowsToFields, sortBy, timeSeriesTable, transpose } from './shape.ts';

export type Transform = (frames: readonly Frame[], options: Json) => readonly Frame[];

const TRANSFORMS: ReadonlyMap<string, Transform> = new Map<string, Transform>([
  ['noop', (frames) => frames],
  ['organize', organize],
  ['order', organize],
  ['rename', organize],
  ['merge', merge],
  ['joinByField', joinByField],
  ['seriesToColumns', joinByField],
  ['joinByLabels', labelsToFields],
  ['calculateField', calculateField],
  ['groupBy', groupBy],
  ['groupingToMatrix', groupingToMatrix],
  ['partitionByValues', partitionByValues],
  ['renameByRegex', renameByRegex],
  ['filterFieldsByName', filterFieldsByName],
  ['filterByValue', filterByValue],
  ['filterByRefId', (frames, { include }) => byRefId(frames, include)],
  ['limit', limitRows],
  ['reduce', reduceFrames],
  ['sortBy', sortBy],
  ['labelsToFields', labelsToFields],
  ['timeSeriesTable', timeSeriesTable],
  ['seriesToRows', seriesToRows],
  ['prepareTimeSeries', prepareTimeSeries],
  ['concatenate', concatenate],
  ['rowsToFields', rowsToFields],
  ['transpose', transpose],
  ['convertFieldType', convertFieldType],
  ['formatTime', formatTimes],
]);

/** What a panel draws, and the transformations that are not known here. */
export interface Transformed {
  readonly frames: readonly Frame[];
  readonly unknown: readonly string[];
}

/** More cells would not be drawn by any browser. */
const CELLS_MAX = 5_000_000;

/** Throws TytoError `too_large` where a transformation makes too much of too little. */
export function transformFrames(
  frames: readonly Frame[],
  transformations: readonly Transformation[],
): Transformed {
  const unknown: string[] = [];
  let data = frames;
  for (const { id, isDisabled, filter, options } of transformations) {
    if (isDisabled) continue;
    const transform = TRANSFORMS.get(id);
    if (transform === undefined) {
      unknown.push(id);
      continue;
    }
    const isFor = filter === undefined ? () => true : frameTest(filter.id, filter.options);
    const rest = data.filter((one) => !isFor(one));
    data = [...transform(data.filter(isFor), options), ...rest];
    const cells = data.reduce((sum, one) => sum + one.length * one.fields.length, 0);
    if (cells > CELLS_MAX) {
      throw new TytoError('too_large', `the transformation "${id}" makes ${cells} cells`);
    }
  }
  return { frames: data, unknown };
}

function frameTest(id: string, options: unknown): (one: Frame) => boolean {
  if (id !== 'byRefId' && id !== 'byRefID') return () => true;
  const wanted = textOf(options);
  const matches = textTest(`^(?:${wanted.replace(/^\/|\/$/g, '')})$`);
  return ({ refId }) => refId === wanted || matches(refId);
}

function byRefId(frames: readonly Frame[], include: unknown): readonly Frame[] {
  const isWanted = frameTest('byRefId', include);
  return textOf(include) === '' ? frames : frames.filter(isWanted);
}

/** One frame for each series, or one with a column for each. */
function prepareTimeSeries(frames: readonly Frame[], options: Json): readonly Frame[] {
  if (options.format === 'wide') return joinByField(frames, { byField: '' });
  return frames.flatMap((one) => {
    const time = one.fields.find(({ type }) => type === 'time');
    if (time === undefined) return [];
    return one.fields
      .filter((value) => value !== time && value.type === 'number')
      .map((value) => frame(one.refId, one.name, [time, value]));
  });
}
