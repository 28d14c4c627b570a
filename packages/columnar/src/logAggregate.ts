/**
 * Range aggregations computed where the entries are. Time is cut into buckets of which every
 * window is a whole number: the greatest common divisor of step and range. ClickHouse counts by
 * bucket and group, and windows are put together here.
 */
import { TytoError } from '@tyto/base';
import { Labels, type LogAggregate, type LogAggregated, type LogWindows } from '@tyto/model';
import { clickHouseCode } from './clickhouse.ts';
import { anyOf, type Exact, ExactFields } from './exactSql.ts';
import type { LogTables } from './logReader.ts';
import { entriesCondition, QUERY_SETTINGS } from './logSql.ts';
import { ENTRIES } from './schema.ts';
import { intersection } from './streamFinder.ts';

/** Finer buckets would cost more than reading the entries. */
const BUCKETS_MAX = 100_000;
/** Windows of all groups times the buckets of each. */
const WORK_MAX = 50_000_000;
/** Groups times buckets in one answer. */
const ROWS_MAX = 5_000_000;
const CANNOT_COMPILE_REGEXP = 427;

interface Buckets {
  readonly sizeNs: bigint;
  /** From one window's first bucket to the next one's. */
  readonly perStep: number;
  readonly perRange: number;
  readonly count: number;
}

/** A row: groups' values, bucket, value, entries, bytes, unsure, unparsed. */
type Row = readonly (string | number | Readonly<Record<string, string>>)[];

/** Undefined where the answer would not be exactly that of reading the entries. */
export async function aggregateEntries(
  { clickhouse, catalog }: LogTables,
  request: LogAggregate,
): Promise<LogAggregated | undefined> {
  const { select, windows } = request;
  const buckets = bucketsOf(windows);
  if (buckets === undefined) return undefined;
  const range = {
    startNs: windows.firstEndNs - windows.rangeNs + 1n,
    endNs: windows.firstEndNs + BigInt(windows.count - 1) * windows.stepNs + 1n,
  };
  const found = await catalog.find(clickhouse, {
    tenant: select.tenant,
    matcherSets: [select.matchers],
    signal: select.signal,
    ...range,
  });
  const read = intersection(range, found);
  const nothing = { groups: [], unparsed: 0, read: { entries: 0, bytes: 0 } };
  if (found.labels.size === 0 || read.startNs >= read.endNs) return nothing;
  const plan = planOf(request, new ExactFields(found.labels));
  if (plan === undefined) return undefined;
  const where = entriesCondition(select.tenant, found.labels.keys(), read);
  const offset = windows.firstEndNs - windows.rangeNs + 1n;
  const bucket = `intDiv(toUnixTimestamp64Nano(time) - (${offset}), ${buckets.sizeNs})`;
  // With a step longer than the range some entries are in no window.
  const hasGaps = buckets.perStep > buckets.perRange;
  const gaps = hasGaps ? ` AND ${bucket} % ${buckets.perStep} < ${buckets.perRange}` : '';
  const sql = `SELECT ${plan.keys.map((key, i) => `${key} AS k${i}, `).join('')}
      ${bucket} AS bucket,
      ${plan.value} AS own, count(), sum(bytes), countIf(${plan.unsure}), countIf(${plan.unparsed})
    FROM ${ENTRIES} WHERE ${where}${gaps} AND ${plan.where}
    GROUP BY ${plan.keys.map((_, i) => `k${i}, `).join('')}bucket
    SETTINGS ${QUERY_SETTINGS}, max_rows_to_group_by = ${ROWS_MAX}, precise_float_parsing = 1,
      output_format_json_quote_64bit_integers = 0, output_format_json_quote_denormals = 1
    FORMAT JSONCompactEachRow`;
  let answer: Buffer;
  try {
    answer = await clickhouse.query(sql, { signal: select.signal });
  } catch (error) {
    if (clickHouseCode(error) === CANNOT_COMPILE_REGEXP) return undefined;
    throw error;
  }
  return combine(request, buckets, found.labels, rowsOf(answer));
}

interface Plan {
  readonly keys: readonly string[];
  readonly value: string;
  readonly where: string;
  readonly unsure: string;
  readonly unparsed: string;
}

function planOf(request: LogAggregate, fields: ExactFields): Plan | undefined {
  const { of, by, parse, select } = request;
  const exacts: Exact[] = [];
  const conditions: string[] = [];
  for (const filter of select.filters) {
    const exact = fields.filter(filter);
    if (exact === undefined) return undefined;
    // Rows that are not sure have to be seen, so that they are counted.
    conditions.push(exact.unsure === '0' ? exact.sql : `(${exact.unsure} OR ${exact.sql})`);
    exacts.push(exact);
  }
  const keys: string[] = [];
  if (by === 'entry') keys.push('toString(stream)', 'metadata');
  else {
    for (const { places } of by) {
      const exact = fields.value(places);
      if (exact === undefined) return undefined;
      keys.push(exact.sql);
      exacts.push(exact);
    }
  }
  let value = of === 'count' ? 'toFloat64(count())' : 'toFloat64(sum(bytes))';
  if (of === 'sum' || of === 'min' || of === 'max') {
    if (request.value === undefined) return undefined;
    const exact = fields.number(request.value.places, request.value.unit);
    if (exact === undefined) return undefined;
    exacts.push(exact);
    // Entries without the field are in no window.
    conditions.push(`(${exact.unsure} OR isNotNull(${exact.sql}))`);
    value = `${of}(${exact.sql})`;
  }
  const unsure = exacts.map((exact) => exact.unsure);
  // What is told to be unparsed has to be sure too.
  if (parse === 'json') unsure.push("(kind = 'odd')");
  if (parse === 'logfmt') unsure.push("(kind != 'logfmt')");
  return {
    keys,
    value,
    where: conditions.length === 0 ? '1' : conditions.join(' AND '),
    unsure: anyOf(unsure),
    unparsed: parse === 'json' ? "kind NOT IN ('json', 'nested')" : '0',
  };
}

function bucketsOf({ stepNs, rangeNs, count }: LogWindows): Buckets | undefined {
  if (count < 1 || rangeNs <= 0n) return undefined;
  // One window has no step to speak of.
  const step = count === 1 || stepNs <= 0n ? rangeNs : stepNs;
  const sizeNs = commonDivisor(step, rangeNs);
  const perStep = Number(step / sizeNs);
  const perRange = Number(rangeNs / sizeNs);
  const total = perStep * (count - 1) + perRange;
  return total > BUCKETS_MAX ? undefined : { sizeNs, perStep, perRange, count: total };
}

function commonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : commonDivisor(b, a % b);
}

function rowsOf(answer: Buffer): Row[] {
  const lines = answer.toString('utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Row);
}

interface Group {
  readonly labels: Labels;
  readonly sums: Float64Array;
}

function combine(
  request: LogAggregate,
  buckets: Buckets,
  streams: ReadonlyMap<bigint, Labels>,
  rows: readonly Row[],
): LogAggregated | undefined {
  const { by, groupsMax } = request;
  const keyCount = by === 'entry' ? 2 : by.length;
  const groups = new Map<string, Group>();
  let unparsed = 0;
  const read = { entries: 0, bytes: 0 };
  for (const row of rows) {
    const [bucket, value, entries, bytes, unsure, unknown] = row.slice(keyCount).map(Number);
    if (unsure > 0) return undefined;
    unparsed += unknown;
    read.entries += entries;
    read.bytes += bytes;
    const key = JSON.stringify(row.slice(0, keyCount));
    let group = groups.get(key);
    if (group === undefined) {
      const labels = labelsOf(by, row, streams);
      if (labels === undefined) return undefined;
      if (groups.size >= groupsMax) {
        throw new TytoError('too_large', `more than ${groupsMax} groups; group by fewer labels`);
      }
      group = { labels, sums: new Float64Array(buckets.count).fill(Number.NaN) };
      groups.set(key, group);
      if (groups.size * request.windows.count * buckets.perRange > WORK_MAX) return undefined;
    }
    group.sums[bucket] = value;
  }
  return {
    groups: [...groups.values()].map(({ labels, sums }) => ({
      labels,
      values: windowsOf(request, buckets, sums),
    })),
    unparsed,
    read,
  };
}

function labelsOf(
  by: LogAggregate['by'],
  row: Row,
  streams: ReadonlyMap<bigint, Labels>,
): Labels | undefined {
  if (by !== 'entry') {
    return Labels.fromEntries(by.map(({ name }, i) => [name, String(row[i])]));
  }
  const stream = streams.get(BigInt(String(row[0]))) ?? Labels.empty;
  const metadata = Object.entries(row[1] as Readonly<Record<string, string>>);
  if (metadata.length === 0) return stream;
  // A name that is in both is the engine's to decide.
  if (metadata.some(([name]) => stream.has(name))) return undefined;
  return Labels.fromEntries([...stream.entries(), ...metadata]);
}

function windowsOf(
  { windows, of }: LogAggregate,
  { perStep, perRange }: Buckets,
  sums: Float64Array,
): Float64Array {
  const values = new Float64Array(windows.count).fill(Number.NaN);
  for (let i = 0; i < windows.count; i++) {
    let value = Number.NaN;
    for (let b = i * perStep; b < i * perStep + perRange; b++) {
      const own = sums[b];
      if (Number.isNaN(own)) continue;
      if (Number.isNaN(value)) value = own;
      else if (of === 'min') value = Math.min(value, own);
      else if (of === 'max') value = Math.max(value, own);
      else value += own;
    }
    values[i] = value;
  }
  return values;
}
