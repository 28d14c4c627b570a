/**
 * Receives the metrics of OpenTelemetry's exporters. Each data point becomes the samples that it
 * would be in Prometheus; what comes as deltas is added up first. A point that cannot be stored is
 * rejected, the rest is kept, and the answer says how many were. One appender and one commit a
 * request.
 */
import { type Clock, TytoError } from '@tyto/base';
import type { MetricAppender, MetricMetadata } from '@tyto/model';
import { type OtlpEncoding, walkOtlpJson, walkOtlpMetrics } from '@tyto/wire';
import { DELTA_AGE_MS_MAX, DELTA_SERIES_MAX, OTLP_JSON_BYTES_MAX } from '../limits.ts';
import { DeltaSeries } from './deltaSeries.ts';
import { OtlpBatch } from './otlpBatch.ts';
import { DEFAULT_OTLP, type OtlpConfig } from './otlpConfig.ts';

export interface OtlpReceiverOptions {
  readonly store: { appender(): MetricAppender };
  readonly clock: Clock;
  readonly deltaSeriesMax?: number;
  readonly deltaAgeMsMax?: number;
  /** Whether start times are stored with the samples: the feature `st-storage`. */
  readonly keepsStartTimes?: boolean;
}

export interface OtlpOutcome {
  /** Data points that were stored. */
  readonly points: number;
  readonly rejectedPoints: number;
  /** Why points were rejected, for a person; '' where none were. */
  readonly message: string;
}

export class OtlpReceiver {
  /** Of the configuration that is in force. */
  config: OtlpConfig = DEFAULT_OTLP;
  /** Since the start. */
  readonly totals = { requests: 0, points: 0, rejectedPoints: 0 };
  /** What exporters say of metric families. */
  readonly metadata = new Map<string, MetricMetadata>();
  readonly #options: OtlpReceiverOptions;
  readonly #deltas: DeltaSeries;

  constructor(options: OtlpReceiverOptions) {
    const { deltaSeriesMax = DELTA_SERIES_MAX, deltaAgeMsMax = DELTA_AGE_MS_MAX } = options;
    this.#options = options;
    this.#deltas = new DeltaSeries(deltaSeriesMax, deltaAgeMsMax);
  }

  /** Series whose deltas are added up. */
  get deltaSeries(): number {
    return this.#deltas.size;
  }

  /**
   * Stores a request, an ExportMetricsServiceRequest. Resolves when what it keeps is durable.
   * Rejects with TytoError: `bad_data` or `too_large` for the request, others for the store.
   */
  async receive(body: Uint8Array, encoding: OtlpEncoding): Promise<OtlpOutcome> {
    const { store, clock, keepsStartTimes = false } = this.#options;
    this.totals.requests++;
    const appender = store.appender();
    const batch = new OtlpBatch({
      appender,
      config: this.config,
      deltas: this.#deltas,
      metadata: this.metadata,
      nowMs: clock.nowMs(),
      keepsStartTimes,
    });
    let isWhole = false;
    try {
      if (encoding === 'json') walkOtlpJson(textOf(body), batch);
      else walkOtlpMetrics(body, batch);
      isWhole = true;
      await appender.commit();
    } catch (error) {
      if (!isWhole) appender.rollback();
      batch.forgetDeltas();
      throw error;
    }
    const { points, rejectedPoints, message } = batch;
    this.totals.points += points;
    this.totals.rejectedPoints += rejectedPoints;
    return { points, rejectedPoints, message };
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true });

function textOf(body: Uint8Array): string {
  if (body.length > OTLP_JSON_BYTES_MAX) {
    const message = `the body in JSON is larger than ${OTLP_JSON_BYTES_MAX} bytes`;
    throw new TytoError('too_large', message);
  }
  try {
    return decoder.decode(body);
  } catch (error) {
    throw new TytoError('bad_data', 'the body is not valid UTF-8', { cause: error });
  }
}
