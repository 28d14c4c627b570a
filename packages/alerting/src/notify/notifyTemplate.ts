/** Notification templates: the defaults, the user's files over them, the strings that use them. */
import { type Clock, formatPlace, TytoError } from '@tyto/base';
import {
  builtins,
  escapeJson,
  executeTemplate,
  fail,
  formatTime,
  GoDuration,
  GoStruct,
  GoTime,
  humanizeDuration,
  isTimeZone,
  parseTemplate,
  parseTime,
  SafeUrl,
  stringFunctions,
  TemplateError,
  type TemplateFunction,
  type TemplateSet,
  textOf,
  toJson,
  type Value,
} from '@tyto/gotemplate';
import { DEFAULT_TEMPLATES } from './defaultTemplates.ts';

/** Items that `append` makes a list of. */
const LIST_LENGTH_MAX = 10_000;

export class NotifyTemplates {
  readonly #set: TemplateSet = new Map();
  readonly #functions: ReadonlyMap<string, TemplateFunction>;
  readonly #names: ReadonlySet<string>;

  /** `files`: names and texts of template files. Throws TytoError `bad_data` naming the file. */
  constructor(files: readonly (readonly [name: string, text: string])[], clock: Clock) {
    this.#functions = new Map(Object.entries(functionsWith(clock)));
    this.#names = new Set(this.#functions.keys());
    for (const text of DEFAULT_TEMPLATES) parseTemplate('', text, this.#names, this.#set);
    for (const [name, text] of files) {
      try {
        parseTemplate(name, text, this.#names, this.#set);
      } catch (error) {
        if (!(error instanceof TemplateError) || error.place === undefined) throw error;
        const place = formatPlace({ ...error.place, file: name });
        throw new TytoError('bad_data', `${place}: ${error.reason}`, { cause: error });
      }
    }
  }

  /** Expands a field of a receiver. Throws TytoError. */
  expand(text: string, data: Value, html = false): string {
    if (!text.includes('{{')) return text;
    return this.#expand(text, data, html, []);
  }

  /** `within`: the labels of the route that are being expanded. */
  #expand(text: string, data: Value, html: boolean, within: readonly string[]): string {
    const set: TemplateSet = new Map(this.#set);
    parseTemplate('', text, this.#names, set);
    const routeLabels: TemplateFunction = (given) => {
      const name = textOf(given);
      if (within.includes(name)) fail(`route label "${name}" needs itself`);
      const template = routeLabel(data, name);
      if (!template.includes('{{')) return template;
      return this.#expand(template, data, false, [...within, name]);
    };
    const functions = {
      get: (name: string) => (name === 'routeLabels' ? routeLabels : this.#functions.get(name)),
    };
    return executeTemplate('', data, {}, { set, functions, html });
  }
}

function functionsWith(clock: Clock): Record<string, TemplateFunction> {
  return {
    ...builtins,
    ...stringFunctions,
    join: (separator, list) => listOf(list).map(textOf).join(textOf(separator)),
    stringSlice: (...texts) => texts.map(textOf),
    list: (...items) => items,
    append: (list, ...items) => bounded([...listOf(list), ...items]),
    dict: (...pairs) => dictOf(pairs),
    title: (text) => titleCase(textOf(text)),
    toJson: (value) => escapeJson(JSON.stringify(toJson(value))),
    safeUrl: (text) => new SafeUrl(textOf(text)),
    urlUnescape: (text) => unescapeUrl(textOf(text)),
    base64encode: (text) => encodeBase64(textOf(text)),
    base64decode: (text) => decodeBase64(textOf(text)),
    humanizeDuration,
    now: () => new GoTime(clock.nowMs()),
    since: (time) => new GoDuration(clock.nowMs() - timeOf(time).ms),
    date: (layout, time) => formatTime(textOf(layout), timeOf(time)),
    toDate: (layout, text) => readTime(textOf(layout), textOf(text)),
    tz: (zone, time) => inZone(textOf(zone), timeOf(time)),
    // Replaced where a template is expanded: it needs the data.
    routeLabels: () => '',
  };
}

/** '' where the route has none of this name. */
function routeLabel(data: Value, name: string): string {
  const labels = data instanceof GoStruct ? data.fields.get('RouteLabels') : undefined;
  const pairs = labels instanceof GoStruct ? labels.underlying : labels;
  const value = pairs instanceof Map ? pairs.get(name) : undefined;
  return typeof value === 'string' ? value : '';
}

/** Each word with a capital and small letters behind it. */
function titleCase(text: string): string {
  return text
    .toLowerCase()
    .replace(/(?<![\p{L}\p{N}_'’])\p{L}/gu, (letter) => letter.toUpperCase());
}

function listOf(value: Value): readonly Value[] {
  return Array.isArray(value) ? (value as readonly Value[]) : fail('expected a list');
}

/** Lists that grow by a copy each time are quadratic. */
function bounded(list: readonly Value[]): readonly Value[] {
  return list.length > LIST_LENGTH_MAX ? fail(`more than ${LIST_LENGTH_MAX} items`) : list;
}

function timeOf(value: Value): GoTime {
  return value instanceof GoTime ? value : fail('expected a time');
}

function readTime(layout: string, text: string): GoTime {
  const ms = parseTime(layout, text);
  return ms === undefined ? fail(`cannot parse "${text}" as "${layout}"`) : new GoTime(ms);
}

function inZone(zone: string, time: GoTime): GoTime {
  return isTimeZone(zone) ? new GoTime(time.ms, zone) : fail(`unknown time zone ${zone}`);
}

function dictOf(pairs: readonly Value[]): Value {
  if (pairs.length % 2 !== 0) return fail('dict wants keys and values in pairs');
  const dict = new Map<string, Value>();
  for (let i = 0; i < pairs.length; i += 2) dict.set(textOf(pairs[i]), pairs[i + 1]);
  return dict;
}

/** With padding, as Go's URLEncoding writes it. */
function encodeBase64(text: string): string {
  return Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

function decodeBase64(text: string): string {
  if (!/^[\w-]*={0,2}$/.test(text) || text.length % 4 !== 0) {
    return fail('illegal base64 data');
  }
  return Buffer.from(text, 'base64url').toString();
}

function unescapeUrl(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return fail(`invalid URL escape in ${text.slice(0, 60)}`);
  }
}
