import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TytoError } from '@tyto/base';
import { Labels } from '@tyto/model';
import {
  boundText,
  ClassicConverter,
  ENTRY_END,
  ENTRY_HISTOGRAM,
  ENTRY_SAMPLE,
  ENTRY_TYPE,
  type ExpositionFormat,
  ExpositionParser,
  type ExpositionReader,
  FamilyParser,
  type ProtobufWriter,
} from '@tyto/wire';
import { describe, expect, it, test } from 'vitest';
import { encodeFamilies, type TestFamily, type TestMetric } from './testing.ts';

/**
 * A directory of conformance data: below TYTO_SHARED, or below a directory `shared` beside one of
 * the ancestors of this file; undefined, after saying so, where there is none.
 */
function conformancePath(name: string): string | undefined {
  const roots = process.env.TYTO_SHARED === undefined ? [] : [process.env.TYTO_SHARED];
  for (let at = dirname(fileURLToPath(import.meta.url)); at !== dirname(at); at = dirname(at)) {
    roots.push(join(at, 'shared'));
  }
  for (const root of roots) {
    const path = join(root, 'conformance', name);
    if (existsSync(path)) return path;
  }
  process.stderr.write(`SKIPPED: no conformance data "${name}" found; set TYTO_SHARED\n`);
  return undefined;
}

/** How many samples it has, or why it is refused. */
function parse(bytes: Uint8Array, format: ExpositionFormat): number | string {
  const parser = new ExpositionParser(format);
  parser.start(bytes);
  try {
    for (let count = 0; ; ) {
      const entry = parser.next();
      if (entry === ENTRY_END) return count;
      if (entry === ENTRY_SAMPLE) {
        parser.labels();
        parser.exemplar();
        count++;
      }
    }
  } catch (error) {
    if (error instanceof TytoError) return error.message;
    throw error;
  }
}

/**
 * Refused by the specification, taken by Prometheus' parser and by this one: they break rules
 * about families as a whole, which would cost a look at every sample's name and type.
 */
const FAMILY_RULES = /clashing|counter_values|unallowed|grouping|histograms_|stateset_values/;
const FAMILY_RULES_MORE = /metadata_in_wrong_place|labels_for_a_type|repeated_metadata|unit_[67]/;

const openMetrics = conformancePath('openmetrics');
describe.skipIf(openMetrics === undefined)('the test cases of OpenMetrics', () => {
  const root = openMetrics ?? '';
  const names = existsSync(root) ? readdirSync(root) : [];
  test.each(names)('%s', (name) => {
    const { shouldParse } = JSON.parse(readFileSync(join(root, name, 'test.json'), 'utf8'));
    const result = parse(readFileSync(join(root, name, 'metrics')), 'openmetrics');
    const lenient = FAMILY_RULES.test(name) || FAMILY_RULES_MORE.test(name);
    expect(typeof result, String(result)).toBe(shouldParse || lenient ? 'number' : 'string');
  });
});

const extracted = conformancePath('prometheus/extracted');
describe.skipIf(extracted === undefined)("the cases of Prometheus' parser tests", () => {
  const files: [string, ExpositionFormat][] = [
    ['openmetrics_parse_errors.json', 'openmetrics'],
    ['openmetrics_null_bytes.json', 'openmetrics'],
    ['prom_text_parse_errors.json', 'text'],
    ['prom_text_null_bytes.json', 'text'],
  ];
  test.each(files)('%s', (file, format) => {
    const { cases } = JSON.parse(readFileSync(join(extracted ?? '', file), 'utf8'));
    for (const { input, valid } of cases) {
      const result = parse(new TextEncoder().encode(input), format);
      expect(typeof result, JSON.stringify([input, result])).toBe(valid ? 'number' : 'string');
    }
  });

  test('backfill_openmetrics.json', () => {
    const path = join(extracted ?? '', 'backfill_openmetrics.json');
    for (const { text, ok, description } of JSON.parse(readFileSync(path, 'utf8')).cases) {
      // "sample without timestamp" is refused by the backfilling, not by the parser.
      const result = parse(new TextEncoder().encode(text), 'openmetrics');
      if (ok) expect(typeof result, `${description}: ${result}`).toBe('number');
    }
  });
});

const testdata = conformancePath('prometheus/textparse_testdata');
describe.skipIf(testdata === undefined)("Prometheus' large expositions", () => {
  test.each([
    '1histogram.om.txt',
    'alltypes.237mfs.nometa.prom.txt',
    'alltypes.237mfs.prom.txt',
    'alltypes.5mfs.om.txt',
  ])('%s: as many samples as lines that are no comment', (file) => {
    const bytes = readFileSync(join(testdata ?? '', file));
    const lines = bytes.toString('utf8').split('\n');
    const expected = lines.filter((line) => line !== '' && !line.startsWith('#')).length;
    // The file has no "# EOF", as its benchmark adds one.
    const openEnded = file.includes('.om.') && !lines.includes('# EOF');
    const text = openEnded ? Buffer.concat([bytes, Buffer.from('# EOF\n')]) : bytes;
    expect(parse(text, file.includes('.om.') ? 'openmetrics' : 'text')).toBe(expected);
  });
});

/** What a target that exposes this text would expose in protobuf. */
function toFamilies(bytes: Uint8Array): TestFamily[] {
  const parser = new ExpositionParser('text');
  const families: (TestFamily & { metrics: TestMetric[] })[] = [];
  parser.start(bytes);
  for (let entry = parser.next(); entry !== ENTRY_END; entry = parser.next()) {
    if (entry === ENTRY_TYPE) {
      const type = parser.metadataType();
      const known = type === 'unknown' ? 'untyped' : (type as TestFamily['type']);
      families.push({ name: parser.metadataName(), type: known, metrics: [] });
    }
    const family = families.at(-1);
    if (entry !== ENTRY_SAMPLE || family === undefined) continue;
    const { value } = parser;
    const labels = parser.labels();
    const { __name__: name, le, quantile, ...rest } = labels.toRecord();
    const key = JSON.stringify(rest);
    const fields = parts.get(family)?.get(key) ?? [];
    if (fields.length === 0) {
      family.metrics.push({
        labels: rest,
        write: (writer) => {
          for (const field of fields) field(writer);
        },
      });
    }
    parts.set(family, (parts.get(family) ?? new Map()).set(key, fields));
    if (name.endsWith('_count') && name !== family.name) fields.push((w) => w.int64(1, value));
    else if (name.endsWith('_sum') && name !== family.name) fields.push((w) => w.double(2, value));
    else if (le === undefined && quantile === undefined) fields.push((w) => w.double(1, value));
    else fields.push((w) => writePart(w, le, quantile, value));
  }
  return families;
}

const parts = new Map<TestFamily, Map<string, ((writer: ProtobufWriter) => void)[]>>();

function writePart(
  writer: ProtobufWriter,
  le: string | undefined,
  quantile: string | undefined,
  value: number,
): void {
  const part = writer.begin(3);
  if (le !== undefined) {
    writer.int64(1, value);
    writer.double(2, le === '+Inf' ? Infinity : Number(le));
  } else {
    writer.double(1, Number(quantile));
    writer.double(2, value);
  }
  writer.end(part);
}

function samplesOf(reader: ExpositionReader, bytes: Uint8Array): string[] {
  const samples: string[] = [];
  reader.start(bytes);
  for (let entry = reader.next(); entry !== ENTRY_END; entry = reader.next()) {
    if (entry !== ENTRY_SAMPLE) continue;
    const record = reader.labels().toRecord();
    for (const name of ['le', 'quantile']) {
      if (record[name] === undefined || record[name] === '+Inf') continue;
      record[name] = boundText(Number(record[name]));
    }
    samples.push(`${Labels.of(record)} ${reader.value}`);
  }
  return samples.sort();
}

describe.skipIf(testdata === undefined)("Prometheus' large expositions as protobuf", () => {
  it.each(['alltypes.237mfs.prom.txt'])('%s: the samples are those of the text', (file) => {
    const bytes = readFileSync(join(testdata ?? '', file));
    const options = { readsNative: true, keepsClassic: false, convertsClassic: false };
    const found = samplesOf(new FamilyParser(options), encodeFamilies(toFamilies(bytes)));
    expect(found).toEqual(samplesOf(new ExpositionParser('text'), bytes));
  });

  it('classic histograms become the same native ones in both formats', () => {
    const text = readFileSync(join(testdata ?? '', 'alltypes.237mfs.prom.txt'));
    const reader = new ClassicConverter('text', false);
    const options = { readsNative: false, keepsClassic: false, convertsClassic: true };
    const family = new FamilyParser(options);
    const histograms = [
      histogramsOf(reader, text),
      histogramsOf(family, encodeFamilies(toFamilies(text))),
    ];
    expect(histograms[0].length).toBeGreaterThan(10);
    expect(histograms[0]).toEqual(histograms[1]);
  });
});

function histogramsOf(reader: ExpositionReader, bytes: Uint8Array): string[] {
  const found: string[] = [];
  reader.start(bytes);
  for (let entry = reader.next(); entry !== ENTRY_END; entry = reader.next()) {
    if (entry !== ENTRY_HISTOGRAM) continue;
    found.push(`${reader.labels()} ${JSON.stringify(reader.histogram?.())}`);
  }
  return found.sort();
}
