/**
 * What is old goes: by the age that a stream's rule allows, and the oldest days of all when the
 * logs take too much of the disk. Whole days go, so that a day's data are written anew once for a
 * rule, and not every hour; a day that nobody keeps is dropped without reading it.
 */
import type { Clock, Logger } from '@tyto/base';
import { Labels, type Matcher, matchesAll } from '@tyto/model';
import { type ClickHouse, quote } from './clickhouse.ts';
import { QUERY_SETTINGS } from './logSql.ts';
import type { LogWriter } from './logWriter.ts';
import { deleteRows } from './mutation.ts';
import { readNative } from './native.ts';
import { ENTRIES, STREAMS } from './schema.ts';
import type { StreamCatalog } from './streamCatalog.ts';

export interface LogRetention {
  /** Age of entries that no rule is about, in milliseconds; 0 keeps them. */
  readonly periodMs: number;
  /** Of the rules that match a stream, the highest priority counts, then the shortest period. */
  readonly rules: readonly LogRetentionRule[];
  /** Bytes on disk of all entries; 0 for no limit. Today's are never dropped. */
  readonly bytesMax: number;
}

export interface LogRetentionRule {
  /** Undefined for all tenants. */
  readonly tenant?: string | undefined;
  readonly matchers: readonly Matcher[];
  readonly priority: number;
  readonly periodMs: number;
}

export interface RetentionTools {
  readonly clickhouse: ClickHouse;
  readonly writer: LogWriter;
  readonly catalog: StreamCatalog;
  readonly logger: Logger;
  readonly clock: Clock;
}

const DAY_MS = 86_400_000;
const DAY_NS = 86_400_000_000_000n;
/** Streams in one statement. */
const STREAMS_AT_ONCE = 5000;

export async function applyRetention(
  retention: LogRetention,
  tools: RetentionTools,
): Promise<void> {
  await dropWholeDays(retention, tools);
  await deleteByRules(retention, tools);
  await dropBySize(retention, tools);
}

/** The age at which entries of a stream go; 0 for never. */
function periodOf(retention: LogRetention, tenant: string, labels: Labels): number {
  let best: LogRetentionRule | undefined;
  for (const rule of retention.rules) {
    if (rule.tenant !== undefined && rule.tenant !== tenant) continue;
    if (!matchesAll(rule.matchers, labels)) continue;
    const isBetter =
      best === undefined ||
      rule.priority > best.priority ||
      (rule.priority === best.priority && rule.periodMs < best.periodMs);
    if (isBetter) best = rule;
  }
  return (best ?? retention).periodMs;
}

/** The first day, since 1970, that is kept. */
function firstDayKept(nowMs: number, periodMs: number): number {
  return Math.floor((nowMs - periodMs) / DAY_MS);
}

async function dropWholeDays(retention: LogRetention, tools: RetentionTools): Promise<void> {
  const periods = [retention.periodMs, ...retention.rules.map(({ periodMs }) => periodMs)];
  if (periods.includes(0)) return;
  const firstDay = firstDayKept(tools.clock.nowMs(), Math.max(...periods));
  const days = await storedDays(tools.clickhouse);
  const old = days.filter(({ day }) => day < firstDay);
  await dropDays(tools, old, 'older than every rule keeps');
}

async function dropBySize({ bytesMax }: LogRetention, tools: RetentionTools): Promise<void> {
  if (bytesMax === 0) return;
  const days = await storedDays(tools.clickhouse);
  let bytes = days.reduce((sum, day) => sum + day.bytes, 0);
  const today = firstDayKept(tools.clock.nowMs(), 0);
  const dropped: StoredDay[] = [];
  for (const day of days) {
    if (bytes <= bytesMax || day.day >= today) break;
    bytes -= day.bytes;
    dropped.push(day);
  }
  await dropDays(tools, dropped, 'the logs take more of the disk than they may');
}

interface StoredDay {
  /** Days since 1970. */
  readonly day: number;
  /** As ClickHouse calls it: 20260131. */
  readonly partition: string;
  readonly bytes: number;
}

/** The oldest first. */
async function storedDays(clickhouse: ClickHouse): Promise<StoredDay[]> {
  const rows = await clickhouse.rows<[string, string]>(
    `SELECT partition, sum(bytes_on_disk) FROM system.parts
     WHERE database = currentDatabase() AND table = ${quote(ENTRIES)} AND active
     GROUP BY partition`,
  );
  return rows
    .map(([partition, bytes]) => {
      const date = `${partition.slice(0, 4)}-${partition.slice(4, 6)}-${partition.slice(6, 8)}`;
      return { day: Date.parse(date) / DAY_MS, partition, bytes: Number(bytes) };
    })
    .sort((a, b) => a.day - b.day);
}

async function dropDays(
  { clickhouse, writer, catalog, clock, logger }: RetentionTools,
  days: readonly StoredDay[],
  reason: string,
): Promise<void> {
  const last = days.at(-1);
  if (last === undefined) return;
  await writer.alone(async () => {
    for (const { partition } of days) {
      await clickhouse.command(`ALTER TABLE ${ENTRIES} DROP PARTITION ${partition}`);
    }
    await deleteRows(clickhouse, clock, STREAMS, `day <= toDate(${Math.max(0, last.day)})`);
    catalog.forget();
  });
  logger.info('days of logs were dropped', { days: days.length, until: last.partition, reason });
}

async function deleteByRules(retention: LogRetention, tools: RetentionTools): Promise<void> {
  const { clickhouse, writer, catalog, clock, logger } = tools;
  const nowMs = clock.nowMs();
  const streams = await oldestDays(clickhouse);
  /** Streams by tenant and first day kept. */
  const groups = new Map<string, { tenant: string; firstDay: number; ids: bigint[] }>();
  for (const { tenant, id, labels, day } of streams) {
    const periodMs = periodOf(retention, tenant, labels);
    const firstDay = firstDayKept(nowMs, periodMs);
    if (periodMs === 0 || day >= firstDay) continue;
    const key = `${firstDay}\n${tenant}`;
    const group = groups.get(key) ?? { tenant, firstDay, ids: [] };
    groups.set(key, group);
    group.ids.push(id);
  }
  for (const { tenant, firstDay, ids } of groups.values()) {
    for (let from = 0; from < ids.length; from += STREAMS_AT_ONCE) {
      const own = ids.slice(from, from + STREAMS_AT_ONCE).join(',');
      const where = `tenant = ${quote(tenant)} AND stream IN (${own})`;
      const end = `fromUnixTimestamp64Nano(toInt64(${BigInt(firstDay) * DAY_NS}))`;
      await deleteRows(clickhouse, clock, ENTRIES, `${where} AND time < ${end}`);
      await writer.alone(async () => {
        await deleteRows(clickhouse, clock, STREAMS, `${where} AND day < toDate(${firstDay})`);
        catalog.forget();
      });
    }
    logger.info('logs past their retention were deleted', { tenant, streams: ids.length });
  }
}

interface OldStream {
  readonly tenant: string;
  readonly id: bigint;
  readonly labels: Labels;
  /** The first that has entries. */
  readonly day: number;
}

async function oldestDays(clickhouse: ClickHouse): Promise<OldStream[]> {
  const buffer = await clickhouse.query(
    `SELECT CAST(tenant, 'String') AS tenantName, stream,
       CAST(any(labels), 'Map(String, String)') AS pairs, toInt64(min(day)) AS firstDay
     FROM ${STREAMS} GROUP BY tenant, stream SETTINGS ${QUERY_SETTINGS} FORMAT Native`,
  );
  const streams: OldStream[] = [];
  for (const { rows, columns } of readNative(buffer)) {
    const tenants = columns.get('tenantName');
    const ids = columns.get('stream');
    const pairs = columns.get('pairs');
    const days = columns.get('firstDay');
    if (tenants?.kind !== 'text' || ids?.kind !== 'long') continue;
    if (pairs?.kind !== 'map' || days?.kind !== 'long') continue;
    for (let row = 0; row < rows; row++) {
      streams.push({
        tenant: tenants.values[row],
        id: BigInt.asUintN(64, ids.values[row]),
        labels: Labels.fromSorted(pairs.values[row]),
        day: Number(days.values[row]),
      });
    }
  }
  return streams;
}
