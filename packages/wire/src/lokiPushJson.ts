/**
 * Loki's push request in JSON:
 *
 *   {"streams": [{"stream": {"app": "shop"}, "values": [["<ns>", "<line>", {"trace": "1"}]]}]}
 *
 * and the older one of /api/prom/push, whose labels are a text and whose times are RFC 3339:
 *
 *   {"streams": [{"labels": "{app=\"shop\"}", "entries": [{"ts": "…", "line": "…"}]}]}
 */
import { TytoError } from '@tyto/base';
import { Labels } from '@tyto/model';
import { LABEL_COUNT_MAX } from './limits.ts';
import { type LogVisitor, parseJson, utf8Bytes } from './logVisitor.ts';

const NANOSECONDS = /^-?\d{1,19}$/;
const RFC3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,18}))?(Z|[+-]\d\d:\d\d)$/;
const NS_PER_MS = 1_000_000n;

/** Throws TytoError `bad_data` for a malformed request, and what visiting throws. */
export function walkLokiPushJson(text: string, visitor: LogVisitor): void {
  for (const item of streamsOf(text)) {
    const stream = record(item, 'a stream');
    visitor.stream(streamLabels(stream.stream ?? {}));
    for (const value of list(stream.values ?? [], 'values')) readValue(value, visitor);
  }
}

/** As `walkLokiPushJson`, in the notation of /api/prom/push. */
export function walkLegacyPushJson(text: string, visitor: LogVisitor): void {
  for (const item of streamsOf(text)) {
    const stream = record(item, 'a stream');
    visitor.streamText(textOf(stream.labels ?? '', 'labels'));
    for (const value of list(stream.entries ?? [], 'entries')) {
      const entry = record(value, 'an entry');
      const line = textOf(entry.line ?? '', 'line');
      const timestampNs = parseTimeNs(textOf(entry.ts ?? entry.timestamp ?? '', 'ts'));
      if (timestampNs === undefined) throw bad('the time of an entry, ts, is no RFC 3339 text');
      visitor.entry(timestampNs, line, utf8Bytes(line), Labels.empty);
    }
  }
}

/** Nanoseconds of an RFC 3339 text with up to nine decimals; undefined for what is none. */
export function parseTimeNs(text: string): bigint | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const ms = Date.parse(match[1] + match[3]);
  if (Number.isNaN(ms)) return undefined;
  const decimals = (match[2] ?? '').slice(0, 9).padEnd(9, '0');
  return BigInt(ms) * NS_PER_MS + BigInt(decimals);
}

function streamsOf(text: string): readonly unknown[] {
  return list(record(parseJson(text), 'the request').streams ?? [], 'streams');
}

function readValue(value: unknown, visitor: LogVisitor): void {
  const parts = list(value, 'a value');
  const [time, line] = parts;
  if (typeof time !== 'string' || !NANOSECONDS.test(time)) {
    throw bad('the time of a value is no text of nanoseconds, such as "1570818238000000000"');
  }
  if (typeof line !== 'string') throw bad('the line of a value is no text');
  const metadata = parts.length > 2 ? metadataOf(parts[2]) : Labels.empty;
  visitor.entry(BigInt(time), line, utf8Bytes(line), metadata);
}

/** Values that are no texts are written as JSON has them, as Loki does. */
function streamLabels(value: unknown): Labels {
  const entries = Object.entries(record(value, 'stream'));
  return Labels.fromEntries(
    entries.map(([name, inner]) => [
      name,
      typeof inner === 'string' ? inner : JSON.stringify(inner),
    ]),
  );
}

function metadataOf(value: unknown): Labels {
  const entries = Object.entries(record(value, 'the structured metadata of a value'));
  if (entries.length === 0) return Labels.empty;
  if (entries.length > LABEL_COUNT_MAX) {
    throw bad(`an entry has more than ${LABEL_COUNT_MAX} metadata labels`);
  }
  for (const [name, inner] of entries) {
    if (typeof inner !== 'string') throw bad(`the structured metadata "${name}" is no text`);
  }
  return Labels.fromEntries(entries as [string, string][]);
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw bad(`${what} is no object`);
}

function list(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw bad(`${what} is no list`);
}

function textOf(value: unknown, what: string): string {
  if (typeof value === 'string') return value;
  throw bad(`${what} is no text`);
}

function bad(message: string): TytoError {
  return new TytoError('bad_data', message);
}
