/**
 * Templates in the labels and annotations of alerting rules, with Prometheus' functions and
 * variables. Specification: Prometheus' template reference.
 */
import { errorMessage, parseDuration, TytoError } from '@tyto/base';
import type { FloatHistogram, InstantQuery, Labels, VectorSample } from '@tyto/model';
import {
  builtins,
  executeTemplate,
  fail,
  GoStruct,
  humanize,
  humanize1024,
  humanizeDuration,
  humanizePercentage,
  humanizeTimestamp,
  parseTemplate,
  SafeHtml,
  stringFunctions,
  type TemplateFunction,
  type TemplateFunctions,
  type TemplateSet,
  textOf,
  toDuration,
  toTime,
  type Value,
} from '@tyto/gotemplate';
import { histogramText } from './histogramText.ts';

export interface RuleTemplateData {
  readonly labels: Labels;
  readonly value: number;
  /** What stands for the value where it is a native histogram. */
  readonly histogram?: FloatHistogram | undefined;
  readonly externalLabels: Labels;
  readonly externalUrl: string;
  readonly timeMs: number;
}

/** Queries that one template may ask; each is a query of the engine. */
const QUERIES_MAX = 20;

/** Thrown by `query` while its answer is not there yet. */
class Suspension {
  readonly expression: string;
  constructor(expression: string) {
    this.expression = expression;
  }
}

const PREAMBLE =
  '{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}';

/** Throws TytoError `bad_data` when the text does not parse as a template. */
export function checkRuleTemplate(text: string): void {
  if (text.includes('{{')) parseTemplate('', PREAMBLE + text, RULE_TEMPLATE_FUNCTIONS, new Map());
}

/** Expands a template. Rejects with TytoError: `bad_data` to parse, `execution` to run. */
export async function expandRuleTemplate(
  text: string,
  data: RuleTemplateData,
  query: InstantQuery,
): Promise<string> {
  if (!text.includes('{{')) return text;
  const set = parsed(text);
  const answers = new Map<string, Value>();
  const functions = functionsFor(data, answers, set);
  const dot = new GoStruct({
    Labels: new Map(data.labels.entries()),
    ExternalLabels: new Map(data.externalLabels.entries()),
    ExternalURL: data.externalUrl,
    Value: templateValue(data),
  });
  for (;;) {
    try {
      return executeTemplate('', dot, {}, { set, functions, html: false });
    } catch (error) {
      if (!(error instanceof Suspension)) throw error;
      if (answers.size >= QUERIES_MAX) fail(`a template may ask ${QUERIES_MAX} queries at most`);
      answers.set(error.expression, await ask(query, error.expression, data.timeMs));
    }
  }
}

/** Parsed templates; there are as many as rules have, and each is expanded for every alert. */
const PARSED_MAX = 2000;
const parsedTemplates = new Map<string, TemplateSet>();

/** Nobody changes what is returned. */
function parsed(text: string): TemplateSet {
  let set = parsedTemplates.get(text);
  if (set === undefined) {
    set = new Map();
    parseTemplate('', PREAMBLE + text, RULE_TEMPLATE_FUNCTIONS, set);
    if (parsedTemplates.size >= PARSED_MAX) parsedTemplates.clear();
    parsedTemplates.set(text, set);
  }
  return set;
}

async function ask(query: InstantQuery, expression: string, timeMs: number): Promise<Value> {
  try {
    const { value } = await query(expression, timeMs);
    if (value.type === 'vector') return value.samples.map(sampleValue);
    if (value.type === 'scalar') {
      return [new GoStruct({ Labels: new Map<string, Value>(), Value: value.value })];
    }
    return fail('a template cannot use a range vector');
  } catch (error) {
    const message = `error executing template: query "${expression}": ${errorMessage(error)}`;
    throw new TytoError('execution', message, { cause: error });
  }
}

function sampleValue(sample: VectorSample): GoStruct {
  return new GoStruct({ Labels: new Map(sample.labels.entries()), Value: templateValue(sample) });
}

function templateValue({ value, histogram }: Pick<VectorSample, 'value' | 'histogram'>): Value {
  return histogram === undefined
    ? value
    : new GoStruct({}, {}, { underlying: histogramText(histogram) });
}

/** What needs nothing of the alert. */
const PURE_FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map(
  Object.entries<TemplateFunction>({
    ...builtins,
    ...stringFunctions,
    first: (samples) => firstOf(samples),
    label: (name, sample) => labelOf(sample, textOf(name)),
    value: (sample) => structOf(sample).fields.get('Value'),
    strvalue: (sample) => labelOf(sample, '__value__'),
    sortByLabel: (name, samples) => sortByLabel(textOf(name), samples),
    args: (...args) => new Map(args.map((arg, i) => [`arg${i}`, arg] as const)),
    graphLink: (expression) => graphPath(textOf(expression), 0),
    tableLink: (expression) => graphPath(textOf(expression), 1),
    stripPort: (text) => stripPort(textOf(text)),
    stripDomain: (text) => stripDomain(textOf(text)),
    humanize,
    humanize1024,
    humanizeDuration,
    humanizePercentage,
    humanizeTimestamp,
    toTime,
    toDuration,
    parseDuration: (text) => {
      const ms = parseDuration(textOf(text));
      return ms === undefined ? fail(`not a valid duration string: "${textOf(text)}"`) : ms / 1000;
    },
    urlQueryEscape: (text) => queryEscape(textOf(text)),
  }),
);

const OWN_NAMES = ['query', 'tmpl', 'now', 'pathPrefix', 'externalURL'];

/** The functions that templates of rules may call. */
export const RULE_TEMPLATE_FUNCTIONS: ReadonlySet<string> = new Set([
  ...PURE_FUNCTIONS.keys(),
  ...OWN_NAMES,
]);

function functionsFor(
  data: RuleTemplateData,
  answers: ReadonlyMap<string, Value>,
  set: TemplateSet,
): TemplateFunctions {
  const own: Readonly<Record<string, TemplateFunction>> = {
    query: (expression) => {
      const text = textOf(expression);
      if (!answers.has(text)) throw new Suspension(text);
      return answers.get(text);
    },
    tmpl: (name, argument) =>
      new SafeHtml(executeTemplate(textOf(name), argument, {}, { set, functions, html: false })),
    now: () => data.timeMs / 1000,
    pathPrefix: () => pathOf(data.externalUrl),
    externalURL: () => data.externalUrl,
  };
  const functions = {
    get: (name: string) =>
      PURE_FUNCTIONS.get(name) ?? (Object.hasOwn(own, name) ? own[name] : undefined),
  };
  return functions;
}

/** The path of the graph (tab 0) or the table (tab 1) of an expression, as Prometheus links it. */
export function graphPath(expression: string, tab: 0 | 1): string {
  return `/graph?g0.expr=${queryEscape(expression)}&g0.tab=${tab}`;
}

export function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

function firstOf(samples: Value): Value {
  if (!Array.isArray(samples) || samples.length === 0) {
    return fail('first() called on vector with no elements');
  }
  return samples[0] as Value;
}

function structOf(sample: Value): GoStruct {
  return sample instanceof GoStruct ? sample : fail('expected a sample');
}

function labelOf(sample: Value, name: string): string {
  const labels = structOf(sample).fields.get('Labels');
  const value = labels instanceof Map ? labels.get(name) : undefined;
  return typeof value === 'string' ? value : '';
}

function sortByLabel(name: string, samples: Value): Value {
  if (!Array.isArray(samples)) return fail('sortByLabel wants a list of samples');
  const list = samples as Value[];
  return [...list].sort((a, b) => {
    const [left, right] = [labelOf(a, name), labelOf(b, name)];
    return left < right ? -1 : left > right ? 1 : 0;
  });
}

function stripPort(text: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d*)?$/.exec(text);
  if (bracketed !== null) return text.includes(']:') ? bracketed[1] : text;
  return /^[^:]*:[^:]*$/.test(text) ? text.slice(0, text.indexOf(':')) : text;
}

function stripDomain(text: string): string {
  const match = /^(.*?)(:\d+)?$/s.exec(text);
  const host = match?.[1] ?? text;
  if (/^[\d.]+$/.test(host) || host.includes(':') || host.startsWith('[')) return text;
  return host.split('.')[0] + (match?.[2] ?? '');
}

function pathOf(url: string): string {
  try {
    return new URL(url).pathname.replace(/\/$/, '');
  } catch {
    return '';
  }
}
