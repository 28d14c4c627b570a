/**
 * Documents, as Elasticsearch's senders have them, and plain lines, as streams and entries. The
 * line is what was sent; a document's fields are found in it by the stage `json`.
 */
import type { Clock } from '@tyto/base';
import { Labels } from '@tyto/model';
import {
  type BulkItem,
  documentTimeNs,
  jsonRecord,
  type LogVisitor,
  readElasticBulk,
  utf8Bytes,
} from '@tyto/wire';
import type { LogBatch } from './logBatch.ts';

const NS_PER_MS = 1_000_000n;
/** Fields that name the service of a document, the first of them that is a text. */
const SERVICE_FIELDS = [
  ['service', 'name'],
  ['service.name'],
  ['service_name'],
  ['service'],
  ['kubernetes', 'container', 'name'],
  ['kubernetes', 'container_name'],
  ['container', 'name'],
  ['app'],
  ['application'],
];
const HOST_FIELDS = [['host', 'name'], ['host', 'hostname'], ['hostname'], ['host']];
const NAMESPACE_FIELDS = [
  ['kubernetes', 'namespace'],
  ['kubernetes', 'namespace_name'],
];

/** What came of one item of a bulk request. */
export interface BulkOutcome {
  readonly item: BulkItem;
  readonly status: 201 | 400;
  /** '' for what is stored. */
  readonly reason: string;
}

/** Throws TytoError `bad_data` for a request that cannot be read. */
export function readBulk(
  text: string,
  defaultIndex: string,
  clock: Clock,
  batch: LogBatch,
): BulkOutcome[] {
  let opened = '';
  const nowNs = BigInt(clock.nowMs()) * NS_PER_MS;
  return readElasticBulk(text, defaultIndex).map((item) => {
    const reason = problemOf(item);
    if (reason !== '' || item.document === undefined) return { item, status: 400, reason };
    const labels = documentLabels(item.document, item.index);
    if (labels.key !== opened) batch.stream(labels);
    opened = labels.key;
    const time = documentTimeNs(item.document) ?? nowNs;
    batch.entry(time, item.source, utf8Bytes(item.source), Labels.empty);
    const { lastRefusal } = batch;
    if (lastRefusal !== undefined) return { item, status: 400, reason: lastRefusal.message };
    return { item, status: 201, reason };
  });
}

function problemOf({ action, index, document }: BulkItem): string {
  if (action === 'delete' || action === 'update') {
    return `logs are not changed one by one: "${action}" is not supported`;
  }
  if (index === '') return 'the action names no index';
  return document === undefined ? 'the document is no JSON object' : '';
}

function documentLabels(document: Readonly<Record<string, unknown>>, index: string): Labels {
  return Labels.fromEntries([
    ['index', index],
    ['service_name', fieldOf(document, SERVICE_FIELDS)],
    ['host', fieldOf(document, HOST_FIELDS)],
    ['namespace', fieldOf(document, NAMESPACE_FIELDS)],
  ]);
}

function fieldOf(
  document: Readonly<Record<string, unknown>>,
  paths: readonly (readonly string[])[],
): string {
  for (const path of paths) {
    let value: unknown = document;
    for (const key of path) {
      const isRecord = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
      value = isRecord ? (value as Record<string, unknown>)[key] : undefined;
    }
    if (typeof value === 'string' && value !== '') return value;
  }
  return '';
}

/** Lines of text or JSON, one entry each; empty ones are left out. JSON may tell its time. */
export function readLines(text: string, labels: Labels, clock: Clock, visitor: LogVisitor): void {
  const nowNs = BigInt(clock.nowMs()) * NS_PER_MS;
  let order = 0n;
  visitor.stream(labels);
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end < 0 ? text.length : end).replace(/\r$/, '');
    start = end < 0 ? text.length : end + 1;
    if (line === '') continue;
    const document = jsonRecord(line);
    const told = document === undefined ? undefined : documentTimeNs(document);
    // Lines of one request keep their order: each is a nanosecond later than the one before.
    visitor.entry(told ?? nowNs + order++, line, utf8Bytes(line), Labels.empty);
  }
}
