/**
 * People's own SQL, read-only: `sqlGuard.ts` says which, and ClickHouse runs it with `readonly`,
 * with limits, and with a filter that lets one tenant's rows through wherever a table is read.
 */
import type { Readable } from 'node:stream';
import { TytoError } from '@tyto/base';
import { type ClickHouse, clickHouseCode, quote } from './clickhouse.ts';
import { ENTRIES, LOGS_VIEW, STEPS, STREAMS } from './schema.ts';
import { checkUserSql, type SqlNames } from './sqlGuard.ts';

/** The names of formats here, and ClickHouse's. */
export const SQL_FORMATS = {
  json: 'JSON',
  csv: 'CSVWithNames',
  arrow: 'ArrowStream',
  parquet: 'Parquet',
  ndjson: 'JSONEachRow',
} as const;

export type SqlFormat = keyof typeof SQL_FORMATS;

export interface UserSqlRequest {
  readonly tenant: string;
  readonly query: string;
  readonly format: SqlFormat;
  readonly signal?: AbortSignal | undefined;
}

const SECONDS_MAX = 60;
const MEMORY_BYTES = 512 * 1024 * 1024;
const ROWS_MAX = 1_000_000;
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;
/** Codes of ClickHouse for limits and its own state; all others are the query's mistakes. */
const NOT_THE_QUERYS_FAULT = new Set(['too_large', 'timeout', 'canceled', 'unavailable', 'io']);

export class UserSql {
  #names: (SqlNames & { database: string }) | undefined;

  async run(clickhouse: ClickHouse, request: UserSqlRequest): Promise<Readable> {
    this.#names ??= await readNames(clickhouse);
    const { database } = this.#names;
    checkUserSql(request.query, this.#names);
    const own = quote(`tenant = ${quote(request.tenant)}`);
    const filters = [
      [ENTRIES, own],
      [STREAMS, own],
      [STEPS, quote('0')],
    ].map(([table, condition]) => `${quote(`${database}.${table}`)}: ${condition}`);
    try {
      return await clickhouse.stream(request.query, {
        signal: request.signal,
        settings: {
          additional_table_filters: `{${filters.join(', ')}}`,
          default_format: SQL_FORMATS[request.format],
          max_execution_time: String(SECONDS_MAX),
          max_memory_usage: String(MEMORY_BYTES),
          max_result_rows: String(ROWS_MAX),
          max_result_bytes: String(ANSWER_BYTES_MAX),
          result_overflow_mode: 'throw',
          joined_subquery_requires_alias: '0',
          readonly: '1',
        },
      });
    } catch (error) {
      const isQuerys =
        error instanceof TytoError &&
        clickHouseCode(error) !== undefined &&
        !NOT_THE_QUERYS_FAULT.has(error.kind);
      throw isQuerys ? new TytoError('bad_data', error.message, { cause: error }) : error;
    }
  }
}

async function readNames(clickhouse: ClickHouse): Promise<SqlNames & { database: string }> {
  const own = [ENTRIES, STREAMS, STEPS, LOGS_VIEW].map(quote).join(', ');
  const [[database, functions, tables]] = await clickhouse.rows<[string, string[], string[]]>(
    `SELECT currentDatabase(),
       (SELECT groupArray(lower(name)) FROM system.table_functions),
       (SELECT groupArray(lower(name)) FROM system.tables
        WHERE database = currentDatabase() AND name NOT IN (${own}))`,
  );
  return { database, tableFunctions: new Set(functions), foreignTables: new Set(tables) };
}
