/** What the store holds and costs, for people and for metrics. */
import type { Clock } from '@tyto/base';
import { type ClickHouse, quote } from './clickhouse.ts';
import { ENTRIES, STREAMS } from './schema.ts';

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

/** For metrics, known without asking the engine: a scrape starts none and waits for none. */
export interface ColumnarMeasures {
  /** Of the engine, or of whether the server answered when it was last asked. */
  readonly isUp: boolean;
  readonly starts: number;
  readonly queries: number;
  readonly inserts: number;
  readonly failures: number;
  readonly running: number;
  readonly waitingBytes: number;
  /** As they were some seconds ago; undefined until the store was used. */
  readonly sizes: StoreSizes | undefined;
}

export type StoreSizes = Pick<ColumnarStatus, 'entries' | 'bytesOnDisk' | 'parts' | 'memoryBytes'>;

/** Looking at the sizes is cheap, though not for every scrape of many. */
const SIZES_EVERY_MS = 10_000;

/** The newest sizes that are known, looked up again behind the back of who asks. */
export class WatchedSizes {
  readonly #clock: Clock;
  #sizes: StoreSizes | undefined;
  #isAsking = false;
  #nextMs = Number.NEGATIVE_INFINITY;
  /** Whether the last look found an answer. */
  isAnswered = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get latest(): StoreSizes | undefined {
    return this.#sizes;
  }

  /** Asks at most every ten seconds, and one question at a time. */
  refresh(clickhouse: ClickHouse): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#isAsking || nowMs < this.#nextMs) return;
    this.#isAsking = true;
    this.#nextMs = nowMs + SIZES_EVERY_MS;
    readStatus(clickhouse)
      .then(
        (sizes) => {
          this.#sizes = sizes;
          this.isAnswered = true;
        },
        () => {
          this.isAnswered = false;
        },
      )
      .finally(() => {
        this.#isAsking = false;
      });
  }
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

/** What the logs of a service cost. */
export interface ServiceUsage {
  readonly tenant: string;
  /** The first of the labels service_name, service, app, job and container; '' without. */
  readonly service: string;
  readonly streams: number;
  readonly entries: number;
  readonly lineBytes: number;
  /** Its share of the disk by the size of its lines; how well they compress differs. */
  readonly bytesOnDisk: number;
}

const SERVICE_LABELS = ['service_name', 'service', 'app', 'job', 'container'];
const SERVICES_MAX = 200;

/** The largest first. It counts all entries: a second for each 50 million of them. */
export async function readUsage(clickhouse: ClickHouse): Promise<ServiceUsage[]> {
  const { bytesOnDisk } = await readStatus(clickhouse);
  const tries = SERVICE_LABELS.map((name) => `nullIf(labels[${quote(name)}], '')`);
  const rows = await clickhouse.rows<[string, string, string, string, string, string]>(
    `SELECT tenant, coalesce(${tries.join(', ')}, '') AS service, count(), sum(entries) AS all,
       sum(lineBytes) AS bytes, sum(bytes) OVER () AS total
     FROM (
       SELECT tenant, stream, count() AS entries, sum(bytes) AS lineBytes
       FROM ${ENTRIES} GROUP BY tenant, stream
     ) AS e
     ANY LEFT JOIN (
       SELECT tenant, stream, any(labels) AS labels FROM ${STREAMS} GROUP BY tenant, stream
     ) AS s USING (tenant, stream)
     GROUP BY tenant, service ORDER BY bytes DESC LIMIT ${SERVICES_MAX}`,
  );
  return rows.map(([tenant, service, streams, entries, bytes, total]) => ({
    tenant,
    service,
    streams: Number(streams),
    entries: Number(entries),
    lineBytes: Number(bytes),
    bytesOnDisk: Math.round((bytesOnDisk * Number(bytes)) / Math.max(1, Number(total))),
  }));
}
