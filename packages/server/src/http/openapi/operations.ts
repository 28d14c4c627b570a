/**
 * The operations of /api/v1, each once: what the OpenAPI document says of them. That this is what
 * the server has is held by a test, both ways.
 */
import {
  duration,
  flag,
  integer,
  list,
  map,
  object,
  oneOf,
  ref,
  type Schema,
  text,
  time,
} from './schema.ts';

export interface Parameter {
  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
  readonly isRequired?: boolean;
  readonly isInPath?: boolean;
}

export interface Operation {
  /** Below /api/v1 where it says nothing else, with parameters in braces. */
  readonly path: string;
  readonly methods: readonly ('get' | 'post' | 'put' | 'delete')[];
  /** Whether it is Tyto's own: then the path is below /tyto/api/v1. */
  readonly isOwn?: boolean;
  readonly tag: Tag;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  /** Whether a POST has its parameters in a form. */
  readonly takesForm?: boolean;
  /** What a POST sends that is no form: media types. */
  readonly body?: readonly string[];
  readonly answer: Answer;
}

export type Answer =
  | { readonly kind: 'data'; readonly schema: Schema }
  | { readonly kind: 'nothing'; readonly status: 200 | 202 | 204 }
  /** Of another type than the envelope. */
  | { readonly kind: 'other'; readonly type: string; readonly schema: Schema }
  /** Server-sent events, which OpenAPI has since 3.2. */
  | { readonly kind: 'events'; readonly schema: Schema };

export const TAGS = {
  query: 'Evaluate, format and parse PromQL.',
  labels: 'Names and values of labels.',
  series: 'Find series.',
  metadata: 'Types, units and help of metrics.',
  targets: 'What is scraped, and how.',
  rules: 'Recording and alerting rules.',
  alerts: 'Alerts, and where they are sent.',
  status: 'Configuration and state of the server.',
  admin: 'Deletion and snapshots; with --web.enable-admin-api.',
  features: 'What the server can do.',
  remote: 'Remote read and write.',
  otlp: 'Metrics of OpenTelemetry.',
  push: 'Metrics that batch jobs push.',
  incidents: 'What fires and whose it is; below /tyto/api/v1.',
  notifications: 'What whoever runs the server should know.',
} as const;
export type Tag = keyof typeof TAGS;

function parameter(name: string, description: string, schema: Schema): Parameter {
  return { name, description, schema };
}

function required(name: string, description: string, schema: Schema): Parameter {
  return { name, description, schema, isRequired: true };
}

function data(schema: Schema): Answer {
  return { kind: 'data', schema };
}

const QUERY = required('query', 'A PromQL expression.', text);
const START = parameter('start', 'The first moment.', time);
const END = parameter('end', 'The last moment.', time);
const LIMIT = parameter('limit', 'At most so many; 0 for all.', integer);
const MATCH = parameter('match[]', 'Series selectors; any may match.', list(text));
const QUERY_OPTIONS = [
  parameter('timeout', 'The longest that the query may take, up to --query.timeout.', duration),
  LIMIT,
  parameter('lookback_delta', 'How far back a sample counts.', duration),
  parameter('stats', 'Whether to tell what the query took.', oneOf('true', 'all')),
];

const QUERIES: readonly Operation[] = [
  {
    path: '/query',
    methods: ['get', 'post'],
    tag: 'query',
    summary: 'Evaluate an expression at one moment',
    parameters: [QUERY, parameter('time', 'The moment; now without it.', time), ...QUERY_OPTIONS],
    takesForm: true,
    answer: data(ref('QueryData')),
  },
  {
    path: '/query_range',
    methods: ['get', 'post'],
    tag: 'query',
    summary: 'Evaluate an expression over a range of time',
    parameters: [
      QUERY,
      required('start', 'The first moment.', time),
      required('end', 'The last moment.', time),
      required('step', 'From one moment to the next.', duration),
      ...QUERY_OPTIONS,
    ],
    takesForm: true,
    answer: data(ref('QueryRangeData')),
  },
  {
    path: '/query_exemplars',
    methods: ['get', 'post'],
    tag: 'query',
    summary: 'Find the exemplars of the series that an expression selects',
    parameters: [QUERY, START, END],
    takesForm: true,
    answer: data(list(ref('SeriesExemplars'))),
  },
  {
    path: '/format_query',
    methods: ['get', 'post'],
    tag: 'query',
    summary: 'Write an expression in the usual layout',
    parameters: [QUERY],
    takesForm: true,
    answer: data(text),
  },
  {
    path: '/parse_query',
    methods: ['get', 'post'],
    tag: 'query',
    summary: 'Parse an expression into its syntax tree',
    parameters: [QUERY],
    takesForm: true,
    answer: data(ref('Expression')),
  },
];

const LABELS: readonly Operation[] = [
  {
    path: '/labels',
    methods: ['get', 'post'],
    tag: 'labels',
    summary: 'List the names of labels',
    parameters: [START, END, MATCH, LIMIT],
    takesForm: true,
    answer: data(list(text)),
  },
  {
    path: '/label/{name}/values',
    methods: ['get'],
    tag: 'labels',
    summary: 'List the values of a label',
    parameters: [
      {
        ...required('name', 'Its name; other characters escaped, as in U__http_2e_code.', text),
        isInPath: true,
      },
      ...[START, END, MATCH, LIMIT],
    ],
    answer: data(list(text)),
  },
  {
    path: '/series',
    methods: ['get', 'post'],
    tag: 'series',
    summary: 'List the labels of series',
    parameters: [{ ...MATCH, isRequired: true }, START, END, LIMIT],
    takesForm: true,
    answer: data(list(ref('Labels'))),
  },
];

const SEARCH = [
  MATCH,
  parameter('search[]', 'Texts of which one has to fit.', list(text)),
  parameter('fuzz_threshold', 'The least score that fits, 0 to 100.', integer),
  parameter('fuzz_alg', 'What fits.', oneOf('subsequence', 'jarowinkler')),
  parameter('case_sensitive', 'Whether case counts; true without it.', flag),
  parameter('sort_by', 'The order.', oneOf('alpha', 'score')),
  parameter('sort_dir', 'Up or down the alphabet.', oneOf('asc', 'dsc')),
  parameter('include_score', 'Whether to tell how well each fits.', flag),
  parameter('start', 'The first moment; an hour ago without it.', time),
  parameter('end', 'The last moment; now without it.', time),
  parameter('limit', 'At most so many; 100 without it.', integer),
  parameter('batch_size', 'Results on a line; 100 without it.', integer),
];

function search(path: string, tag: Tag, summary: string, ...more: Parameter[]): Operation {
  const answer = { kind: 'other', type: 'application/x-ndjson', schema: text } as const;
  const parameters = [...more, ...SEARCH];
  return { path, methods: ['get', 'post'], tag, summary, parameters, takesForm: true, answer };
}

const SEARCHES: readonly Operation[] = [
  search(
    '/search/metric_names',
    'metadata',
    'Search names of metrics; with --enable-feature=search-api',
    parameter('include_metadata', 'Whether to tell type, help and unit.', flag),
  ),
  search(
    '/search/label_names',
    'labels',
    'Search names of labels; with --enable-feature=search-api',
  ),
  search(
    '/search/label_values',
    'labels',
    'Search values of a label; with --enable-feature=search-api',
    required('label', 'The label.', text),
  ),
];

function get(path: string, tag: Tag, summary: string, schema: Schema, ...parameters: Parameter[]) {
  return { path, methods: ['get'], tag, summary, parameters, answer: data(schema) } as const;
}

const POOL = parameter('scrapePool', 'The name of a scrape pool.', text);
const METRIC = parameter('metric', 'The name of a metric; all without it.', text);

const TARGETS: readonly Operation[] = [
  get(
    '/metadata',
    'metadata',
    'Tell type, help and unit of metrics',
    map(list(ref('Metadata'))),
    parameter('limit', 'At most so many metrics.', integer),
    parameter('limit_per_metric', 'At most so many entries of a metric.', integer),
    METRIC,
  ),
  get('/scrape_pools', 'targets', 'List the scrape pools', object({ scrapePools: list(text) })),
  get(
    '/scrape_pools/config',
    'targets',
    'Show the configuration of a scrape pool',
    object({ yaml: text }),
    { ...POOL, isRequired: true },
  ),
  get(
    '/targets',
    'targets',
    'List the targets',
    ref('TargetDiscovery'),
    POOL,
    parameter('state', 'active, dropped or any.', text),
  ),
  get(
    '/targets/metadata',
    'targets',
    'Tell what targets say of their metrics',
    list(ref('TargetMetadata')),
    parameter('match_target', 'A selector of targets by their labels.', text),
    METRIC,
    parameter('limit', 'At most so many targets.', integer),
  ),
  get(
    '/targets/relabel_steps',
    'targets',
    "Show what each relabelling rule does to a target's labels",
    ref('RelabelSteps'),
    { ...POOL, isRequired: true },
    required('labels', 'The labels before relabelling, as a JSON object.', text),
  ),
];

const RULES: readonly Operation[] = [
  get(
    '/rules',
    'rules',
    'List rules and their alerts',
    ref('RuleDiscovery'),
    parameter('type', 'Only alerting or only recording rules.', oneOf('alert', 'record')),
    parameter('rule_name[]', 'Only rules of these names.', list(text)),
    parameter('rule_group[]', 'Only groups of these names.', list(text)),
    parameter('file[]', 'Only rules of these files.', list(text)),
    parameter('match[]', 'Only rules whose own labels match.', list(text)),
    parameter('exclude_alerts', 'Whether to leave out the alerts.', flag),
    parameter('group_limit', 'At most so many groups on a page.', integer),
    parameter('group_next_token', 'groupNextToken of the page before.', text),
  ),
  get('/alerts', 'alerts', 'List the active alerts', object({ alerts: list(ref('Alert')) })),
  get('/alertmanagers', 'alerts', 'List where alerts are sent to', ref('AlertmanagerDiscovery')),
];

const STATUS: readonly Operation[] = [
  get('/status/config', 'status', 'Show the configuration', object({ yaml: text })),
  get('/status/runtimeinfo', 'status', 'Tell of the process', ref('RuntimeInfo')),
  get('/status/buildinfo', 'status', 'Tell of the build', ref('BuildInfo')),
  get('/status/flags', 'status', 'List the flags with their values', map(text)),
  get(
    '/status/tsdb',
    'status',
    'Tell which labels and metrics have the most series',
    ref('TSDBStatus'),
    parameter('limit', 'How many of each: 10 without it, at most 10000.', integer),
  ),
  get(
    '/status/tsdb/blocks',
    'status',
    'List the blocks on disk',
    object({ blocks: list(ref('Block')) }),
  ),
  get(
    '/status/walreplay',
    'status',
    'Tell how far the log is read at a start',
    object({ min: integer, max: integer, current: integer, state: text }),
  ),
  get(
    '/status/self_metrics',
    'status',
    "Show the server's own metrics, in ProtoJSON",
    list(ref('MetricFamily')),
    parameter('metric_name_pattern', 'A regular expression for whole names.', text),
  ),
  get('/features', 'features', 'List what the server can do', map(map(flag))),
  get(
    '/notifications',
    'notifications',
    'List what whoever runs the server should know',
    list(ref('Notification')),
  ),
  {
    path: '/notifications/live',
    methods: ['get'],
    tag: 'notifications',
    summary: 'Follow that live; 204 where there are too many followers already',
    answer: { kind: 'events', schema: ref('Notification') },
  },
  {
    path: '/openapi.yaml',
    methods: ['get'],
    tag: 'status',
    summary: 'This document',
    parameters: [parameter('openapi_version', '3.1 without it.', oneOf('3.1', '3.2'))],
    answer: { kind: 'other', type: 'application/yaml', schema: text },
  },
];

const ADMIN: readonly Operation[] = [
  {
    path: '/admin/tsdb/delete_series',
    methods: ['put', 'post'],
    tag: 'admin',
    summary: 'Delete samples of series',
    parameters: [{ ...MATCH, isRequired: true }, START, END],
    answer: { kind: 'nothing', status: 204 },
  },
  {
    path: '/admin/tsdb/clean_tombstones',
    methods: ['put', 'post'],
    tag: 'admin',
    summary: 'Take what is deleted off the disk',
    answer: { kind: 'nothing', status: 204 },
  },
  {
    path: '/admin/tsdb/snapshot',
    methods: ['put', 'post'],
    tag: 'admin',
    summary: 'Copy the database into a directory of its own',
    parameters: [parameter('skip_head', 'Whether to leave out what is in memory only.', flag)],
    answer: data(object({ name: text })),
  },
  {
    path: '/admin/wipe',
    methods: ['put'],
    tag: 'push',
    summary: 'Delete all that was pushed; with --web.enable-admin-api',
    answer: { kind: 'nothing', status: 202 },
  },
];

const PROTOBUF = 'application/x-protobuf';

const RECEIVERS: readonly Operation[] = [
  {
    path: '/read',
    methods: ['post'],
    tag: 'remote',
    summary: 'Remote read',
    body: [PROTOBUF],
    answer: { kind: 'other', type: PROTOBUF, schema: { type: 'string', format: 'binary' } },
  },
  {
    path: '/write',
    methods: ['post'],
    tag: 'remote',
    summary: 'Remote write, 1.0 and 2.0',
    body: [PROTOBUF],
    answer: { kind: 'nothing', status: 204 },
  },
  {
    path: '/push',
    methods: ['post'],
    tag: 'remote',
    summary: 'Remote write, at the path that other stores have',
    body: [PROTOBUF],
    answer: { kind: 'nothing', status: 204 },
  },
  {
    path: '/otlp/v1/metrics',
    methods: ['post'],
    tag: 'otlp',
    summary: "Receive OpenTelemetry's metrics",
    body: [PROTOBUF, 'application/json'],
    answer: { kind: 'nothing', status: 200 },
  },
  get('/metrics', 'push', 'List what was pushed', list({ type: 'object' })),
];

export const OPERATIONS: readonly Operation[] = [
  ...QUERIES,
  ...LABELS,
  ...SEARCHES,
  ...TARGETS,
  ...RULES,
  ...STATUS,
  ...ADMIN,
  ...RECEIVERS,
];
