/** Exemplars: single measurements of a series that point to where they came from, often a trace. */
import type { Labels } from './labels.ts';

/** The longest set of labels, names and values counted in characters (OpenMetrics 1.0). */
export const EXEMPLAR_LABEL_CHARACTERS_MAX = 128;

export interface Exemplar {
  readonly labels: Labels;
  readonly value: number;
  readonly timestampMs: number;
}

export interface SeriesExemplars {
  readonly seriesLabels: Labels;
  /** Oldest first. */
  readonly exemplars: readonly Exemplar[];
}
