/** Facts about PromQL that were taken from Prometheus' own tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MemoryMetricStore } from '@tyto/model';
import { loadSeries, parseScript, parseSeries, QueryEngine } from '@tyto/promql';
import { formatExpr, ParseError, parseExpr, prettyExpr } from '@tyto/syntax';
import { describe, expect, it } from 'vitest';
import { sharedCases, sharedPath } from './shared.ts';

function extracted<T>(name: string): T[] {
  return sharedCases<T>('prometheus', 'extracted', name);
}

function problemOf(query: string): ParseError | undefined {
  try {
    parseExpr(query);
    return undefined;
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
}

interface ParseCase {
  readonly query: string;
  readonly valid: boolean;
  readonly errors?: readonly { msg: string; start: number; end: number }[];
}

const parseCases = extracted<ParseCase>('promql_parse_cases.json');
const printerCases = extracted<{ in: string; out: string }>('promql_printer_cases.json');
const prettierCases = extracted<{ in: string; out: string }>('promql_prettier_cases.json');
const hintCases = extracted<{ query: string }>('promql_select_hints_queries.json');
const seriesCases = [
  ...extracted<{ input: string; valid: boolean }>('promql_series_description_cases.json'),
  ...extracted<{ input: string; valid: boolean }>('promql_histogram_series_cases.json'),
];

describe.skipIf(parseCases.length === 0)('parsing', () => {
  it.each(parseCases)('judges $query', ({ query, valid, errors }) => {
    const problem = problemOf(query);
    if (valid) {
      expect(problem?.message).toBeUndefined();
    } else {
      expect(problem?.reason).toBe(errors?.[0].msg);
      expect(problem?.span.start).toBe(errors?.[0].start);
    }
  });
});

describe.skipIf(printerCases.length === 0)('printing', () => {
  it.each(printerCases)('prints $in', ({ in: text, out }) => {
    expect(formatExpr(parseExpr(text))).toBe(out);
  });

  it.each(prettierCases)('breaks $in into lines', ({ in: text, out }) => {
    // Prometheus' cases were made with lines of 10 characters.
    expect(prettyExpr(parseExpr(text), 10)).toBe(out);
  });

  it.each(hintCases)('prints $query as something that reads the same', ({ query }) => {
    const text = formatExpr(parseExpr(query));
    expect(formatExpr(parseExpr(text))).toBe(text);
  });
});

const scripts = sharedPath('prometheus', 'promqltest');

describe.skipIf(scripts === undefined)('the queries of the scripts', () => {
  const directory = scripts ?? '';
  const files = scripts === undefined ? [] : readdirSync(directory);
  it.each(files.filter((name) => name.endsWith('.test')))('of %s print and parse', (file) => {
    for (const command of parseScript(readFileSync(join(directory, file), 'utf8'))) {
      if (command.kind !== 'eval' || problemOf(command.query) !== undefined) continue;
      const text = formatExpr(parseExpr(command.query));
      expect(formatExpr(parseExpr(text)), command.query).toBe(text);
    }
  });
});

describe.skipIf(seriesCases.length === 0)('series of unit tests', () => {
  it.each(seriesCases)('judges $input', ({ input, valid }) => {
    if (valid) parseSeries(input);
    else expect(() => parseSeries(input)).toThrow();
  });
});

interface AnnotationCase {
  readonly name: string;
  readonly data: string;
  readonly expr: string;
  readonly typeAndUnitLabelsEnabled?: boolean;
  readonly expectedWarningAnnotations: readonly string[];
  readonly expectedInfoAnnotations: readonly string[];
}

const annotationCases = extracted<AnnotationCase>('promql_rate_annotations.json');

describe.skipIf(annotationCases.length === 0)('annotations of rate', () => {
  it.each(annotationCases)('$name', async (given) => {
    const store = new MemoryMetricStore();
    const lines = given.data.split('\n').filter((line) => line.trim() !== '');
    await loadSeries(store, {
      kind: 'load',
      stepMs: 60_000,
      series: lines.map(parseSeries),
      withCustomBuckets: false,
    });
    const typeAndUnitLabels = given.typeAndUnitLabelsEnabled ?? false;
    const engine = new QueryEngine(store, { typeAndUnitLabels });
    const { warnings, infos } = await engine.instant(given.expr, 60_000);
    expect(warnings).toEqual(given.expectedWarningAnnotations);
    expect(infos).toEqual(given.expectedInfoAnnotations);
  });
});
