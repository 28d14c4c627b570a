/**
 * The answers of Prometheus' HTTP API under `/api/v1`, as JSON carries them. Specification:
 * https://prometheus.io/docs/prometheus/latest/querying/api/. Numbers of samples are text, because
 * JSON has no NaN and no infinity; `parseSampleValue` reads them. Times are seconds where they
 * stand in a sample and RFC 3339 text elsewhere.
 */

export type LabelMap = Readonly<Record<string, string>>;

export type ErrorType =
  | 'bad_data'
  | 'canceled'
  | 'execution'
  | 'internal'
  | 'not_acceptable'
  | 'not_found'
  | 'timeout'
  | 'unavailable';

export interface SuccessEnvelope<Data> {
  readonly status: 'success';
  readonly data: Data;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

export interface ErrorEnvelope {
  readonly status: 'error';
  readonly errorType: ErrorType | (string & {});
  readonly error: string;
  readonly data?: unknown;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
}

export type Envelope<Data> = SuccessEnvelope<Data> | ErrorEnvelope;

/** Seconds since the epoch and the value as text. */
export type SamplePair = readonly [timeSeconds: number, value: string];

/** Which ends of a bucket are closed: 0 upper, 1 lower, 2 none, 3 both. */
export type HistogramBucket = readonly [
  boundaries: 0 | 1 | 2 | 3,
  lower: string,
  upper: string,
  count: string,
];

export interface HistogramValue {
  readonly count: string;
  readonly sum: string;
  readonly buckets?: readonly HistogramBucket[];
}

export type HistogramPair = readonly [timeSeconds: number, histogram: HistogramValue];

export interface VectorSeries {
  readonly metric: LabelMap;
  readonly value?: SamplePair;
  readonly histogram?: HistogramPair;
}

export interface MatrixSeriesJson {
  readonly metric: LabelMap;
  readonly values?: readonly SamplePair[];
  readonly histograms?: readonly HistogramPair[];
}

export interface QueryTimings {
  readonly evalTotalTime: number;
  readonly resultSortTime: number;
  readonly queryPreparationTime: number;
  readonly innerEvalTime: number;
  readonly execQueueTime: number;
  readonly execTotalTime: number;
}

export interface QueryStats {
  readonly timings?: Partial<QueryTimings>;
  readonly samples?: {
    readonly totalQueryableSamples?: number;
    readonly samplesRead?: number;
    readonly peakSamples?: number;
  };
}

export interface MatrixData {
  readonly resultType: 'matrix';
  readonly result: readonly MatrixSeriesJson[];
  readonly stats?: QueryStats;
}

export type QueryData =
  | {
      readonly resultType: 'vector';
      readonly result: readonly VectorSeries[];
      readonly stats?: QueryStats;
    }
  | MatrixData
  | {
      readonly resultType: 'scalar';
      readonly result: SamplePair;
      readonly stats?: QueryStats;
    }
  | {
      readonly resultType: 'string';
      readonly result: SamplePair;
      readonly stats?: QueryStats;
    };

export type MetricTypeName =
  | 'counter'
  | 'gauge'
  | 'histogram'
  | 'gaugehistogram'
  | 'summary'
  | 'info'
  | 'stateset'
  | 'unknown';

export interface MetricMetadataEntry {
  readonly type: MetricTypeName | (string & {});
  readonly help: string;
  readonly unit: string;
}

export type MetadataData = Readonly<Record<string, readonly MetricMetadataEntry[]>>;

export type TargetHealth = 'up' | 'down' | 'unknown';

export interface ActiveTarget {
  readonly discoveredLabels: LabelMap;
  readonly labels: LabelMap;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly globalUrl: string;
  readonly lastError: string;
  readonly lastScrape: string;
  /** Seconds. */
  readonly lastScrapeDuration: number;
  readonly health: TargetHealth;
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
}

export interface DroppedTarget {
  readonly discoveredLabels: LabelMap;
  readonly scrapePool?: string;
}

export interface TargetsData {
  readonly activeTargets: readonly ActiveTarget[];
  readonly droppedTargets: readonly DroppedTarget[];
  readonly droppedTargetCounts?: Readonly<Record<string, number>> | null;
}

export type AlertState = 'inactive' | 'pending' | 'firing';

export interface AlertInstance {
  readonly labels: LabelMap;
  readonly annotations: LabelMap;
  readonly state: AlertState;
  readonly activeAt: string;
  readonly value: string;
  readonly keepFiringSince?: string;
}

export interface AlertsData {
  readonly alerts: readonly AlertInstance[];
}

export type RuleHealth = 'ok' | 'err' | 'unknown';

interface RuleBase {
  readonly name: string;
  readonly query: string;
  readonly labels?: LabelMap;
  readonly health: RuleHealth;
  readonly lastError?: string;
  /** Seconds. */
  readonly evaluationTime: number;
  readonly lastEvaluation: string;
}

export interface AlertingRule extends RuleBase {
  readonly type: 'alerting';
  readonly state: AlertState | 'unknown';
  /** Seconds of `for`. */
  readonly duration: number;
  /** Seconds. */
  readonly keepFiringFor?: number;
  readonly annotations?: LabelMap;
  readonly alerts?: readonly AlertInstance[];
}

export interface RecordingRule extends RuleBase {
  readonly type: 'recording';
}

export type Rule = AlertingRule | RecordingRule;

export interface RuleGroup {
  readonly name: string;
  readonly file: string;
  /** Seconds. */
  readonly interval: number;
  readonly limit?: number;
  readonly rules: readonly Rule[];
  /** Seconds. */
  readonly evaluationTime: number;
  readonly lastEvaluation: string;
}

export interface RulesData {
  readonly groups: readonly RuleGroup[];
  readonly groupNextToken?: string;
}

export interface BuildInfo {
  readonly version: string;
  readonly revision: string;
  readonly branch: string;
  readonly buildUser: string;
  readonly buildDate: string;
  readonly goVersion: string;
}

export interface RuntimeInfo {
  readonly startTime: string;
  readonly CWD: string;
  readonly hostname?: string;
  readonly serverTime?: string;
  readonly reloadConfigSuccess: boolean;
  readonly lastConfigTime: string;
  readonly corruptionCount: number;
  readonly goroutineCount: number;
  readonly GOMAXPROCS: number;
  readonly GOMEMLIMIT?: number;
  readonly GOGC: string;
  readonly GODEBUG: string;
  readonly storageRetention: string;
}

export interface ConfigData {
  readonly yaml: string;
}

export type FlagsData = Readonly<Record<string, string>>;

export interface NamedCount {
  readonly name: string;
  readonly value: number;
}

export interface TsdbStatus {
  readonly headStats: {
    readonly numSeries: number;
    readonly numLabelPairs: number;
    readonly chunkCount: number;
    /** Milliseconds since the epoch. */
    readonly minTime: number;
    readonly maxTime: number;
  };
  readonly seriesCountByMetricName: readonly NamedCount[];
  readonly labelValueCountByLabelName: readonly NamedCount[];
  readonly memoryInBytesByLabelName: readonly NamedCount[];
  readonly seriesCountByLabelValuePair: readonly NamedCount[];
}

/** A block of the database on disk. Times in milliseconds since the epoch. */
export interface TsdbBlock {
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly stats: {
    readonly numSamples: number;
    readonly numSeries: number;
    readonly numChunks: number;
  };
  readonly compaction: { readonly level: number; readonly sources: readonly string[] };
  readonly version: number;
}

export interface TsdbBlocksData {
  readonly blocks: readonly TsdbBlock[];
}

/** What a rule of relabelling, and those before it, make of a target's labels. */
export interface RelabelStep {
  /** As it is written in YAML. */
  readonly rule: {
    readonly action: string;
    readonly regex: string;
    readonly source_labels?: readonly string[];
    readonly separator?: string;
    readonly modulus?: number;
    readonly target_label?: string;
    readonly replacement?: string;
  };
  /** Empty where the target is dropped. */
  readonly output: LabelMap;
  readonly keep: boolean;
}

export interface RelabelStepsData {
  readonly steps: readonly RelabelStep[];
}

/** What whoever runs the server should know: `GET /api/v1/notifications`. */
export interface StatusNotification {
  readonly text: string;
  /** RFC 3339. */
  readonly date: string;
  /** False in what followers of the stream get when it is over. */
  readonly active: boolean;
}

/** By category and name, what the server can do, and whether that is enabled. */
export type FeaturesData = Readonly<Record<string, Readonly<Record<string, boolean>>>>;

/** What is stored and was read by no query and no rule: `GET /tyto/api/v1/unread`. */
export interface UnreadSeries {
  readonly days: number;
  /** Series of the head, and those that nobody has read for so many days. */
  readonly seriesTotal: number;
  readonly unreadTotal: number;
  /** Those with the most unread series first. */
  readonly metrics: readonly {
    readonly metric: string;
    readonly series: number;
    readonly unread: number;
  }[];
}

/** A query that waits or runs: `GET /tyto/api/v1/queries`. Times in seconds since the epoch. */
export interface RunningQuery {
  readonly id: string;
  readonly query: string;
  readonly start: number;
  readonly end: number;
  /** 0 for an instant query. */
  readonly step: number;
  /** RFC 3339. */
  readonly arrivedAt: string;
  readonly state: 'waiting' | 'running';
  readonly runningSeconds: number;
  /** What its selectors have found so far; the samples that it read, holds, and held at most. */
  readonly series: number;
  readonly samplesRead: number;
  readonly samplesHeld: number;
  readonly samplesPeak: number;
}

/** How a query was evaluated: `GET /tyto/api/v1/explain`. */
export interface QueryExplanation {
  readonly query: string;
  readonly queueSeconds: number;
  readonly preparationSeconds: number;
  readonly evaluationSeconds: number;
  readonly samplesRead: number;
  /** Samples and points that were in memory at once, at most. */
  readonly samplesPeak: number;
  /** What selectors found in the store. Times in seconds since the epoch. */
  readonly reads: readonly {
    readonly selector: string;
    readonly start: number;
    readonly end: number;
    readonly series: number;
  }[];
  readonly steps: readonly QueryExplanationStep[];
}

/** The evaluation of a part of a query; times and samples include those of what is inside. */
export interface QueryExplanationStep {
  readonly text: string;
  readonly notes: readonly string[];
  readonly seconds: number;
  readonly samplesRead: number;
  readonly series: number;
  readonly steps: readonly QueryExplanationStep[];
}

/** The number in a sample's text: `NaN`, `+Inf` and `-Inf` beside decimals. */
export function parseSampleValue(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY;
  if (text === '-Inf') return Number.NEGATIVE_INFINITY;
  return text === '' ? Number.NaN : Number(text);
}
