/** What the answers of /api/v1 hold: the named schemas of the OpenAPI document. */
import {
  dateTime,
  flag,
  integer,
  list,
  map,
  number,
  object,
  oneOf,
  ref,
  type Schema,
  text,
} from './schema.ts';

/** A value of a sample, of a bucket, …: JSON has no NaN and no infinity. */
const sampleText: Schema = { type: 'string', description: 'A number, NaN, +Inf or -Inf.' };

function pair(second: Schema): Schema {
  return { type: 'array', prefixItems: [number, second], minItems: 2, maxItems: 2 };
}

const histogram = object(
  { count: sampleText, sum: sampleText },
  {
    buckets: list({
      type: 'array',
      description: 'Which ends are closed (0 upper, 1 lower, 2 none, 3 both), bounds and count.',
      prefixItems: [{ type: 'integer', enum: [0, 1, 2, 3] }, sampleText, sampleText, sampleText],
      minItems: 4,
      maxItems: 4,
    }),
  },
);

function result(type: string, value: Schema): Schema {
  return object({ resultType: oneOf(type), result: value }, { stats: ref('QueryStats') });
}

const rule = {
  name: text,
  query: text,
  labels: ref('Labels'),
  health: oneOf('ok', 'err', 'unknown'),
  evaluationTime: number,
  lastEvaluation: dateTime,
};

const QUERY_SCHEMAS: Readonly<Record<string, Schema>> = {
  Error: object({ status: oneOf('error'), errorType: text, error: text }),
  Labels: map(text),
  FloatSample: object({ metric: ref('Labels'), value: pair(sampleText) }),
  HistogramSample: object({ metric: ref('Labels'), histogram: pair(histogram) }),
  Series: object(
    { metric: ref('Labels') },
    { values: list(pair(sampleText)), histograms: list(pair(histogram)) },
  ),
  QueryStats: object({
    timings: object({
      evalTotalTime: number,
      resultSortTime: number,
      queryPreparationTime: number,
      innerEvalTime: number,
      execQueueTime: number,
      execTotalTime: number,
    }),
    samples: object({ totalQueryableSamples: integer, samplesRead: integer, peakSamples: integer }),
  }),
  QueryData: {
    anyOf: [
      result('vector', list({ anyOf: [ref('FloatSample'), ref('HistogramSample')] })),
      result('matrix', list(ref('Series'))),
      result('scalar', pair(sampleText)),
      result('string', pair(text)),
    ],
  },
  QueryRangeData: result('matrix', list(ref('Series'))),
  Expression: {
    type: 'object',
    description: 'A node of the syntax tree; its type says which other fields there are.',
    properties: { type: text },
    required: ['type'],
  },
  SeriesExemplars: object({
    seriesLabels: ref('Labels'),
    exemplars: list(object({ labels: ref('Labels'), value: sampleText, timestamp: number })),
  }),
};

const TARGET_SCHEMAS: Readonly<Record<string, Schema>> = {
  Metadata: object({ type: text, help: text, unit: text }),
  TargetMetadata: object(
    { target: ref('Labels'), type: text, help: text, unit: text },
    { metric: text },
  ),
  Target: object({
    discoveredLabels: ref('Labels'),
    labels: ref('Labels'),
    scrapePool: text,
    scrapeUrl: text,
    globalUrl: text,
    lastError: text,
    lastScrape: dateTime,
    lastScrapeDuration: number,
    health: oneOf('up', 'down', 'unknown'),
    scrapeInterval: text,
    scrapeTimeout: text,
  }),
  DroppedTarget: object({ discoveredLabels: ref('Labels'), scrapePool: text }),
  TargetDiscovery: object({
    activeTargets: list(ref('Target')),
    droppedTargets: list(ref('DroppedTarget')),
    droppedTargetCounts: map(integer),
  }),
  RelabelRule: object(
    { regex: text, action: text },
    {
      source_labels: list(text),
      separator: text,
      modulus: integer,
      target_label: text,
      replacement: text,
    },
  ),
  RelabelSteps: object({
    steps: list(object({ rule: ref('RelabelRule'), output: ref('Labels'), keep: flag })),
  }),
};

const RULE_SCHEMAS: Readonly<Record<string, Schema>> = {
  Alert: object(
    {
      labels: ref('Labels'),
      annotations: ref('Labels'),
      state: oneOf('pending', 'firing'),
      activeAt: dateTime,
      value: sampleText,
    },
    { keepFiringSince: dateTime },
  ),
  AlertingRule: object(
    {
      ...rule,
      type: oneOf('alerting'),
      state: oneOf('inactive', 'pending', 'firing', 'unknown'),
      duration: number,
      keepFiringFor: number,
      annotations: ref('Labels'),
      alerts: list(ref('Alert')),
    },
    { lastError: text },
  ),
  RecordingRule: object({ ...rule, type: oneOf('recording') }, { lastError: text }),
  RuleGroup: object({
    name: text,
    file: text,
    interval: number,
    limit: integer,
    rules: list({ anyOf: [ref('AlertingRule'), ref('RecordingRule')] }),
    evaluationTime: number,
    lastEvaluation: dateTime,
  }),
  RuleDiscovery: object({ groups: list(ref('RuleGroup')) }, { groupNextToken: text }),
  AlertmanagerDiscovery: object({
    activeAlertmanagers: list(object({ url: text })),
    droppedAlertmanagers: list(object({ url: text })),
  }),
};

const STATUS_SCHEMAS: Readonly<Record<string, Schema>> = {
  RuntimeInfo: object({
    startTime: dateTime,
    CWD: text,
    hostname: text,
    serverTime: dateTime,
    reloadConfigSuccess: flag,
    lastConfigTime: dateTime,
    corruptionCount: integer,
    goroutineCount: integer,
    GOMAXPROCS: integer,
    GOMEMLIMIT: integer,
    GOGC: text,
    GODEBUG: text,
    storageRetention: text,
  }),
  BuildInfo: object({
    version: text,
    revision: text,
    branch: text,
    buildUser: text,
    buildDate: text,
    goVersion: text,
  }),
  NamedCount: object({ name: text, value: integer }),
  TSDBStatus: object({
    headStats: object({
      numSeries: integer,
      numLabelPairs: integer,
      chunkCount: integer,
      minTime: integer,
      maxTime: integer,
    }),
    seriesCountByMetricName: list(ref('NamedCount')),
    labelValueCountByLabelName: list(ref('NamedCount')),
    memoryInBytesByLabelName: list(ref('NamedCount')),
    seriesCountByLabelValuePair: list(ref('NamedCount')),
  }),
  Block: object({
    ulid: text,
    minTime: integer,
    maxTime: integer,
    stats: object({ numSamples: integer, numSeries: integer, numChunks: integer }),
    compaction: object({ level: integer, sources: list(text) }),
    version: integer,
  }),
  MetricFamily: object({
    name: text,
    help: text,
    type: oneOf('COUNTER', 'GAUGE', 'SUMMARY', 'HISTOGRAM', 'UNTYPED'),
    metric: list({ type: 'object' }),
  }),
  Notification: object({ text, date: dateTime, active: flag }),
};

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  ...QUERY_SCHEMAS,
  ...TARGET_SCHEMAS,
  ...RULE_SCHEMAS,
  ...STATUS_SCHEMAS,
};
