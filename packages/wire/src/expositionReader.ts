/**
 * What all readers of expositions have in common, so that a scrape does not ask in which format a
 * target answers. The fields are described in `ExpositionParser`.
 */
import type { FloatHistogram, Labels, MetricType } from '@tyto/model';
import type { Entry } from './expositionSyntax.ts';

export type ExpositionFormat = 'text' | 'openmetrics';

export interface Exemplar {
  readonly labels: Labels;
  readonly value: number;
  readonly timestampMs: number | undefined;
}

export interface ExpositionReader {
  /** Bytes that stand for the current series, the same ones in each exposition. */
  readonly bytes: Uint8Array;
  readonly seriesStart: number;
  readonly seriesEnd: number;
  readonly value: number;
  readonly hasTimestamp: boolean;
  readonly timestampMs: number;
  readonly hasExemplar: boolean;
  /** Since when the sample counts, of readers that know; 0 where it is unknown. */
  readonly startTimeMs?: number;
  guessBytes: Uint8Array;
  guessStart: number;
  guessEnd: number;
  readonly guessed: boolean;
  start(bytes: Uint8Array, length?: number): void;
  next(): Entry;
  labels(): Labels;
  exemplar(): Exemplar | undefined;
  metadataName(): string;
  metadataText(): string;
  metadataType(): MetricType;
  /** Of an ENTRY_HISTOGRAM; readers that never give one have neither. */
  histogram?(): FloatHistogram;
  exemplars?(): readonly Exemplar[];
}

/** What becomes of histograms, as the configuration of a scrape has it. */
export interface HistogramOptions {
  /** Native histograms are read; otherwise their classic parts are. */
  readonly readsNative: boolean;
  /** Classic buckets are read also of what is read as a native histogram. */
  readonly keepsClassic: boolean;
  /** Classic histograms become native ones with custom buckets. */
  readonly convertsClassic: boolean;
}
