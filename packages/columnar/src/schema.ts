/**
 * The tables, as numbered steps. A step is applied once and never changed afterwards; what
 * changes the tables is a new one. docs/log-storage.md tells what each column is for.
 */
import { type ClickHouse, quote } from './clickhouse.ts';
import { HOT_FIELDS, LINE_KINDS } from './lineFormat.ts';

export const ENTRIES = 'log_entries';
export const STREAMS = 'log_streams';
export const LOGS_VIEW = 'logs';
/** Structured metadata that nearly every entry has, in a column of its own, and all other. */
export const LEVEL = 'detected_level';
export const OTHER_METADATA = 'other_metadata';
export const STEPS = 'tyto_schema_steps';

const kinds = LINE_KINDS.map((kind, index) => `${quote(kind)} = ${index}`).join(', ');
const hot = HOT_FIELDS.map((name) => `${name} LowCardinality(String) CODEC(ZSTD(1))`).join(', ');

const hotOfView = HOT_FIELDS.map((name) => `e.${name} AS ${name}`).join(', ');

/** Statements by number, from 1 on. Each may run again when a crash came between two of a step. */
const SCHEMA_STEPS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE IF NOT EXISTS ${ENTRIES} (
      tenant LowCardinality(String) CODEC(ZSTD(1)),
      stream UInt64 CODEC(Delta, ZSTD(1)),
      time DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD(1)),
      line String CODEC(ZSTD(1)),
      ${LEVEL} LowCardinality(String) CODEC(ZSTD(1)),
      ${OTHER_METADATA} Map(String, String) CODEC(ZSTD(1)),
      metadata Map(String, String) ALIAS if(${LEVEL} = '', ${OTHER_METADATA},
        mapSort(mapUpdate(${OTHER_METADATA}, map(${quote(LEVEL)}, toString(${LEVEL}))))),
      kind Enum8(${kinds}) CODEC(ZSTD(1)),
      bytes UInt32 DEFAULT length(line) CODEC(ZSTD(1)),
      ${hot},
      INDEX words line TYPE tokenbf_v1(32768, 2, 0) GRANULARITY 4,
      INDEX times time TYPE minmax GRANULARITY 1
    ) ENGINE = MergeTree
    PARTITION BY toYYYYMMDD(time)
    ORDER BY (tenant, stream, time)
    SETTINGS index_granularity = 2048, min_compress_block_size = 262144, merge_selector_base = 12,
      non_replicated_deduplication_window = 1000, old_parts_lifetime = 60,
      fsync_after_insert = 1, fsync_part_directory = 1,
      max_suspicious_broken_parts = 1000000000`,
    `CREATE TABLE IF NOT EXISTS ${STREAMS} (
      tenant LowCardinality(String),
      day Date,
      stream UInt64,
      labels SimpleAggregateFunction(any, Map(String, String)),
      first SimpleAggregateFunction(min, Int64),
      last SimpleAggregateFunction(max, Int64)
    ) ENGINE = AggregatingMergeTree
    ORDER BY (tenant, day, stream)
    SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1,
      fsync_part_directory = 1, old_parts_lifetime = 60`,
  ],
  // For people's own SQL: entries with the labels of their streams.
  [
    `CREATE OR REPLACE VIEW ${LOGS_VIEW} AS
     SELECT e.time AS time, s.labels AS labels, e.line AS line, e.metadata AS metadata,
       e.kind AS kind, e.bytes AS bytes, ${hotOfView}, e.stream AS stream
     FROM ${ENTRIES} AS e
     ANY LEFT JOIN (
       SELECT tenant, stream, any(labels) AS labels FROM ${STREAMS} GROUP BY tenant, stream
     ) AS s USING (tenant, stream)`,
  ],
];

/** Brings the tables to the newest step, or to `step`, which tests ask for. */
export async function migrate(clickhouse: ClickHouse, step = SCHEMA_STEPS.length): Promise<void> {
  await clickhouse.command(
    `CREATE TABLE IF NOT EXISTS ${STEPS} (step UInt32, time DateTime DEFAULT now())
     ENGINE = MergeTree ORDER BY step SETTINGS fsync_after_insert = 1, fsync_part_directory = 1`,
  );
  const [[done]] = await clickhouse.rows<[number]>(`SELECT max(step) FROM ${STEPS}`);
  for (let number = done + 1; number <= step; number++) {
    for (const statement of SCHEMA_STEPS[number - 1]) await clickhouse.command(statement);
    await clickhouse.command(`INSERT INTO ${STEPS} (step) SELECT ${number}`);
  }
}
