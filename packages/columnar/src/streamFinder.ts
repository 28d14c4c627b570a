/**
 * Which streams a request is about. What a server stores may come from others too, so it is asked
 * each time; the embedded engine's streams are known here (streamDirectory.ts).
 */
import { TytoError } from '@tyto/base';
import {
  Labels,
  type LogRange,
  type LogStreamsRequest,
  type Matcher,
  matchesAll,
} from '@tyto/model';
import { type ClickHouse, quote } from './clickhouse.ts';
import { STREAMS_MAX } from './limits.ts';
import { clampTime, QUERY_SETTINGS, streamCondition } from './logSql.ts';
import { longColumn, mapColumn, readNative } from './native.ts';
import { STREAMS } from './schema.ts';

const DAY_NS = 86_400_000_000_000n;

export interface FoundStreams {
  readonly labels: ReadonlyMap<bigint, Labels>;
  /** From the first to the last of their hours, as far as those touch the range. */
  readonly firstNs: bigint;
  readonly lastNs: bigint;
}

/** Streams that satisfy any of the lists, with entries on the days of the range. */
export async function askForStreams(
  clickhouse: ClickHouse,
  request: LogStreamsRequest,
): Promise<FoundStreams> {
  const { tenant, matcherSets, signal } = request;
  const sets = matcherSets.map((matchers) => `(${streamCondition(matchers)})`);
  const startNs = clampTime(request.startNs);
  const endNs = clampTime(request.endNs);
  const days = `day >= ${dayLiteral(startNs)} AND day <= ${dayLiteral(endNs)}`;
  const buffer = await clickhouse.query(
    `SELECT stream, CAST(any(labels), 'Map(String, String)') AS pairs,
       toInt64(min(first)) AS firstNs, toInt64(max(last)) AS lastNs
     FROM ${STREAMS}
     WHERE tenant = ${quote(tenant)} AND ${days}
       AND last >= ${startNs} AND first <= ${endNs}
       AND (${sets.length === 0 ? '1' : sets.join(' OR ')})
     GROUP BY stream LIMIT ${STREAMS_MAX + 1}
     SETTINGS ${QUERY_SETTINGS} FORMAT Native`,
    { signal },
  );
  const labels = new Map<bigint, Labels>();
  let firstNs = endNs;
  let lastNs = startNs;
  for (const block of readNative(buffer)) {
    const ids = longColumn(block, 'stream');
    const firsts = longColumn(block, 'firstNs');
    const lasts = longColumn(block, 'lastNs');
    const pairs = mapColumn(block, 'pairs');
    for (let row = 0; row < block.rows; row++) {
      const own = Labels.fromSorted(pairs[row]);
      if (!isWanted(own, matcherSets)) continue;
      labels.set(BigInt.asUintN(64, ids[row]), own);
      if (firsts[row] < firstNs) firstNs = firsts[row];
      if (lasts[row] > lastNs) lastNs = lasts[row];
    }
  }
  if (labels.size > STREAMS_MAX) throw tooManyStreams();
  return { labels, firstNs, lastNs };
}

/** The part of a range in which the streams have anything. */
export function intersection(range: LogRange, { firstNs, lastNs }: FoundStreams): LogRange {
  return {
    startNs: range.startNs > firstNs ? range.startNs : firstNs,
    endNs: range.endNs < lastNs + 1n ? range.endNs : lastNs + 1n,
  };
}

export function isWanted(labels: Labels, sets: readonly (readonly Matcher[])[]): boolean {
  return sets.length === 0 || sets.some((matchers) => matchesAll(matchers, labels));
}

export function tooManyStreams(): TytoError {
  return new TytoError('too_large', `more than ${STREAMS_MAX} streams match; name more labels`);
}

/** Days of the type Date, which ends in 2149. */
function dayLiteral(timeNs: bigint): string {
  const day = Number((timeNs - (timeNs % DAY_NS)) / DAY_NS);
  return `toDate(${Math.max(0, Math.min(65_535, day))})`;
}
