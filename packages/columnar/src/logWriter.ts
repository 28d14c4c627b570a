/**
 * Writes entries in batches: whatever is appended within some milliseconds becomes one insert, and
 * an append resolves when the last of its batches is stored. A batch is tried again while the
 * engine comes back; its token lets ClickHouse drop what it has already.
 */
import { randomUUID } from 'node:crypto';
import { type Clock, type Timer, TytoError } from '@tyto/base';
import type { LogAppender, LogStreamEntries } from '@tyto/model';
import type { ClickHouse } from './clickhouse.ts';
import {
  BATCH_BYTES,
  BATCHES_AT_ONCE,
  DAYS_PER_INSERT,
  LINGER_MS,
  RETRY_MS,
  WAITING_BYTES_MAX,
} from './limits.ts';
import { LineScanner } from './lineFormat.ts';
import { LogBatch } from './logBatch.ts';
import { clampTime } from './logSql.ts';
import { ByteColumn, LongColumn, nativeBlock } from './native.ts';
import { ENTRIES, STREAMS } from './schema.ts';
import type { KnownStream, StreamCatalog } from './streamCatalog.ts';

const HOUR_NS = 3_600_000_000_000n;
const NS_PER_HOUR = 3.6e12;
const RETRY_PAUSE_MS = 200;

/** A batch with who waits for it. */
interface Pending {
  readonly batch: LogBatch;
  /** Hours of streams that the table of streams may not have. */
  readonly hours: Map<KnownStream, Set<number>>;
  readonly stored: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface LogWriterOptions {
  /** The store, when it is ready. */
  readonly clickhouse: () => Promise<ClickHouse>;
  readonly catalog: StreamCatalog;
  readonly clock: Clock;
}

export class LogWriter implements LogAppender {
  readonly #options: LogWriterOptions;
  readonly #scanner = new LineScanner();
  #current: Pending | undefined;
  readonly #sealed: Pending[] = [];
  #timer: Timer | undefined;
  /** Whether the current batch has waited its time. */
  #isDue = false;
  #writing = 0;
  #waitingBytes = 0;
  /** While rows of streams are deleted, nothing is written. */
  #isHeld = false;
  readonly #idle: (() => void)[] = [];

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /** Bytes that are not stored yet. */
  get waitingBytes(): number {
    return this.#waitingBytes + (this.#current?.batch.bytes ?? 0);
  }

  append(tenant: string, streams: readonly LogStreamEntries[]): Promise<void> {
    if (this.waitingBytes > WAITING_BYTES_MAX) {
      const reason = 'logs come faster than they can be written; try later';
      return Promise.reject(new TytoError('unavailable', reason));
    }
    // Not an async function, which would keep the entries for as long as it waits.
    const pending = this.#take(tenant, streams);
    return Promise.all(pending.map(({ stored }) => stored)).then(() => undefined);
  }

  /** The batches that the entries went into. */
  #take(tenant: string, streams: readonly LogStreamEntries[]): Pending[] {
    const touched = new Set<Pending>();
    for (const { labels, entries } of streams) {
      const stream = this.#options.catalog.streamOf(tenant, labels);
      let lastHour = Number.NaN;
      for (const entry of entries) {
        const pending = this.#open();
        const isNew = !touched.has(pending);
        if (isNew) touched.add(pending);
        pending.batch.add(tenant, stream.id, entry);
        const hour = Math.floor(Number(entry.timestampNs) / NS_PER_HOUR);
        if (hour !== lastHour || isNew) {
          lastHour = hour;
          noteHour(pending, stream, hour);
        }
        if (isFull(pending.batch)) this.#seal();
      }
    }
    return [...touched];
  }

  /** Runs `work` while nothing is being written. */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#isHeld) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#isHeld = true;
    try {
      while (this.#writing > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
      return await work();
    } finally {
      this.#isHeld = false;
      this.#wake();
      this.#pump();
    }
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    this.#seal();
    while (this.#writing > 0 || this.#sealed.length > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  #open(): Pending {
    if (this.#current !== undefined) return this.#current;
    let resolve: () => void = () => undefined;
    let reject: (error: unknown) => void = () => undefined;
    const stored = new Promise<void>((resolved, rejected) => {
      resolve = resolved;
      reject = rejected;
    });
    this.#current = {
      batch: new LogBatch(this.#scanner),
      hours: new Map(),
      stored,
      resolve,
      reject,
    };
    this.#timer = this.#options.clock.schedule(LINGER_MS, () => this.#sealWhenIdle());
    return this.#current;
  }

  /** While a batch is being written the next one may as well grow: large parts are cheap. */
  #sealWhenIdle(): void {
    this.#isDue = this.#writing > 0;
    if (!this.#isDue) this.#seal();
  }

  #seal(): void {
    this.#timer?.cancel();
    this.#isDue = false;
    if (this.#current === undefined) return;
    this.#sealed.push(this.#current);
    this.#waitingBytes += this.#current.batch.bytes;
    this.#current = undefined;
    this.#pump();
  }

  #pump(): void {
    while (!this.#isHeld && this.#writing < BATCHES_AT_ONCE) {
      const pending = this.#sealed.shift();
      if (pending === undefined) return;
      this.#writing++;
      void this.#write(pending).then(() => {
        this.#writing--;
        this.#waitingBytes -= pending.batch.bytes;
        this.#wake();
        if (this.#isDue && this.#writing === 0) this.#seal();
        this.#pump();
      });
    }
  }

  #wake(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Never rejects. */
  async #write({ batch, hours, resolve, reject }: Pending): Promise<void> {
    try {
      // Streams first, so that no entry is without labels.
      if (hours.size > 0) {
        await this.#insert(STREAMS, STREAM_COLUMNS, streamRows(hours));
        for (const [stream, own] of hours) this.#options.catalog.remember(stream, own);
      }
      await this.#insert(ENTRIES, LogBatch.columns, batch.encode());
      resolve();
    } catch (error) {
      reject(error);
    }
  }

  async #insert(table: string, columns: readonly string[], data: readonly Buffer[]): Promise<void> {
    const { clickhouse, clock } = this.#options;
    const settings = `insert_deduplication_token = '${randomUUID()}', async_insert = 0`;
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) SETTINGS ${settings} FORMAT Native`;
    const endMs = clock.monotonicMs() + RETRY_MS;
    for (;;) {
      try {
        await (await clickhouse()).insert(sql, data);
        return;
      } catch (error) {
        const isPassing = error instanceof TytoError && error.kind === 'unavailable';
        if (!isPassing || clock.monotonicMs() >= endMs) throw refusal(error);
        await new Promise<void>((resolve) => clock.schedule(RETRY_PAUSE_MS, resolve));
      }
    }
  }
}

const STREAM_COLUMNS = ['tenant', 'day', 'stream', 'labels', 'first', 'last'];

function isFull(batch: LogBatch): boolean {
  return batch.bytes >= BATCH_BYTES || batch.days > DAYS_PER_INSERT;
}

function noteHour(pending: Pending, stream: KnownStream, hour: number): void {
  if (stream.hours.has(hour)) return;
  let hours = pending.hours.get(stream);
  if (hours === undefined) {
    hours = new Set();
    pending.hours.set(stream, hours);
  }
  hours.add(hour);
}

/** A row for each hour of a stream; ClickHouse makes one of those of a day. */
function streamRows(hours: ReadonlyMap<KnownStream, ReadonlySet<number>>): Buffer[] {
  const tenants = new ByteColumn();
  const days = new ByteColumn();
  const ids = new LongColumn();
  const ends = new LongColumn();
  const names = new ByteColumn();
  const values = new ByteColumn();
  const firsts = new LongColumn();
  const lasts = new LongColumn();
  let pairCount = 0;
  for (const [{ tenant, labels, id }, own] of hours) {
    for (const hour of own) {
      tenants.writeText(tenant);
      const day = Math.max(0, Math.min(65_535, Math.floor(hour / 24)));
      days.writeUint8(day & 255);
      days.writeUint8(day >> 8);
      ids.push(id);
      for (let i = 0; i < labels.pairs.length; i += 2) {
        names.writeText(labels.pairs[i]);
        values.writeText(labels.pairs[i + 1]);
      }
      pairCount += labels.size;
      ends.push(BigInt(pairCount));
      // The hour was told from a rounded number, so its edges are taken wider.
      firsts.push(clampTime(BigInt(hour) * HOUR_NS - 1_000_000n));
      lasts.push(clampTime(BigInt(hour + 1) * HOUR_NS + 1_000_000n));
    }
  }
  const text = (name: string, column: ByteColumn) => ({
    name,
    type: 'String',
    pieces: [column.bytes()],
  });
  return nativeBlock(ids.length, [
    text('tenant', tenants),
    { name: 'day', type: 'Date', pieces: [days.bytes()] },
    { name: 'stream', type: 'UInt64', pieces: [ids.bytes()] },
    {
      name: 'labels',
      type: 'Map(String, String)',
      pieces: [ends.bytes(), names.bytes(), values.bytes()],
    },
    { name: 'first', type: 'Int64', pieces: [firsts.bytes()] },
    { name: 'last', type: 'Int64', pieces: [lasts.bytes()] },
  ]);
}

/** An appender knows two reasons only. */
function refusal(error: unknown): unknown {
  if (!(error instanceof TytoError) || error.kind === 'io' || error.kind === 'unavailable') {
    return error;
  }
  return new TytoError('unavailable', error.message, { cause: error });
}
