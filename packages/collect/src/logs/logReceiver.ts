/**
 * Takes logs from whatever decodes them: judges entries (logBatch.ts), bounds rates and streams of
 * tenants, stores the rest, and tells followers what was stored. What is acknowledged is in the
 * store for good.
 */
import { type Clock, getOrCreate } from '@tyto/base';
import type { LogAppender, LogStreamEntries } from '@tyto/model';
import {
  type BatchStream,
  KnownStreams,
  labelsText,
  LogBatch,
  type LogRefusal,
} from './logBatch.ts';
import type { LogLimits } from './logLimits.ts';
import { TokenBucket } from './tokenBucket.ts';

export interface LogReceiverOptions {
  readonly appender: LogAppender;
  readonly clock: Clock;
  /** The same object as long as nothing has changed. */
  limitsOf(tenant: string): LogLimits;
  /** Told of entries right after they were stored. */
  readonly onStored?: ((tenant: string, streams: readonly LogStreamEntries[]) => void) | undefined;
  /** Whether anybody would listen; where it is not given, somebody does. */
  readonly isFollowed?: ((tenant: string) => boolean) | undefined;
}

export interface LogOutcome {
  /** 204 where all was stored; else of what was not, which may be a part. */
  readonly status: number;
  /** '' where all was stored. */
  readonly message: string;
  readonly refusedLines: number;
}

export interface TenantTotals {
  lines: number;
  bytes: number;
  metadataBytes: number;
  readonly discarded: Map<string, { lines: number; bytes: number }>;
}

interface ActiveStream {
  readonly bucket: TokenBucket;
  lastMs: number;
}

interface Tenant {
  readonly totals: TenantTotals;
  readonly bucket: TokenBucket;
  /** By the key of the labels. */
  readonly streams: Map<string, ActiveStream>;
  lastMs: number;
  /** When idle streams were last looked for. */
  sweptMs: number;
}

/** Tenants come from a header: each costs some kilobytes and all of its streams. */
const TENANTS_MAX = 1000;
/** A stream of which nothing came for so long is not active. */
const IDLE_MS_MAX = 30 * 60_000;
/** Looking for idle streams goes through all of them. */
const SWEEP_MS_MIN = 10_000;

export class LogReceiver {
  readonly #options: LogReceiverOptions;
  readonly #tenants = new Map<string, Tenant>();
  readonly #known = new WeakMap<LogLimits, KnownStreams>();

  constructor(options: LogReceiverOptions) {
    this.#options = options;
  }

  get totals(): Iterable<readonly [tenant: string, totals: TenantTotals]> {
    return [...this.#tenants].map(([name, { totals }]) => [name, totals] as const);
  }

  /** Streams that sent something lately. */
  activeStreams(tenant: string): number {
    return this.#tenants.get(tenant)?.streams.size ?? 0;
  }

  /** Where the entries of a request are put while it is decoded. */
  batch(tenant: string): LogBatch {
    const limits = this.#options.limitsOf(tenant);
    let known = this.#known.get(limits);
    if (known === undefined) {
      known = new KnownStreams();
      this.#known.set(limits, known);
    }
    return new LogBatch(limits, known, this.#options.clock);
  }

  /** Rejects as LogAppender.append does. */
  async store(tenantName: string, batch: LogBatch): Promise<LogOutcome> {
    const limits = this.#options.limitsOf(tenantName);
    const tenant = this.#tenantOf(tenantName, limits);
    if (tenant === undefined) {
      return refused(batch.lines, 429, `more than ${TENANTS_MAX} tenants send logs`);
    }
    const whole =
      this.#blocked(tenantName, limits) ??
      (batch.named === 0 ? NO_STREAMS : undefined) ??
      this.#overRate(tenantName, tenant, batch, limits);
    if (whole !== undefined) {
      this.#count(tenant, batch);
      add(tenant.totals.discarded, whole.reason, batch.lines, batch.bytes);
      return refused(batch.lines, whole.status, whole.message);
    }
    batch.refuseStreams((stream) => this.#streamRefusal(tenantName, tenant, stream, limits));
    if (batch.lines > 0) {
      await this.#append(tenantName, batch);
      tenant.totals.lines += batch.lines;
      tenant.totals.bytes += batch.bytes;
      tenant.totals.metadataBytes += batch.metadataBytes;
      this.#options.onStored?.(tenantName, batch.streams);
    }
    this.#count(tenant, batch);
    return outcomeOf(batch);
  }

  /**
   * Lets go of the entries where nobody follows them: while they wait for the disk the appender has
   * them in a form of its own, and a megabyte of small objects that lives on is costly.
   */
  #append(tenant: string, batch: LogBatch): Promise<void> {
    const { appender, isFollowed } = this.#options;
    const { streams } = batch;
    if (isFollowed?.(tenant) === false) batch.streams = [];
    return appender.append(tenant, streams);
  }

  #count({ totals }: Tenant, batch: LogBatch): void {
    for (const [reason, { lines, bytes }] of batch.discarded) {
      add(totals.discarded, reason, lines, bytes);
    }
  }

  #tenantOf(name: string, limits: LogLimits): Tenant | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    if (!this.#tenants.has(name) && this.#tenants.size >= TENANTS_MAX) this.#forgetTenants(nowMs);
    if (!this.#tenants.has(name) && this.#tenants.size >= TENANTS_MAX) return undefined;
    const tenant = getOrCreate(this.#tenants, name, () => ({
      totals: { lines: 0, bytes: 0, metadataBytes: 0, discarded: new Map() },
      bucket: new TokenBucket(limits.ingestionBurst, nowMs),
      streams: new Map(),
      lastMs: nowMs,
      sweptMs: nowMs,
    }));
    tenant.lastMs = nowMs;
    return tenant;
  }

  #forgetTenants(nowMs: number): void {
    for (const [name, { lastMs }] of this.#tenants) {
      if (nowMs - lastMs > IDLE_MS_MAX) this.#tenants.delete(name);
    }
  }

  #blocked(tenant: string, { blockedUntilMs, blockedStatus }: LogLimits): LogRefusal | undefined {
    if (blockedUntilMs === undefined || this.#options.clock.nowMs() >= blockedUntilMs) {
      return undefined;
    }
    const until = new Date(blockedUntilMs).toISOString();
    const message =
      `ingestion blocked for user ${tenant} until '${until}' ` +
      `with status code '${blockedStatus}'`;
    return { reason: 'blocked_ingestion', message, status: blockedStatus };
  }

  #overRate(
    name: string,
    tenant: Tenant,
    batch: LogBatch,
    limits: LogLimits,
  ): LogRefusal | undefined {
    const { ingestionRate: rate, ingestionBurst: burst } = limits;
    const nowMs = this.#options.clock.monotonicMs();
    if (tenant.bucket.take(batch.bytes, rate, burst, nowMs)) return undefined;
    const message =
      `Ingestion rate limit exceeded for user ${name} (limit: ${rate} bytes/sec) while ` +
      `attempting to ingest '${batch.lines}' lines totaling '${batch.bytes}' bytes, ` +
      'reduce log volume or raise `limits_config.ingestion_rate_mb`';
    return { reason: 'rate_limited', message, status: 429 };
  }

  #streamRefusal(
    name: string,
    tenant: Tenant,
    stream: BatchStream,
    limits: LogLimits,
  ): LogRefusal | undefined {
    const nowMs = this.#options.clock.monotonicMs();
    const { streamsMax, streamRate, streamBurst } = limits;
    const { streams } = tenant;
    const { key } = stream.labels;
    let active = streams.get(key);
    if (active === undefined) {
      if (streams.size >= (streamsMax || UNLIMITED_STREAMS_KEPT)) forgetIdle(tenant, nowMs);
      if (streamsMax > 0 && streams.size >= streamsMax) {
        const text = labelsText(stream.labels);
        const message =
          `Maximum active stream limit exceeded when trying to create stream ${text}, reduce the ` +
          'number of active streams (reduce labels or reduce label values), or raise ' +
          `\`limits_config.max_global_streams_per_user\`, user: '${name}'`;
        return { reason: 'stream_limit', message, status: 429 };
      }
      active = { bucket: new TokenBucket(streamBurst, nowMs), lastMs: nowMs };
      streams.set(key, active);
    }
    active.lastMs = nowMs;
    if (active.bucket.take(stream.bytes, streamRate, streamBurst, nowMs)) return undefined;
    const message =
      `Per stream rate limit exceeded (limit: ${sizeText(streamRate)}/sec) while attempting to ` +
      `ingest for stream '${labelsText(stream.labels)}' totaling ${sizeText(stream.bytes)}, ` +
      'consider splitting a stream via additional labels or raise ' +
      '`limits_config.per_stream_rate_limit`';
    return { reason: 'per_stream_rate_limit', message, status: 429 };
  }
}

/** Where streams are not limited, those that are idle are looked for from here on. */
const UNLIMITED_STREAMS_KEPT = 200_000;

const NO_STREAMS: LogRefusal = {
  reason: 'missing_labels',
  message: 'error at least one valid stream is required for ingestion',
  status: 422,
};

function forgetIdle(tenant: Tenant, nowMs: number): void {
  if (nowMs - tenant.sweptMs < SWEEP_MS_MIN) return;
  tenant.sweptMs = nowMs;
  for (const [key, { lastMs }] of tenant.streams) {
    if (nowMs - lastMs > IDLE_MS_MAX) tenant.streams.delete(key);
  }
}

function add(
  discarded: Map<string, { lines: number; bytes: number }>,
  reason: string,
  lines: number,
  bytes: number,
): void {
  const sum = getOrCreate(discarded, reason, () => ({ lines: 0, bytes: 0 }));
  sum.lines += lines;
  sum.bytes += bytes;
}

function refused(refusedLines: number, status: number, message: string): LogOutcome {
  return { status, message, refusedLines };
}

/** Too much, 429, is told before what is wrong, 400: it may be sent again. */
function outcomeOf(batch: LogBatch): LogOutcome {
  const refusals = [...batch.refusals.values()];
  if (refusals.length === 0) return { status: 204, message: '', refusedLines: 0 };
  let refusedLines = 0;
  for (const { lines } of batch.discarded.values()) refusedLines += lines;
  const messages = refusals.map(({ message }) => message);
  if (batch.hasMore) messages.push('… and others');
  const status = Math.max(...refusals.map((refusal) => refusal.status));
  return { status, message: messages.join('\n'), refusedLines };
}

function sizeText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${Number(size.toFixed(1))}${units[unit]}`;
}
