/** What a query answers, in the shapes of Prometheus' API. */
import type { FloatHistogram } from './histogram.ts';
import type { Labels } from './labels.ts';

export interface VectorSample {
  readonly labels: Labels;
  readonly timestampMs: number;
  readonly value: number;
  readonly histogram?: FloatHistogram | undefined;
}

/** One series of a range answer; timestamps and values have the same length. */
export interface MatrixSeries {
  readonly labels: Labels;
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  /** Histograms at their own timestamps, where the series has any. */
  readonly histograms?: readonly { timestampMs: number; histogram: FloatHistogram }[] | undefined;
}

export type QueryValue =
  | { readonly type: 'vector'; readonly samples: readonly VectorSample[] }
  | { readonly type: 'matrix'; readonly series: readonly MatrixSeries[] }
  | { readonly type: 'scalar'; readonly timestampMs: number; readonly value: number }
  | { readonly type: 'string'; readonly timestampMs: number; readonly value: string };

export interface QueryResult {
  readonly value: QueryValue;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

/** How rules and templates ask; the server wires it to the engine. Rejects with TytoError. */
export type InstantQuery = (expression: string, timeMs: number) => Promise<QueryResult>;
