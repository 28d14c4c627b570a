/**
 * YAML documents decoded against a schema, with a place for every complaint.
 *
 * A schema is a function from a node to a value; it reports what it dislikes to the decoder and
 * goes on, so that one reading shows every mistake of a file. `decodeYaml` gives the value and the
 * problems; the value must not be used when one of them is an error.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from 'yaml';
import type { Node, YAMLMap } from 'yaml';
import { parseDuration } from './duration.ts';
import { errorMessage, formatPlace, type Place, TytoError } from './errors.ts';
import { nearestName } from './nearest.ts';

export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly place: Place;
  /** What is wrong and, where it can be told, what to write instead. */
  readonly message: string;
}

export interface Decoded<T> {
  /** Undefined when the text is no YAML at all. */
  readonly value: T | undefined;
  readonly problems: readonly Problem[];
}

export interface Decoder {
  place(node: YamlNode): Place;
  error(node: YamlNode, message: string): void;
  warn(node: YamlNode, message: string): void;
}

export type YamlNode = Node | null;

/** Decodes a node; reports problems to the decoder and returns some value of the type anyway. */
export type Schema<T> = (node: YamlNode, decoder: Decoder) => T;

/** A field of an object: its schema and what stands for it when it is absent. */
export interface Field<T> {
  readonly schema: Schema<T>;
  readonly required: boolean;
  readonly fallback: () => T;
}

const TEXT_LENGTH_MAX = 16 * 1024 * 1024;
/** Each alias costs a walk of the document; more than these are an attack, not a file. */
const ALIAS_COUNT_MAX = 500;

/** Decodes the first YAML document. An empty text is decoded as an absent node. */
export function decodeYaml<T>(text: string, file: string, schema: Schema<T>): Decoded<T> {
  const problems: Problem[] = [];
  if (text.length > TEXT_LENGTH_MAX) {
    const message = `the file is larger than ${TEXT_LENGTH_MAX} characters`;
    return { value: undefined, problems: [problemAt('error', file, 1, 1, message)] };
  }
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    // Prometheus' files are YAML 1.1 in one respect that matters: `yes`/`no` stay strings there.
    version: '1.2',
  });
  const list = Array.isArray(documents) ? documents : [];
  for (const document of list) {
    for (const error of document.errors) {
      const { line, col } = lines.linePos(error.pos[0]);
      problems.push(problemAt('error', file, line, col, `YAML: ${error.message}`));
    }
  }
  if (list.length > 1) {
    const { line, col } = lines.linePos(list[1].range[0]);
    const message = 'only the first YAML document of a file is read; this one is not used';
    problems.push(problemAt('warning', file, line, col, message));
  }
  if (hasErrors(problems)) return { value: undefined, problems };
  const root = list[0]?.contents ?? null;
  let aliasCount = 0;
  const resolve = (node: YamlNode): YamlNode => {
    if (!isAlias(node)) return node;
    if (++aliasCount > ALIAS_COUNT_MAX) {
      throw new TytoError('bad_data', `more than ${ALIAS_COUNT_MAX} aliases in one file`);
    }
    return (node.resolve(list[0]) ?? null) as YamlNode;
  };
  const decoder: Decoder & { resolve(node: YamlNode): YamlNode } = {
    resolve,
    place(node) {
      const { line, col } = lines.linePos(node?.range?.[0] ?? root?.range?.[0] ?? 0);
      return { file, line: Math.max(1, line), column: Math.max(1, col) };
    },
    error(node, message) {
      problems.push({ severity: 'error', place: this.place(node), message });
    },
    warn(node, message) {
      problems.push({ severity: 'warning', place: this.place(node), message });
    },
  };
  try {
    return { value: schema(root, decoder), problems };
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    problems.push(problemAt('error', file, 1, 1, errorMessage(error)));
    return { value: undefined, problems };
  }
}

/** `file:line:column: message`, one problem a line, errors first. */
export function formatProblems(problems: readonly Problem[]): string {
  const errors = problems.filter((problem) => problem.severity === 'error');
  const warnings = problems.filter((problem) => problem.severity === 'warning');
  const line = (problem: Problem) => {
    const label = problem.severity === 'warning' ? 'warning: ' : '';
    return `${formatPlace(problem.place)}: ${label}${problem.message}`;
  };
  return [...errors, ...warnings].map(line).join('\n');
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === 'error');
}

/** Any scalar as text, as Go's YAML reader gives it to a string field (`5` is "5"). */
export const string: Schema<string> = (given, decoder) => {
  const node = resolved(given, decoder);
  if (node === null) return '';
  if (isScalar(node)) {
    if (node.value === null) return '';
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  }
  decoder.error(node, `expected a string, found ${kindOf(node)}`);
  return '';
};

export const boolean: Schema<boolean> = (given, decoder) => {
  const node = resolved(given, decoder);
  if (isScalar(node)) {
    if (typeof node.value === 'boolean') return node.value;
    if (/^(yes|on)$/i.test(String(node.value))) return true;
    if (/^(no|off)$/i.test(String(node.value))) return false;
  }
  decoder.error(node, `expected true or false, found ${kindOf(node)}`);
  return false;
};

/** A number within [min, max]. */
export function number(min = -Infinity, max = Infinity): Schema<number> {
  return (given, decoder) => {
    const node = resolved(given, decoder);
    const value = isScalar(node) && node.value !== '' ? Number(node.value) : Number.NaN;
    if (Number.isNaN(value) || (isScalar(node) && node.value === null)) {
      decoder.error(node, `expected a number, found ${kindOf(node)}`);
      return 0;
    }
    if (value < min || value > max) {
      decoder.error(node, `${value} is out of range: it must be between ${min} and ${max}`);
    }
    return value;
  };
}

/** A whole number within [min, max]. */
export function integer(min = 0, max = Number.MAX_SAFE_INTEGER): Schema<number> {
  const decodeNumber = number(min, max);
  return (node, decoder) => {
    const value = decodeNumber(node, decoder);
    if (!Number.isInteger(value)) decoder.error(node, `expected a whole number, found ${value}`);
    return value;
  };
}

/** A duration such as `1m30s`, in milliseconds. */
export const duration: Schema<number> = (given, decoder) => {
  const text = string(given, decoder);
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  decoder.error(given, `not a valid duration: "${text}"; write for example 30s, 5m or 1h30m`);
  return 0;
};

/** A byte size such as `10MB` or `512KiB` (both with base 1024, as in Prometheus); bare is bytes. */
export const byteSize: Schema<number> = (given, decoder) => {
  const text = string(given, decoder);
  const match = /^(\d+(?:\.\d+)?)\s*([KMGTPE]?)(i?B|B)?$/i.exec(text.trim());
  if (match === null) {
    decoder.error(given, `not a valid size: "${text}"; write for example 512KB, 10MB or 50GB`);
    return 0;
  }
  return Math.floor(Number(match[1]) * 1024 ** ' KMGTPE'.indexOf(match[2].toUpperCase() || ' '));
};

/** One of a few words; a mistyped one is answered with the nearest. */
export function oneOf<const T extends string>(words: readonly T[]): Schema<T> {
  return (given, decoder) => {
    const text = string(given, decoder);
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    const nearest = nearestName(text, words);
    const hint = nearest === undefined ? `one of ${words.join(', ')}` : `"${nearest}"`;
    decoder.error(given, `unknown value "${text}"; did you mean ${hint}?`);
    return words[0];
  };
}

/** A list; an absent or null one is empty. */
export function list<T>(item: Schema<T>): Schema<T[]> {
  return (given, decoder) => {
    const node = resolved(given, decoder);
    if (node === null || isNullScalar(node)) return [];
    if (isSeq(node)) return node.items.map((child) => item(child as YamlNode, decoder));
    decoder.error(node, `expected a list (lines that start with "- "), found ${kindOf(node)}`);
    return [];
  };
}

/** A list, or a single item that stands for a list of one. */
export function listOrOne<T>(item: Schema<T>): Schema<T[]> {
  const many = list(item);
  return (given, decoder) => {
    const node = resolved(given, decoder);
    const single = isScalar(node) && !isNullScalar(node);
    return single ? [item(node, decoder)] : many(node, decoder);
  };
}

/** A mapping with keys of the user's choice, in file order. */
export function record<T>(value: Schema<T>, checkKey?: Schema<string>): Schema<Record<string, T>> {
  return (given, decoder) => {
    const out: Record<string, T> = Object.create(null);
    for (const entry of entriesOf(mapping(given, decoder), decoder).values()) {
      const key = (checkKey ?? string)(entry.key, decoder);
      out[key] = value(entry.value, decoder);
    }
    return out;
  };
}

/** A field that may be left out, or be null. */
export function optional<T>(schema: Schema<T>): Field<T | undefined>;
export function optional<T>(schema: Schema<T>, fallback: T | (() => T)): Field<T>;
export function optional<T>(schema: Schema<T>, fallback?: T | (() => T)): Field<T | undefined> {
  const make = typeof fallback === 'function' ? (fallback as () => T) : () => fallback;
  return { schema, required: false, fallback: make };
}

/** A field without which the object means nothing. */
export function required<T>(schema: Schema<T>, fallback?: T): Field<T> {
  return { schema, required: true, fallback: () => fallback as T };
}

type Fields = Readonly<Record<string, Field<unknown>>>;
export type ObjectOf<F extends Fields> = {
  -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

export interface ObjectOptions {
  /** What the object is called in messages, such as `scrape config`. */
  readonly name: string;
  /** Fields of later versions or other tools: accepted with this warning, and not used. */
  readonly ignored?: Readonly<Record<string, string>>;
}

/** An object with known fields. An unknown one is refused with the nearest known name. */
export function object<F extends Fields>(fields: F, options: ObjectOptions): Schema<ObjectOf<F>> {
  const known = Object.keys(fields);
  return (given, decoder) => {
    const entries = entriesOf(mapping(given, decoder), decoder);
    const out: Record<string, unknown> = {};
    for (const name of known) {
      const field = fields[name];
      const child = entries.get(name)?.value ?? null;
      const absent = child === null || isNullScalar(child);
      out[name] = absent ? field.fallback() : field.schema(child, decoder);
      if (absent && field.required) {
        decoder.error(given, `${options.name}: the field "${name}" is missing`);
        out[name] ??= field.schema(null, silent(decoder));
      }
    }
    for (const { key } of entries.values()) reportUnknown(key, known, options, decoder);
    return out as ObjectOf<F>;
  };
}

/** Runs `check` on what `schema` decoded, for rules across fields. */
export function checked<T>(
  schema: Schema<T>,
  check: (value: T, node: YamlNode, decoder: Decoder) => void,
): Schema<T> {
  return (node, decoder) => {
    const value = schema(node, decoder);
    check(value, node, decoder);
    return value;
  };
}

/** The same schema, for files that other tools write fields of their own into. */
export function withoutUnknown<T>(schema: Schema<T>): Schema<T> {
  return (node, decoder) => schema(node, { ...decoder, passesUnknown: true } as Decoder);
}

/** Turns what `schema` decoded into something else; a TytoError becomes a problem at the node. */
export function mapped<T, U>(
  schema: Schema<T>,
  convert: (value: T) => U,
  fallback: () => U,
): Schema<U> {
  return (node, decoder) => {
    const value = schema(node, decoder);
    try {
      return convert(value);
    } catch (error) {
      if (!(error instanceof TytoError)) throw error;
      decoder.error(node, error.message);
      return fallback();
    }
  };
}

/** The child node of a mapping, for messages that point at a field. */
export function childNode(node: YamlNode, name: string): YamlNode {
  return isMap(node) ? ((node.get(name, true) ?? node) as YamlNode) : node;
}

/** The child node of a list, for messages that point at an item. */
export function itemNode(node: YamlNode, index: number): YamlNode {
  return isSeq(node) ? ((node.items[index] ?? node) as YamlNode) : node;
}

/** The names that a mapping writes; undefined for what is no mapping. */
export function keysOf(node: YamlNode): string[] | undefined {
  if (!isMap(node)) return undefined;
  return node.items.map(({ key }) => (isScalar(key) ? String(key.value) : ''));
}

/** Whether a mapping writes this field, whatever its value. */
export function writesField(node: YamlNode, name: string): boolean {
  return isMap(node) && node.has(name);
}

function reportUnknown(
  key: YamlNode,
  known: readonly string[],
  options: ObjectOptions,
  decoder: Decoder,
): void {
  const name = string(key, decoder);
  if (known.includes(name) || 'passesUnknown' in decoder) return;
  const ignored = options.ignored?.[name];
  if (ignored !== undefined) {
    decoder.warn(key, `${options.name}: the field "${name}" is accepted but not used: ${ignored}`);
    return;
  }
  const nearest = nearestName(name, known);
  const hint =
    nearest === undefined ? `known are ${known.join(', ')}` : `did you mean "${nearest}"?`;
  decoder.error(key, `${options.name}: unknown field "${name}"; ${hint}`);
}

function mapping(given: YamlNode, decoder: Decoder): YAMLMap | undefined {
  const node = resolved(given, decoder);
  if (node === null || isNullScalar(node)) return undefined;
  if (isMap(node)) return node;
  decoder.error(node, `expected "name: value" lines, found ${kindOf(node)}`);
  return undefined;
}

interface MappingEntry {
  readonly key: YamlNode;
  readonly value: YamlNode;
}

/** Merges that may lead on to merges; more is an attack, not a file. */
const MERGE_DEPTH_MAX = 20;

/** What a mapping says, by name; `<<` brings in what it does not say itself. */
function entriesOf(
  node: YAMLMap | undefined,
  decoder: Decoder,
  depth = 0,
): Map<string, MappingEntry> {
  const entries = new Map<string, MappingEntry>();
  const merged: YamlNode[] = [];
  for (const pair of node?.items ?? []) {
    const key = pair.key as YamlNode;
    const value = (pair.value ?? null) as YamlNode;
    if (isScalar(key) && key.source === '<<') merged.push(value);
    else entries.set(string(key, silent(decoder)), { key, value });
  }
  for (const given of merged) {
    const source = resolved(given, decoder);
    const maps = isSeq(source) ? source.items.map((item) => item as YamlNode) : [source];
    for (const map of maps) {
      const target = resolved(map, decoder);
      if (!isMap(target) || depth >= MERGE_DEPTH_MAX) {
        decoder.error(given, 'expected a mapping, or a list of mappings, behind "<<"');
        continue;
      }
      for (const [name, entry] of entriesOf(target, decoder, depth + 1)) {
        if (!entries.has(name)) entries.set(name, entry);
      }
    }
  }
  return entries;
}

function resolved(node: YamlNode, decoder: Decoder): YamlNode {
  return 'resolve' in decoder && typeof decoder.resolve === 'function'
    ? decoder.resolve(node)
    : node;
}

function isNullScalar(node: YamlNode): boolean {
  return isScalar(node) && node.value === null;
}

function silent(decoder: Decoder): Decoder {
  return { ...decoder, place: (node) => decoder.place(node), error() {}, warn() {} };
}

function kindOf(node: YamlNode): string {
  if (node === null) return 'nothing';
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  if (isScalar(node) && node.value === null) return 'nothing';
  return isScalar(node) ? `"${node.source ?? String(node.value)}"` : 'something else';
}

function problemAt(
  severity: Problem['severity'],
  file: string,
  line: number,
  column: number,
  message: string,
): Problem {
  return {
    severity,
    place: { file, line: Math.max(1, line), column: Math.max(1, column) },
    message,
  };
}
