/** `$__interval` and its like: how far the points of a query are apart. */
import { formatDuration } from '@tyto/base';
import type { Chosen } from './interpolate.ts';

/** Steps that people read well, each up to the limit behind it, in milliseconds. */
const ROUND: readonly (readonly [belowMs: number, stepMs: number])[] = [
  [10, 1],
  [15, 10],
  [35, 20],
  [75, 50],
  [150, 100],
  [350, 200],
  [750, 500],
  [1500, 1000],
  [3500, 2000],
  [7500, 5000],
  [12_500, 10_000],
  [17_500, 15_000],
  [25_000, 20_000],
  [45_000, 30_000],
  [90_000, 60_000],
  [210_000, 120_000],
  [450_000, 300_000],
  [750_000, 600_000],
  [1_050_000, 900_000],
  [1_500_000, 1_200_000],
  [2_700_000, 1_800_000],
  [5_400_000, 3_600_000],
  [9_000_000, 7_200_000],
  [16_200_000, 10_800_000],
  [32_400_000, 21_600_000],
  [86_400_000, 43_200_000],
  [604_800_000, 86_400_000],
  [1_814_400_000, 604_800_000],
  [3_628_800_000, 2_592_000_000],
];
const YEAR_MS = 31_536_000_000;

export interface IntervalRequest {
  readonly fromMs: number;
  readonly toMs: number;
  /** How many points there is room for. */
  readonly points: number;
  /** No finer than this: the interval between scrapes where nothing else is asked for. */
  readonly minMs: number;
  readonly scrapeMs: number;
}

/** The distance of points in milliseconds. */
export function intervalMs({ fromMs, toMs, points, minMs }: IntervalRequest): number {
  const exact = (toMs - fromMs) / Math.max(1, points);
  return Math.max(1, minMs, roundStep(exact));
}

function roundStep(ms: number): number {
  return ROUND.find(([belowMs]) => ms < belowMs)?.[1] ?? YEAR_MS;
}

/** What the range of a query gives: `$__interval`, `$__rate_interval`, `$__range`, `$__from` … */
export function timeVariables(request: IntervalRequest): ReadonlyMap<string, Chosen> {
  const { fromMs, toMs, scrapeMs } = request;
  const stepMs = intervalMs(request);
  // At least four scrapes, so that a rate has points also where one is missing.
  const rateMs = Math.max(stepMs + scrapeMs, 4 * scrapeMs);
  const rangeMs = toMs - fromMs;
  const rangeSeconds = Math.max(1, Math.round(rangeMs / 1000));
  const texts: readonly (readonly [name: string, text: string])[] = [
    ['__interval', formatDuration(stepMs)],
    ['__interval_ms', String(stepMs)],
    ['__rate_interval', formatDuration(rateMs)],
    ['__rate_interval_ms', String(rateMs)],
    ['__range', `${rangeSeconds}s`],
    ['__range_s', String(rangeSeconds)],
    ['__range_ms', String(rangeMs)],
    ['__auto', formatDuration(stepMs)],
    ['__from', String(fromMs)],
    ['__to', String(toMs)],
  ];
  return new Map(texts.map(([name, text]) => [name, { values: [text], isMulti: false }]));
}
