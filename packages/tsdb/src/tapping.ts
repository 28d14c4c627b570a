/** Tells a tap what a commit put into the head. */
import {
  bitsOf,
  type CommitTap,
  type CommittedSamples,
  type Labels,
  type SeriesRef,
} from '@tyto/model';
import type { BatchColumns } from './batchColumns.ts';
import type { Head } from './head/head.ts';
import type { LoggedHistogram } from './log/histogramRecord.ts';
import type { LoggedLateSample } from './log/lateRecord.ts';
import type { LoggedExemplar } from './log/record.ts';

interface Section {
  readonly floatsEnd: number;
  readonly histograms: readonly LoggedHistogram[];
}

/** The kept floats are at the front of `columns`, section after section, with their references. */
export function tell(
  tap: CommitTap,
  { series }: Head,
  columns: BatchColumns,
  sections: readonly Section[],
  late: readonly LoggedLateSample[],
  exemplars: readonly LoggedExemplar[],
): Promise<void>[] {
  const labelsOf = (ref: SeriesRef): Labels => series.labels(ref >>> 0);
  const refOf = (id: number): SeriesRef => series.refOf(id);
  const told: Promise<void>[] = [];
  const { refs, timestamps, values } = columns;
  let from = 0;
  sections.forEach(({ floatsEnd, histograms }, i) => {
    const isLast = i === sections.length - 1;
    const part: CommittedSamples = {
      refs,
      timestamps,
      values,
      from,
      end: floatsEnd,
      histograms: histograms.map(({ id, ...rest }) => ({ ref: refOf(id), ...rest })),
      exemplars: isLast ? exemplars : [],
      late: false,
    };
    from = floatsEnd;
    const isEmpty = part.from === part.end && histograms.length + part.exemplars.length === 0;
    if (!isEmpty) told.push(tap.committed(part, labelsOf));
  });
  if (late.length > 0) told.push(tap.committed(lateSamples(late, refOf), labelsOf));
  return told;
}

function lateSamples(
  late: readonly LoggedLateSample[],
  refOf: (id: number) => SeriesRef,
): CommittedSamples {
  const floats = late.filter(({ sample }) => sample.histogram === undefined);
  const values = new Float64Array(floats.length);
  const bits = bitsOf(values);
  floats.forEach(({ sample }, i) => {
    bits[2 * i] = sample.low;
    bits[2 * i + 1] = sample.high;
  });
  return {
    refs: Float64Array.from(floats, ({ id }) => refOf(id)),
    timestamps: Float64Array.from(floats, ({ sample }) => sample.timestampMs),
    values,
    from: 0,
    end: floats.length,
    histograms: late.flatMap(({ id, sample: { timestampMs, histogram } }) =>
      histogram === undefined ? [] : [{ ref: refOf(id), timestampMs, histogram }],
    ),
    exemplars: [],
    late: true,
  };
}
