/** Native histograms in the notation of unit tests: `{{schema:1 sum:3 buckets:[5 10]}}`. */
import { TytoError } from '@tyto/base';
import type { FloatHistogram, HistogramSpan } from '@tyto/model';

const NUMBER_KEYS: ReadonlySet<string> = new Set([
  'schema',
  'sum',
  'count',
  'z_bucket',
  'z_bucket_w',
  'offset',
  'n_offset',
]);
const LIST_KEYS: ReadonlySet<string> = new Set(['buckets', 'n_buckets', 'custom_values']);
const HINTS: ReadonlySet<string> = new Set(['unknown', 'reset', 'not_reset', 'gauge']);
const ENTRY = /\s*([a-z_]+):(\[[^\]]*\]|[^\s\]]+)/y;

/** A parsed histogram; whether its hint was written decides whether tests compare it. */
export interface NotedHistogram {
  readonly histogram: FloatHistogram;
  readonly hasHint: boolean;
}

/** Parses what stands between the double braces. Throws `bad_data`. */
export function parseHistogram(body: string): NotedHistogram {
  const entries = new Map<string, string>();
  let at = 0;
  while (body.slice(at).trim() !== '') {
    ENTRY.lastIndex = at;
    const match = ENTRY.exec(body);
    if (match === null) throw invalid(`unexpected "${body.slice(at).trim()}" in histogram`);
    const [whole, key, value] = match;
    if (entries.has(key)) throw invalid(`duplicate key "${key}" in histogram`);
    checkEntry(key, value);
    entries.set(key, value);
    at += whole.length;
  }
  const number = (key: string) => parseNumber(entries.get(key) ?? '0');
  const list = (key: string) => parseList(entries.get(key) ?? '[]');
  const positive = list('buckets');
  const negative = list('n_buckets');
  const hint = entries.get('counter_reset_hint');
  const histogram: FloatHistogram = {
    counterResetHint: (hint ?? 'unknown') as FloatHistogram['counterResetHint'],
    schema: number('schema'),
    zeroThreshold: number('z_bucket_w'),
    zeroCount: number('z_bucket'),
    count: number('count'),
    sum: number('sum'),
    positiveSpans: spanOf(number('offset'), positive),
    negativeSpans: spanOf(number('n_offset'), negative),
    positiveBuckets: positive,
    negativeBuckets: negative,
    customValues: list('custom_values'),
  };
  return { histogram, hasHint: hint !== undefined };
}

function checkEntry(key: string, value: string): void {
  if (LIST_KEYS.has(key)) {
    if (!/^\[(\S+( +\S+)* *)?\]$/.test(value)) {
      throw invalid(`bad list ${value} of "${key}" in histogram`);
    }
  } else if (key === 'counter_reset_hint') {
    if (!HINTS.has(value)) throw invalid(`bad histogram descriptor counter_reset_hint: ${value}`);
  } else if (!NUMBER_KEYS.has(key)) {
    throw invalid(`bad histogram descriptor found: "${key}"`);
  }
}

function spanOf(offset: number, buckets: readonly number[]): HistogramSpan[] {
  return buckets.length === 0 ? [] : [{ offset, length: buckets.length }];
}

function parseList(text: string): number[] {
  return text
    .slice(1, -1)
    .split(' ')
    .filter((part) => part !== '')
    .map(parseNumber);
}

function parseNumber(text: string): number {
  const infinite = /^([-+]?)inf$/i.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  const value = text.toLowerCase() === 'nan' ? Number.NaN : Number(text);
  if (Number.isNaN(value) && text.toLowerCase() !== 'nan') throw invalid(`bad number "${text}"`);
  return value;
}

function invalid(message: string): TytoError {
  return new TytoError('bad_data', message);
}
