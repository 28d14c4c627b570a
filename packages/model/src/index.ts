export type { Alert, AlertSink } from './alert.ts';
export type { CommitTap, CommittedSamples } from './commitTap.ts';
export { EXEMPLAR_LABEL_CHARACTERS_MAX, type Exemplar, type SeriesExemplars } from './exemplar.ts';
export type { FloatHistogram, HistogramSpan } from './histogram.ts';
export {
  bucketUpperBound,
  CUSTOM_SCHEMA,
  type HistogramBucket,
  populatedBuckets,
} from './histogramBuckets.ts';
export {
  compareLabels,
  isClassicLabelName,
  isClassicMetricName,
  Labels,
  METRIC_NAME,
} from './labels.ts';
export type {
  LogAggregate,
  LogAggregated,
  LogAppender,
  LogChunk,
  LogDeletion,
  LogEntry,
  LogField,
  LogFilter,
  LogQuerier,
  LogRange,
  LogRead,
  LogReadSize,
  LogSelect,
  LogStore,
  LogStreamEntries,
  LogStreamSize,
  LogStreamsRequest,
  LogUnit,
  LogWindows,
} from './logStore.ts';
export { MemoryLogStore } from './memoryLogStore.ts';
export {
  createMatcher,
  formatMatcher,
  type Matcher,
  matchesAll,
  type MatchType,
} from './matcher.ts';
export { appendSamples, judgeExemplar, MemoryMetricStore } from './memoryMetricStore.ts';
export {
  APPENDED,
  type AppendResult,
  DUPLICATE,
  type ExemplarRequest,
  type LabelRequest,
  type Limited,
  type MetricAppender,
  type MetricMetadata,
  type MetricQuerier,
  type MetricStore,
  type MetricType,
  NO_SERIES,
  OUT_OF_BOUNDS,
  OUT_OF_ORDER,
  REPEATED,
  type SelectRequest,
  SERIES_LIMIT,
  type SeriesRef,
  type SeriesSelection,
  type SettledTime,
  TOO_OLD,
  UNKNOWN_SERIES,
} from './metricStore.ts';
export { bitsOf, countStaleBits, isStaleBits, SampleColumns, writeStaleBits } from './samples.ts';
export type { InstantQuery, MatrixSeries, QueryResult, QueryValue, VectorSample } from './value.ts';
export {
  type ColumnBatch,
  type ColumnReader,
  type GroupColumns,
  type GroupOperator,
  NOT_COMPUTED,
  type SeriesGroups,
  type WindowFunction,
  type WindowGroups,
  type WindowRequest,
} from './windowColumns.ts';
