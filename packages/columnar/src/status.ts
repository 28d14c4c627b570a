/** What the store holds and costs, for people and for metrics. */
import { type ClickHouse, quote } from './clickhouse.ts';
import { ENTRIES } from './schema.ts';

export interface ColumnarStatus {
  readonly isEmbedded: boolean;
  /** The engine's process; undefined for a server. */
  readonly pid: number | undefined;
  /** How often the engine was started. */
  readonly starts: number;
  readonly version: string;
  readonly entries: number;
  readonly bytesOnDisk: number;
  readonly parts: number;
  readonly oldestDay: string | undefined;
  /** Memory that ClickHouse has taken. */
  readonly memoryBytes: number;
  /** Entries that are not stored yet. */
  readonly waitingBytes: number;
}

export async function readStatus(
  clickhouse: ClickHouse,
): Promise<
  Pick<
    ColumnarStatus,
    'version' | 'bytesOnDisk' | 'parts' | 'entries' | 'oldestDay' | 'memoryBytes'
  >
> {
  const own = `database = currentDatabase() AND table = ${quote(ENTRIES)} AND active`;
  const [[version, bytes, parts, entries, oldestDay, memory]] = await clickhouse.rows<
    [string, string, string, string, string, string]
  >(
    `SELECT version(), sum(bytes_on_disk), count(), sum(rows), min(partition),
       (SELECT sum(value) FROM system.metrics WHERE metric = 'MemoryTracking')
     FROM system.parts WHERE ${own}`,
  );
  return {
    version,
    bytesOnDisk: Number(bytes),
    parts: Number(parts),
    entries: Number(entries),
    oldestDay: oldestDay === '' ? undefined : oldestDay,
    memoryBytes: Number(memory),
  };
}
