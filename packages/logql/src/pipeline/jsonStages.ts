/** json and unpack: labels out of lines that are JSON objects. */
import { type LabelExtraction, parseJsonPath } from '@tyto/syntax';
import { must } from '@tyto/base';
import { JsonProblem, JsonScanner, UNCLOSED_OBJECT } from './jsonScanner.ts';
import { KeyNames } from './labelNames.ts';
import type { NeededLabels, Stage } from './stage.ts';
import { PARSED, type WorkingEntry } from './workingEntry.ts';

const JSON_ERROR = 'JSONParserErr';
/** Objects inside objects whose keys become labels; deeper ones are passed. */
const DEPTH_MAX = 100;

/** Characters that were no UTF-8 become spaces, since label values must be. */
export function labelValue(text: string): string {
  return text.includes('\ufffd') ? text.replaceAll('\ufffd', ' ') : text;
}

/** All fields of the object: nested keys are joined by `_`, lists are left out. */
export function jsonStage(needed: NeededLabels): Stage {
  const names = new KeyNames(needed);
  const scanner = new JsonScanner();
  // Labels that are still to be found; once there are none the rest of the line is not looked at.
  let left = 0;
  const object = (entry: WorkingEntry, prefix: string, depth: number): void => {
    scanner.enter('{');
    for (let isFirst = true; left > 0; isFirst = false) {
      const key = scanner.nextKey(isFirst);
      if (key === undefined) return;
      const name = names.nameOf(prefix, key);
      const kind = scanner.kind();
      if (kind === 'object' && depth < DEPTH_MAX && names.mayLead(name)) {
        object(entry, name, depth + 1);
        continue;
      }
      scanner.skip();
      if (kind === 'object' || kind === 'list' || kind === 'null') continue;
      const label = names.labelOf(name, entry);
      if (label === undefined) continue;
      const value = kind === 'string' ? scanner.stringValue() : scanner.rawValue();
      if (needed !== undefined && entry.get(label) === undefined) left--;
      entry.setFound(label, labelValue(value));
    }
  };
  return (entry) => {
    left = needed === undefined ? 1 : missingLabels(entry, needed);
    try {
      scanner.begin(entry.line);
      object(entry, '', 0);
    } catch (error) {
      entry.fail(JSON_ERROR, detailsOf(error));
    }
    return true;
  };
}

function missingLabels(entry: WorkingEntry, needed: ReadonlySet<string>): number {
  let missing = 0;
  for (const name of needed) if (entry.get(name) === undefined) missing++;
  return missing;
}

function detailsOf(error: unknown): string {
  if (error instanceof JsonProblem) return error.message;
  throw error;
}

interface Extraction {
  readonly label: string;
  readonly path: readonly (string | number)[];
}

/** Only the values at some paths; objects and lists as they are written. */
export function jsonPathStage(
  extractions: readonly LabelExtraction[],
  needed: NeededLabels,
): Stage {
  const wanted: Extraction[] = extractions.map(({ label, expression }) => ({
    label,
    path: must(parseJsonPath(expression), 'the parser has checked the path'),
  }));
  const scanner = new JsonScanner();
  return (entry) => {
    if (entry.line === '') return true;
    // What begins as JSON may be broken later; what is found until then counts.
    if (!'"{['.includes(entry.line[0])) {
      entry.fail(JSON_ERROR, '');
      return true;
    }
    for (const { label, path } of wanted) {
      const name = entry.isTaken(label) ? `${label}_extracted` : label;
      if (needed !== undefined && !needed.has(name) && !needed.has(label)) continue;
      const value = valueAt(scanner, entry.line, path);
      if (value !== undefined) entry.set(PARSED, name, labelValue(value));
      else if (entry.get(label) === undefined) entry.set(PARSED, label, '');
    }
    return true;
  };
}

function valueAt(
  scanner: JsonScanner,
  line: string,
  path: readonly (string | number)[],
): string | undefined {
  try {
    scanner.begin(line);
    for (const part of path) {
      if (!(typeof part === 'string' ? goToKey(scanner, part) : goToItem(scanner, part))) {
        return undefined;
      }
    }
    const kind = scanner.kind();
    scanner.skip();
    if (kind === 'null') return '';
    return kind === 'string' ? scanner.stringValue() : scanner.rawValue();
  } catch (error) {
    detailsOf(error);
    return undefined;
  }
}

function goToKey(scanner: JsonScanner, wanted: string): boolean {
  if (scanner.kind() !== 'object') return false;
  scanner.enter('{');
  for (let isFirst = true; ; isFirst = false) {
    const key = scanner.nextKey(isFirst);
    if (key === undefined) return false;
    if (key === wanted) return true;
    scanner.skip();
  }
}

function goToItem(scanner: JsonScanner, wanted: number): boolean {
  if (scanner.kind() !== 'list') return false;
  scanner.enter('[');
  for (let index = 0; scanner.nextItem(index === 0); index++) {
    if (index === wanted) return true;
    scanner.skip();
  }
  return false;
}

/** What Promtail's pack stage made: labels and, as `_entry`, the line. */
export function unpackStage(needed: NeededLabels): Stage {
  const names = new KeyNames(needed);
  const scanner = new JsonScanner();
  return (entry) => {
    if (entry.line === '') return true;
    const found: [string, string][] = [];
    let packed: string | undefined;
    try {
      scanner.begin(entry.line);
      if (scanner.kind() !== 'object') throw new JsonProblem(NO_OBJECT);
      scanner.enter('{');
      for (let isFirst = true; ; isFirst = false) {
        const key = scanner.nextKey(isFirst);
        if (key === undefined) break;
        const isText = scanner.kind() === 'string';
        scanner.skip();
        if (!isText) continue;
        if (key === '_entry') packed = scanner.stringValue();
        else found.push([key, scanner.stringValue()]);
      }
    } catch (error) {
      entry.fail(JSON_ERROR, detailsOf(error) || UNCLOSED_OBJECT);
      return true;
    }
    // Other JSON stays as it is.
    if (packed === undefined) return true;
    for (const [key, value] of found) {
      const label = names.labelOf(names.nameOf('', key), entry);
      if (label !== undefined) entry.setFound(label, labelValue(value));
    }
    entry.line = packed;
    return true;
  };
}

const NO_OBJECT = 'expecting json object(6), but it is not';
