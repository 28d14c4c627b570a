/**
 * `tyto check metrics`: what Prometheus' conventions say of names, units and types, in promtool's
 * words, and how many series each metric has.
 */
import { errorMessage, TytoError } from '@tyto/base';
import { type Labels, METRIC_NAME, type MetricType } from '@tyto/model';
import { ENTRY_END, ENTRY_HELP, ENTRY_SAMPLE, ENTRY_TYPE, ExpositionParser } from '@tyto/wire';
import { complain, print } from '../commands.ts';
import { alignColumns } from '../tsdb/output.ts';

interface Metric {
  readonly labelNames: readonly string[];
  /** Labels without those of a bucket or quantile: what must be there once. */
  readonly key: string;
  sampleCount: number;
}

interface Family {
  readonly name: string;
  type: MetricType;
  hasHelp: boolean;
  isRepeated: boolean;
  readonly metrics: Map<string, Metric>;
  readonly seen: Set<string>;
}

/** Prints findings to standard error, figures to standard output. Returns how many findings. */
export function checkMetrics(input: Uint8Array, isLinted: boolean, isExtended: boolean): number {
  const families = readFamilies(input);
  const findings = isLinted ? families.flatMap(lint).sort() : [];
  for (const finding of findings) complain(finding);
  if (isExtended) printCardinality(families);
  return findings.length;
}

function readFamilies(input: Uint8Array): Family[] {
  const families = new Map<string, Family>();
  const familyOf = (name: string) => {
    let family = families.get(name);
    if (family === undefined) {
      family = {
        name,
        type: 'unknown',
        hasHelp: false,
        isRepeated: false,
        metrics: new Map(),
        seen: new Set(),
      };
      families.set(name, family);
    }
    return family;
  };
  const parser = new ExpositionParser('text');
  try {
    parser.start(input);
    for (let entry = parser.next(); entry !== ENTRY_END; entry = parser.next()) {
      if (entry === ENTRY_SAMPLE) addSample(parser.labels(), families, familyOf);
      else if (entry === ENTRY_TYPE) familyOf(parser.metadataName()).type = parser.metadataType();
      else if (entry === ENTRY_HELP) familyOf(parser.metadataName()).hasHelp = true;
    }
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    throw new TytoError('bad_data', `these are no metrics: ${errorMessage(error)}`);
  }
  return [...families.values()].filter(({ metrics }) => metrics.size > 0);
}

/** The suffixes of a family's samples, by its type, and the label that tells them apart. */
const PARTS: Partial<Record<MetricType, { suffix: RegExp; label: string }>> = {
  histogram: { suffix: /_(?:bucket|sum|count)$/, label: 'le' },
  gaugehistogram: { suffix: /_(?:bucket|sum|count)$/, label: 'le' },
  summary: { suffix: /_(?:sum|count)$/, label: 'quantile' },
};

function addSample(
  labels: Labels,
  families: ReadonlyMap<string, Family>,
  familyOf: (name: string) => Family,
): void {
  const name = labels.metricName;
  const base = families.get(name.replace(/_(?:bucket|sum|count)$/, ''));
  const parts = base === undefined ? undefined : PARTS[base.type];
  const isPart = !families.has(name) && parts?.suffix.test(name) === true;
  const family = base !== undefined && isPart ? base : familyOf(name);
  const own = PARTS[family.type]?.label;
  const names = new Set([METRIC_NAME, ...(own === undefined ? [] : [own])]);
  const metricLabels = labels.without(names);
  const { key } = metricLabels;
  let metric = family.metrics.get(key);
  if (metric === undefined) {
    const labelNames = [...metricLabels.entries()].map(([label]) => label);
    metric = { labelNames, key, sampleCount: 0 };
    family.metrics.set(key, metric);
  }
  metric.sampleCount++;
  family.isRepeated ||= family.seen.has(labels.key);
  family.seen.add(labels.key);
}

const BASE_UNITS: Readonly<Record<string, string>> = {
  amperes: 'amperes',
  bytes: 'bytes',
  celsius: 'celsius',
  grams: 'grams',
  joules: 'joules',
  kelvin: 'kelvin',
  meters: 'meters',
  metres: 'metres',
  moles: 'moles',
  seconds: 'seconds',
  volts: 'volts',
  minutes: 'seconds',
  hours: 'seconds',
  days: 'seconds',
  weeks: 'seconds',
  kelvins: 'kelvin',
  fahrenheit: 'celsius',
  rankine: 'celsius',
  inches: 'meters',
  yards: 'meters',
  miles: 'meters',
  bits: 'bytes',
  calories: 'joules',
  pounds: 'grams',
  ounces: 'grams',
};
const SMALL = 'pico|nano|micro|milli|centi|deci';
const LARGE = 'deca|hecto|kilo|kibi|mega|mibi|giga|gibi|tera|tebi|peta|pebi';
const PREFIX = new RegExp(`^(?:${SMALL}|${LARGE})`);
const ABBREVIATIONS = 's ms us ns sec b kb mb gb tb pb m h d'.split(' ');
const TYPE_NAMES = ['counter', 'gauge', 'summary', 'histogram', 'gauge_histogram'];
const CAMEL_CASE = /[a-z][A-Z]/;

/** `name what is wrong`, a line a finding. */
function lint(family: Family): string[] {
  const { name, type } = family;
  const problems: string[] = [];
  if (!family.hasHelp) problems.push('no help text');
  const unitProblem = nonBaseUnit(name);
  if (unitProblem !== undefined) problems.push(unitProblem);
  const isTotal = name.endsWith('_total');
  if (type === 'counter' && !isTotal) {
    problems.push('counter metrics should have "_total" suffix');
  }
  if (type !== 'unknown') {
    if (type !== 'counter' && isTotal) {
      problems.push('non-counter metrics should not have "_total" suffix');
    }
    problems.push(...reservedWords(family));
  }
  const words = `${name.toLowerCase()}_`;
  for (const typeName of TYPE_NAMES) {
    if (!words.includes(`_${typeName}_`)) continue;
    problems.push(`metric name should not include type '${typeName}'`);
  }
  if (name.includes(':')) problems.push("metric names should not contain ':'");
  const style = "should be written in 'snake_case' not 'camelCase'";
  if (CAMEL_CASE.test(name)) problems.push(`metric names ${style}`);
  for (const { labelNames } of family.metrics.values()) {
    for (const label of labelNames) {
      if (CAMEL_CASE.test(label)) problems.push(`label names ${style}`);
    }
  }
  for (const unit of ABBREVIATIONS) {
    if (!words.includes(`_${unit}_`)) continue;
    problems.push('metric names should not contain abbreviated units');
  }
  if (family.isRepeated) problems.push('metric not unique');
  return problems.map((problem) => `${name} ${problem}`);
}

function nonBaseUnit(name: string): string | undefined {
  for (const word of name.split('_')) {
    const plain = word.replace(PREFIX, '');
    const given = Object.hasOwn(BASE_UNITS, word) ? word : plain;
    if (!Object.hasOwn(BASE_UNITS, given)) continue;
    const base = BASE_UNITS[given];
    return base === word ? undefined : `use base unit "${base}" instead of "${word}"`;
  }
  return undefined;
}

/** Suffixes and labels that belong to histograms and summaries. */
function reservedWords({ name, type, metrics }: Family): string[] {
  const problems: string[] = [];
  const isHistogram = type === 'histogram' || type === 'gaugehistogram';
  const isSummary = type === 'summary';
  if (!isHistogram && name.endsWith('_bucket')) {
    problems.push('non-histogram metrics should not have "_bucket" suffix');
  }
  for (const suffix of ['_count', '_sum']) {
    if (isHistogram || isSummary || !name.endsWith(suffix)) continue;
    problems.push(`non-histogram and non-summary metrics should not have "${suffix}" suffix`);
  }
  for (const { labelNames } of metrics.values()) {
    if (!isHistogram && labelNames.includes('le')) {
      problems.push('non-histogram metrics should not have "le" label');
    }
    if (!isSummary && labelNames.includes('quantile')) {
      problems.push('non-summary metrics should not have "quantile" label');
    }
  }
  return problems;
}

function printCardinality(families: readonly Family[]): void {
  const figures = families.map((family) => ({
    name: family.name,
    count: [...family.metrics.values()].reduce((sum, metric) => sum + metric.sampleCount, 0),
  }));
  const total = figures.reduce((sum, { count }) => sum + count, 0);
  figures.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  const rows = figures.map(({ name, count }) => [
    name,
    String(count),
    `${((100 * count) / total).toFixed(2)}%`,
  ]);
  const lines = [
    ['Metric', 'Cardinality', 'Percentage'],
    ...rows,
    ['Total', String(total), '100%'],
  ];
  for (const line of alignColumns(lines)) print(line);
}
