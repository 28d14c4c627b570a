/** `ALTER TABLE … DELETE`, awaited: writing parts anew can take longer than a request may. */
import { type Clock, TytoError } from '@tyto/base';
import { type ClickHouse, quote } from './clickhouse.ts';
import { QUERY_SETTINGS } from './logSql.ts';

const LOOK_MS_MIN = 20;
const LOOK_MS_MAX = 2000;

/** Resolves when the rows are gone from disk. */
export async function deleteRows(
  clickhouse: ClickHouse,
  clock: Clock,
  table: string,
  condition: string,
): Promise<void> {
  await clickhouse.command(
    `ALTER TABLE ${table} DELETE WHERE ${condition} SETTINGS mutations_sync = 0, ${QUERY_SETTINGS}`,
  );
  // Mutations of a table run one after another, so this one is among the first to look at.
  const own = `database = currentDatabase() AND table = ${quote(table)} AND NOT is_done`;
  // `mutation_12.txt`, `0000000012`
  const number = "toUInt64OrZero(extract(mutation_id, '[0-9]+'))";
  const [[last]] = await clickhouse.rows<[string]>(
    `SELECT max(${number}) FROM system.mutations WHERE ${own}`,
  );
  for (let pauseMs = LOOK_MS_MIN; ; pauseMs = Math.min(LOOK_MS_MAX, pauseMs * 2)) {
    const [[left, reason]] = await clickhouse.rows<[string, string]>(
      `SELECT count(), any(latest_fail_reason) FROM system.mutations
       WHERE ${own} AND ${number} <= ${last}`,
    );
    if (left === '0') return;
    if (reason !== '') {
      await clickhouse.command(
        `KILL MUTATION WHERE database = currentDatabase() AND table = ${quote(table)}`,
      );
      throw new TytoError('execution', `logs could not be deleted: ${reason.slice(0, 500)}`);
    }
    await new Promise<void>((resolve) => clock.schedule(pauseMs, resolve));
  }
}
