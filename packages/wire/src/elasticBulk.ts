/**
 * The body of Elasticsearch's _bulk: a line of JSON that says what to do, and for `index` and
 * `create` a line with the document.
 *
 *   {"create": {"_index": "logs-app"}}
 *   {"@timestamp": "2024-05-01T10:00:00Z", "message": "…"}
 */
import { TytoError } from '@tyto/base';
import { parseTimeNs } from './lokiPushJson.ts';

export interface BulkItem {
  readonly action: 'index' | 'create' | 'update' | 'delete';
  readonly index: string;
  readonly id: string;
  /** The document's own text, and what it holds; undefined where there is none or it is broken. */
  readonly source: string;
  readonly document: Readonly<Record<string, unknown>> | undefined;
}

const ACTIONS = ['index', 'create', 'update', 'delete'] as const;
/** Each is answered for itself. */
const ITEMS_MAX = 100_000;

/** Throws TytoError `bad_data` where an action cannot be read: what follows means nothing then. */
export function readElasticBulk(text: string, defaultIndex: string): BulkItem[] {
  const items: BulkItem[] = [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    if (lines[i].trim() === '') continue;
    if (items.length >= ITEMS_MAX) {
      throw new TytoError('too_large', `a request holds at most ${ITEMS_MAX} actions`);
    }
    const header = jsonRecord(lines[i]);
    const action = ACTIONS.find((name) => header !== undefined && Object.hasOwn(header, name));
    if (header === undefined || action === undefined) {
      const message = `Malformed action/metadata line [${i + 1}], expected ${ACTIONS.join(', ')}`;
      throw new TytoError('bad_data', message);
    }
    const about = asRecord(header[action]) ?? {};
    const source = action === 'delete' ? '' : (lines[++i] ?? '').replace(/\r$/, '');
    items.push({
      action,
      index: typeof about._index === 'string' ? about._index : defaultIndex,
      id: typeof about._id === 'string' ? about._id : '',
      source,
      document: jsonRecord(source),
    });
  }
  return items;
}

/**
 * The time of a document under the usual names: RFC 3339, or a number of seconds, milliseconds,
 * microseconds or nanoseconds since 1970; undefined where it has none.
 */
export function documentTimeNs(document: Readonly<Record<string, unknown>>): bigint | undefined {
  for (const name of ['@timestamp', 'timestamp', 'time', 'ts', '_time']) {
    const value = document[name];
    if (typeof value === 'string') {
      const timestampNs = parseTimeNs(value.replace(/^(\d{4}-\d\d-\d\d) /, '$1T'));
      if (timestampNs !== undefined) return timestampNs;
      if (/^\d{18,19}$/.test(value)) return BigInt(value);
      if (/^\d{10,17}$/.test(value)) return scaled(Number(value));
    }
    if (typeof value === 'number' && Number.isFinite(value) && value > 0) return scaled(value);
  }
  return undefined;
}

/** By its size: seconds of our times have ten digits, milliseconds thirteen, and so on. */
function scaled(value: number): bigint | undefined {
  if (value < 1e11) return BigInt(Math.round(value * 1e6)) * 1000n;
  if (value < 1e14) return BigInt(Math.round(value * 1e3)) * 1000n;
  if (value < 1e17) return BigInt(Math.round(value)) * 1000n;
  return value < 2 ** 63 ? BigInt(Math.round(value)) : undefined;
}

/** What a line of JSON holds; undefined for what is no object. */
export function jsonRecord(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!/^\s*\{/.test(line)) return undefined;
  try {
    return asRecord(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isRecord ? (value as Record<string, unknown>) : undefined;
}
