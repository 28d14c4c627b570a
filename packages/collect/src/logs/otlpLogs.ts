/**
 * OpenTelemetry's logs as streams and entries, as Loki maps them: attributes that say where a log
 * comes from name its stream, everything else is structured metadata, the body is the line.
 */
import type { Clock } from '@tyto/base';
import { Labels } from '@tyto/model';
import {
  type LogVisitor,
  type OtlpEncoding,
  type OtlpLogRecord,
  type OtlpLogScope,
  type OtlpLogVisitor,
  type OtlpPair,
  type OtlpValue,
  textOf,
  utf8Bytes,
  walkOtlpLogs,
  walkOtlpLogsJson,
} from '@tyto/wire';
import type { AttributeRule, OtlpLogConfig } from './logLimits.ts';

type Pairs = (readonly [name: string, value: string])[];

/** Throws TytoError `bad_data` for a malformed request. */
export function readOtlpLogs(
  body: Uint8Array,
  encoding: OtlpEncoding,
  config: OtlpLogConfig,
  clock: Clock,
  visitor: LogVisitor,
): void {
  const mapper = new OtlpLogMapper(config, clock, visitor);
  if (encoding === 'protobuf') walkOtlpLogs(body, mapper);
  else walkOtlpLogsJson(new TextDecoder().decode(body), mapper);
}

class OtlpLogMapper implements OtlpLogVisitor {
  readonly #config: OtlpLogConfig;
  readonly #clock: Clock;
  readonly #visitor: LogVisitor;
  #stream: Pairs = [];
  #resource: Pairs = [];
  #scope: Pairs = [];
  /** What the records so far belong to; undefined before the first. */
  #opened: string | undefined;

  constructor(config: OtlpLogConfig, clock: Clock, visitor: LogVisitor) {
    this.#config = config;
    this.#clock = clock;
    this.#visitor = visitor;
  }

  resource(attributes: readonly OtlpPair[]): void {
    const sorted = sortPairs(attributes, this.#config.resource);
    this.#stream = sorted.labels;
    this.#resource = sorted.metadata;
    this.#opened = undefined;
  }

  scope({ name, version, attributes }: OtlpLogScope): void {
    const { metadata } = sortPairs(attributes, this.#config.scope);
    this.#scope = [...metadata, ['scope_name', name], ['scope_version', version]];
  }

  record(record: OtlpLogRecord): void {
    const { labels, metadata } = sortPairs(record.attributes, this.#config.record);
    const { severityText } = record;
    if (this.#config.severityTextAsLabel && severityText !== '') {
      labels.push(['severity_text', severityText]);
    }
    const entry = { record, metadata };
    this.#open(labels);
    const pairs = [...this.#resource, ...this.#scope, ...entry.metadata, ...told(record)];
    this.#visitor.entry(
      this.#timeOf(record),
      record.body,
      utf8Bytes(record.body),
      Labels.fromEntries(pairs),
    );
  }

  #open(more: Pairs): void {
    const labels = streamLabels([...this.#stream, ...more]);
    if (labels.key === this.#opened) return;
    this.#opened = labels.key;
    this.#visitor.stream(labels);
  }

  #timeOf({ timeNs, observedNs }: OtlpLogRecord): bigint {
    if (timeNs !== 0n) return timeNs;
    return observedNs !== 0n ? observedNs : BigInt(this.#clock.nowMs()) * 1_000_000n;
  }
}

/** A log of nobody still needs a stream. */
function streamLabels(pairs: Pairs): Labels {
  const labels = Labels.fromEntries(pairs);
  return labels.size === 0 ? Labels.of({ service_name: 'unknown_service' }) : labels;
}

/** What a record says beside its attributes and body. */
function told(record: OtlpLogRecord): Pairs {
  const pairs: Pairs = [];
  const { severityNumber, severityText, flags, traceId, spanId, timeNs, observedNs } = record;
  if (timeNs !== 0n && observedNs !== 0n) pairs.push(['observed_timestamp', String(observedNs)]);
  if (severityNumber !== 0) pairs.push(['severity_number', String(severityNumber)]);
  if (severityText !== '') pairs.push(['severity_text', severityText]);
  if (flags !== 0) pairs.push(['flags', String(flags)]);
  if (traceId !== '') pairs.push(['trace_id', traceId]);
  if (spanId !== '') pairs.push(['span_id', spanId]);
  return pairs;
}

function sortPairs(
  attributes: readonly OtlpPair[],
  rules: readonly AttributeRule[],
): { labels: Pairs; metadata: Pairs } {
  const labels: Pairs = [];
  const metadata: Pairs = [];
  for (const [key, value] of attributes) {
    const action = actionOf(key, rules);
    if (action === 'drop') continue;
    flatten(key, value, action === 'index_label' ? labels : metadata);
  }
  return { labels, metadata };
}

function actionOf(key: string, rules: readonly AttributeRule[]): AttributeRule['action'] {
  const rule = rules.find(
    ({ attributes, regex }) => attributes.includes(key) || regex?.matches(key) === true,
  );
  return rule?.action ?? 'structured_metadata';
}

/** Records within become a label for each field, `outer_inner`; the decoder bounds their depth. */
function flatten(key: string, value: OtlpValue, pairs: Pairs): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    for (const [name, inner] of Object.entries(value)) flatten(`${key}_${name}`, inner, pairs);
    return;
  }
  pairs.push([labelName(key), textOf(value)]);
}

/** Names repeat with every record. */
const names = new Map<string, string>();
const NAMES_MAX = 10_000;
const NAME_LENGTH_MAX = 256;

/** A label's name: letters, digits and underscores, and no digit first. */
function labelName(key: string): string {
  const known = names.get(key);
  if (known !== undefined) return known;
  const plain = key.replace(/[^a-zA-Z0-9_]/g, '_');
  const name = /^\d/.test(plain) ? `key_${plain}` : plain;
  if (key.length > NAME_LENGTH_MAX) return name;
  if (names.size >= NAMES_MAX) names.clear();
  names.set(key, name);
  return name;
}
