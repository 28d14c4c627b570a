/** Notification templates: the defaults, the user's files over them, and the strings that use them. */
import { type Clock, formatPlace, TytoError } from '@tyto/base';
import type { TemplateSet } from '../template/ast.ts';
import { builtins } from '../template/builtins.ts';
import { executeTemplate, fail, type TemplateFunction } from '../template/execute.ts';
import { isTimeZone, formatTime } from '../template/goTime.ts';
import { humanizeDuration } from '../template/humanize.ts';
import { TemplateError } from '../template/lexer.ts';
import { parseTemplate } from '../template/parser.ts';
import { stringFunctions, textOf } from '../template/stringFunctions.ts';
import { GoDuration, GoTime, SafeHtml, toJson, type Value } from '../template/values.ts';
import { DEFAULT_TEMPLATES } from './defaultTemplates.ts';

export class NotifyTemplates {
  readonly #set: TemplateSet = new Map();
  readonly #functions: ReadonlyMap<string, TemplateFunction>;
  readonly #names: ReadonlySet<string>;

  /** `files`: names and texts of template files. Throws TytoError `bad_data` naming the file. */
  constructor(files: readonly (readonly [name: string, text: string])[], clock: Clock) {
    this.#functions = new Map(Object.entries(functionsWith(clock)));
    this.#names = new Set(this.#functions.keys());
    parseTemplate('', DEFAULT_TEMPLATES, this.#names, this.#set);
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
    const set: TemplateSet = new Map(this.#set);
    parseTemplate('', text, this.#names, set);
    return executeTemplate('', data, {}, { set, functions: this.#functions, html });
  }
}

function functionsWith(clock: Clock): Record<string, TemplateFunction> {
  return {
    ...builtins,
    ...stringFunctions,
    join: (separator, list) => listOf(list).map(textOf).join(textOf(separator)),
    stringSlice: (...texts) => texts.map(textOf),
    list: (...items) => items,
    append: (list, ...items) => [...listOf(list), ...items],
    dict: (...pairs) => dictOf(pairs),
    toJson: (value) => JSON.stringify(toJson(value)),
    safeUrl: (text) => new SafeHtml(textOf(text)),
    urlUnescape: (text) => unescapeUrl(textOf(text)),
    base64encode: (text) => Buffer.from(textOf(text)).toString('base64url'),
    base64decode: (text) => Buffer.from(textOf(text), 'base64url').toString(),
    humanizeDuration,
    now: () => new GoTime(clock.nowMs()),
    since: (time) => new GoDuration(clock.nowMs() - timeOf(time).ms),
    date: (layout, time) => formatTime(textOf(layout), timeOf(time)),
    tz: (zone, time) => inZone(textOf(zone), timeOf(time)),
    routeLabels: () => '',
  };
}

function listOf(value: Value): readonly Value[] {
  return Array.isArray(value) ? (value as readonly Value[]) : fail('expected a list');
}

function timeOf(value: Value): GoTime {
  return value instanceof GoTime ? value : fail('expected a time');
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

function unescapeUrl(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return fail(`invalid URL escape in ${text.slice(0, 60)}`);
  }
}
