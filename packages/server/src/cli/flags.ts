/** Command line flags under Prometheus' names: declared once, parsed and explained from here. */
import { nearestName, parseDuration, TytoError } from '@tyto/base';
import { ALERTING_FLAGS } from './alertingFlags.ts';

export interface FlagDefinition {
  readonly name: string;
  /** A `list` may be given more than once; its texts are joined with commas. */
  readonly kind: 'text' | 'list' | 'duration' | 'size' | 'number' | 'boolean';
  readonly fallback: string;
  readonly help: string;
  /** A letter that stands for the name: `-o`. */
  readonly short?: string;
  /** Said at a start where the flag is given but changes nothing. */
  readonly unused?: string;
}

/** Of `start` and of `check`, which must read rules alike. */
export const ENABLE_FEATURE: FlagDefinition = {
  name: 'enable-feature',
  kind: 'list',
  fallback: '',
  help: 'Features that are off by default, separated by commas; see docs/http-api.md.',
};

export const START_FLAGS: readonly FlagDefinition[] = [
  flag(
    'config.file',
    'text',
    '',
    'prometheus.yml, or tyto.yaml. Without one Tyto watches this machine and itself.',
  ),
  flag('alertmanager.config.file', 'text', '', 'alertmanager.yml: who is told of alerts, and how.'),
  flag(
    'loki.config.file',
    'text',
    '',
    'Configuration of Loki: limits, retention and rules of logs. See docs/logs.md.',
  ),
  ...ALERTING_FLAGS,
  flag(
    'web.listen-address',
    'text',
    '127.0.0.1:9090',
    'Address and port of everything. 0.0.0.0:9090 opens it to the network.',
  ),
  flag(
    'web.external-url',
    'text',
    '',
    'The URL under which people reach Tyto, for links in notifications.',
  ),
  flag(
    'web.stack-ports',
    'boolean',
    'false',
    'Answer on the ports of Alertmanager, 9093, Loki, 3100, Promtail, 9080, and OpenTelemetry, ' +
      '4317 and 4318, as well.',
  ),
  flag('web.enable-lifecycle', 'boolean', 'true', 'Reload and quit by POST /-/reload and /-/quit.'),
  flag(
    'web.enable-admin-api',
    'boolean',
    'false',
    'Deletion, snapshots and profiles over HTTP: POST /api/v1/admin/…, /debug/pprof/….',
  ),
  flag(
    'web.enable-remote-write-receiver',
    'boolean',
    'true',
    'Receive remote write, 1.0 and 2.0, at POST /api/v1/write.',
  ),
  flag(
    'web.enable-otlp-receiver',
    'boolean',
    'true',
    'Receive metrics of OpenTelemetry at POST /v1/metrics and /api/v1/otlp/v1/metrics.',
  ),
  flag(
    'otlp.grpc-listen-address',
    'text',
    '',
    'Address and port of OpenTelemetry over gRPC, such as 127.0.0.1:4317; none without it.',
  ),
  flag(
    'web.cors.origin',
    'text',
    '.*',
    'Pages of which origins may read the API, as a regular expression; empty for none.',
  ),
  flag(
    'web.max-notifications-subscribers',
    'number',
    '16',
    'Clients that may follow /api/v1/notifications/live at once.',
  ),
  flag(
    'web.search.max-limit',
    'number',
    '10000',
    'The largest limit of /api/v1/search/…; 0 for no bound.',
  ),
  flag('web.page-title', 'text', 'Tyto', 'Accepted for compatibility.', 'the title is fixed'),
  flag('storage.tsdb.path', 'text', 'data/', 'Where all data is kept.'),
  flag('storage.tsdb.retention.time', 'duration', '15d', 'How long metrics are kept.'),
  flag(
    'storage.tsdb.retention.size',
    'size',
    '0',
    'The most bytes of blocks and log that are kept, such as 50GB; 0 for no limit.',
  ),
  flag(
    'storage.tsdb.wal-fsync-interval',
    'duration',
    '1s',
    'How often the log is forced to the disk: what a power cut may cost.',
  ),
  flag(
    'storage.tsdb.wal-compression',
    'boolean',
    'false',
    'Compress the log, which is replaced by a compressed checkpoint all the while.',
  ),
  flag(
    'storage.remote-write-queue.size',
    'size',
    '10GB',
    'The most bytes that wait on disk for one endpoint of remote_write; the oldest are dropped.',
  ),
  flag(
    'incidents.enable-responses',
    'boolean',
    'false',
    'Run the commands and webhooks of incidents.responses in tyto.yaml.',
  ),
  flag('query.timeout', 'duration', '2m', 'The longest that a query may take.'),
  flag(
    'query.log-slower-than',
    'duration',
    '10s',
    'Queries that take longer are told in the log, with what they read; 0s for none.',
  ),
  flag('query.max-concurrency', 'number', '20', 'Queries that run at once; others wait.'),
  flag('query.max-samples', 'number', '50000000', 'Samples that one query may load.'),
  flag(
    'query.result-cache-size',
    'size',
    '0',
    'Memory for results of range queries, of times whose samples no longer change; 0 for none.',
  ),
  flag(
    'query.max-samples-total',
    'number',
    '0',
    'Samples that all queries together may hold; 0 for twice those of one query.',
  ),
  flag(
    'query.lookback-delta',
    'duration',
    '5m',
    'How far back a query looks for the newest sample.',
  ),
  flag(
    'rules.alert.for-outage-tolerance',
    'duration',
    '1h',
    'The longest outage after which alerts go on pending or firing where they stood.',
  ),
  flag(
    'rules.alert.for-grace-period',
    'duration',
    '10m',
    'After an outage, no alert that waits longer than this fires sooner than this.',
  ),
  flag(
    'rules.alert.resend-delay',
    'duration',
    '1m',
    'How long a firing alert is told of before it is told of again.',
  ),
  flag(
    'rules.max-concurrent-evals',
    'number',
    '4',
    'Accepted for compatibility.',
    'the rules of a group run one after the other',
  ),
  ENABLE_FEATURE,
  flag('log.level', 'text', 'info', 'debug, info, warn or error.'),
  flag('log.format', 'text', '', 'json or text; text where a person looks at a terminal.'),
];

export type Flags = ReadonlyMap<string, string>;

export interface ParsedFlags {
  readonly flags: Flags;
  readonly given: ReadonlySet<string>;
  /** All values of flags that were given, for those that may be given several times. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly rest: readonly string[];
}

function flag(
  name: string,
  kind: FlagDefinition['kind'],
  fallback: string,
  help: string,
  unused?: string,
): FlagDefinition {
  return { name, kind, fallback, help, ...(unused === undefined ? {} : { unused }) };
}

/**
 * Parses `--name=value`, `--name value`, `--name` and `--no-name` for booleans; behind `--` there
 * are no flags. Throws TytoError `bad_data` for an unknown flag, with the nearest right name, or a
 * value that does not fit.
 */
export function parseFlags(args: readonly string[], known: readonly FlagDefinition[]): ParsedFlags {
  const flags = new Map(known.map(({ name, fallback }) => [name, fallback]));
  const values = new Map<string, string[]>();
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--') {
      rest.push(...args.slice(i + 1));
      break;
    }
    const match = /^--?([^=]+)(?:=(.*))?$/s.exec(args[i]);
    if (match === null || args[i] === '-') {
      rest.push(args[i]);
      continue;
    }
    const { definition, negated } = findFlag(match[1], known);
    let value: string | undefined = match[2];
    if (definition.kind === 'boolean') value ??= 'true';
    else if (value === undefined) value = args[++i];
    if (value === undefined) throw bad(`--${definition.name} needs a value`);
    checkValue(definition, value);
    const before = flags.get(definition.name) ?? '';
    if (definition.kind === 'list' && before !== '') value = `${before},${value}`;
    flags.set(definition.name, negated ? 'false' : value);
    values.set(definition.name, [...(values.get(definition.name) ?? []), value]);
  }
  return { flags, given: new Set(values.keys()), values, rest };
}

function findFlag(
  name: string,
  known: readonly FlagDefinition[],
): { definition: FlagDefinition; negated: boolean } {
  const exact = known.find((definition) => definition.name === name || definition.short === name);
  if (exact !== undefined) return { definition: exact, negated: false };
  const positive = known.find(
    (definition) => definition.kind === 'boolean' && name === `no-${definition.name}`,
  );
  if (positive !== undefined) return { definition: positive, negated: true };
  const nearest = nearestName(
    name,
    known.map((definition) => definition.name),
  );
  const hint = nearest === undefined ? 'see tyto --help' : `did you mean --${nearest}?`;
  throw bad(`unknown flag --${name}; ${hint}`);
}

function checkValue(definition: FlagDefinition, value: string): void {
  const { kind, name } = definition;
  if (kind === 'duration' && parseDuration(value) === undefined) {
    throw bad(`--${name}: "${value}" is no duration; write for example 30s, 5m or 15d`);
  }
  if (kind === 'number' && !/^\d+$/.test(value)) throw bad(`--${name}: "${value}" is no number`);
  if (kind === 'size' && parseSize(value) === undefined) {
    throw bad(`--${name}: "${value}" is no size; write for example 512MB or 50GB`);
  }
  if (kind === 'boolean' && value !== 'true' && value !== 'false') {
    throw bad(`--${name}: "${value}" is neither true nor false`);
  }
}

/** Bytes of `50GB`, base 1024; undefined for what is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+)\s*([KMGTPE]?)B?$/i.exec(text);
  if (match === null) return undefined;
  return Number(match[1]) * 1024 ** ' KMGTPE'.indexOf(match[2].toUpperCase() || ' ');
}

function bad(message: string): TytoError {
  return new TytoError('bad_data', message);
}

/** The flags, one a line, with their defaults. */
export function describeFlags(known: readonly FlagDefinition[]): string {
  const left = known.map(
    ({ name, kind }) => `  --${name}${kind === 'boolean' ? '' : `=<${kind}>`}`,
  );
  const width = Math.max(...left.map((text) => text.length)) + 2;
  return known
    .map(({ help, fallback }, i) => {
      const shown = fallback === '' ? '' : ` (default ${fallback})`;
      return `${left[i].padEnd(width)}${help}${shown}`;
    })
    .join('\n');
}
