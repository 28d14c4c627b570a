/**
 * Series in the notation of unit tests: `up{job="node"} 1+2x5 _ stale {{count:3}}x2`. Values are
 * expanded: `1+2x3` is 1 3 5 7, `5x2` is 5 5 5, `_x2` is two gaps.
 */
import { TytoError } from '@tyto/base';
import { type FloatHistogram, Labels, METRIC_NAME } from '@tyto/model';
import { parseDurationSeconds, parseNumber, type Token, tokenize, unquote } from '@tyto/syntax';
import { addHistograms } from '../histograms/arithmetic.ts';
import { parseHistogram } from './histogramNotation.ts';

export type NotedValue =
  | { readonly kind: 'gap' }
  | { readonly kind: 'stale' }
  | { readonly kind: 'float'; readonly value: number }
  | {
      readonly kind: 'histogram';
      readonly histogram: FloatHistogram;
      /** Whether the counter reset hint was written out. */
      readonly hasHint: boolean;
    };

export interface NotedSeries {
  readonly labels: Labels;
  /** `@st`: the values are start timestamps of the series' samples. */
  readonly isStartTimestamps: boolean;
  readonly values: readonly NotedValue[];
}

/** More values than any test needs; a mistyped count must not fill the memory. */
const VALUE_COUNT_MAX = 1_000_000;

/** Parses labels and values. Throws TytoError `bad_data`. */
export function parseSeries(line: string): NotedSeries {
  const { labels, rest } = splitLabels(line);
  const isStartTimestamps = rest.startsWith('@st');
  const text = isStartTimestamps ? rest.slice('@st'.length) : rest;
  return { labels, isStartTimestamps, values: parseValues(text) };
}

/** Parses values alone: `1+2x5 _ stale`. Throws TytoError `bad_data`. */
export function parseValues(text: string): NotedValue[] {
  const values: NotedValue[] = [];
  for (const item of splitItems(text)) {
    appendItem(item, values);
    if (values.length > VALUE_COUNT_MAX) throw invalid(`too many values in "${text}"`);
  }
  return values;
}

/** Parses `name{label="value", …}`. Throws TytoError `bad_data`. */
export function parseLabels(text: string): Labels {
  const { labels, rest } = splitLabels(text);
  if (rest.trim() !== '') throw invalid(`unexpected "${rest}" after the labels`);
  return labels;
}

function splitLabels(line: string): { labels: Labels; rest: string } {
  const text = line.trim();
  const end = labelsEnd(text);
  return { labels: labelsOf(tokenize(text.slice(0, end))), rest: text.slice(end) };
}

/** Where the labels end: behind the closing brace, or behind the name where there is none. */
function labelsEnd(text: string): number {
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(text)?.[0] ?? '';
  const brace = /^\s*\{(?!\{)/.exec(text.slice(name.length));
  if (brace === null) return name.length;
  let quote = '';
  for (let i = name.length + brace[0].length; i < text.length; i++) {
    const char = text[i];
    if (quote !== '') {
      if (char === '\\' && quote !== '`') i++;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'" || char === '`') {
      quote = char;
    } else if (char === '}') {
      return i + 1;
    }
  }
  throw invalid(`the labels of "${text}" have no end`);
}

function labelsOf(tokens: readonly Token[]): Labels {
  const entries: [string, string][] = [];
  let at = 0;
  if (tokens[0].text !== '{' && tokens[0].type !== 'eof') {
    entries.push([METRIC_NAME, tokens[at++].text]);
  }
  for (; tokens[at].type !== 'eof'; at++) {
    const token = tokens[at];
    if (token.type === 'punctuation') continue;
    const name = token.type === 'string' ? unquote(token.text) : token.text;
    if (tokens[at + 1].text !== '=') {
      entries.push([METRIC_NAME, name]);
      continue;
    }
    entries.push([name, unquote(tokens[at + 2].text)]);
    at += 2;
  }
  return Labels.fromEntries(entries);
}

/** Splits at white space outside of `{{…}}`. */
function splitItems(text: string): string[] {
  return text.match(/(?:\{\{[^}]*\}\}|[^\s{])+/g) ?? [];
}

const GAPS = /^_(?:x(\d+))?$/;
const PLAIN = /^([-+]?[^-+x]*(?:e[-+]?\d+)?)$/i;
const REPEATED =
  /^([-+]?(?:0x[0-9a-f]+|[^-+x]+?(?:e[-+]?\d+)?))(?:([-+])([^-+x]+(?:e[-+]?\d+)?))?x(\d+)$/i;
const HISTOGRAM = /^\{\{([^}]*)\}\}(?:([-+])\{\{([^}]*)\}\})?(?:x(\d+))?$/;

function appendItem(item: string, values: NotedValue[]): void {
  const gaps = GAPS.exec(item);
  if (gaps !== null) {
    for (let i = Number(gaps[1] ?? 1); i > 0; i--) values.push({ kind: 'gap' });
    return;
  }
  if (item === 'stale') {
    values.push({ kind: 'stale' });
    return;
  }
  const histograms = HISTOGRAM.exec(item);
  if (histograms !== null) {
    appendHistograms(histograms, values);
    return;
  }
  const repeated = REPEATED.exec(item);
  if (repeated !== null) {
    const [, first, sign, difference = '0', count] = repeated;
    const step = (sign === '-' ? -1 : 1) * numberOf(difference, item);
    let value = numberOf(first, item);
    for (let i = Number(count); i >= 0; i--) {
      values.push({ kind: 'float', value });
      // Repeated addition is what Prometheus does; a product would differ in the last digit.
      value += step;
    }
    return;
  }
  if (!PLAIN.test(item)) throw invalid(`unexpected "${item}" in series values`);
  values.push({ kind: 'float', value: numberOf(item, item) });
}

function appendHistograms(match: RegExpExecArray, values: NotedValue[]): void {
  const [, first, sign, difference, count = '0'] = match;
  const { histogram, hasHint } = parseHistogram(first);
  const step = difference === undefined ? undefined : parseHistogram(difference).histogram;
  let current = histogram;
  for (let i = Number(count); i >= 0; i--) {
    values.push({ kind: 'histogram', histogram: current, hasHint });
    if (step === undefined) continue;
    const sum = addHistograms(current, step, sign === '-' ? -1 : 1);
    current = { ...sum, counterResetHint: histogram.counterResetHint };
  }
}

function numberOf(text: string, item: string): number {
  const negative = text.startsWith('-');
  const digits = text.replace(/^[-+]/, '');
  const value = /(?:ms|[smhdwy])$/.test(digits)
    ? (parseDurationSeconds(digits) ?? 0) * 1000
    : parseNumber(digits);
  if (value === undefined) throw invalid(`unexpected "${item}" in series values`);
  return negative ? -value : value;
}

function invalid(message: string): TytoError {
  return new TytoError('bad_data', message);
}
