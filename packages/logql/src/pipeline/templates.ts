/** The templates of line_format and label_format, compiled once for all entries of a query. */
import { type Clock, errorMessage, TytoError } from '@tyto/base';
import {
  builtins,
  executeTemplate,
  fail,
  GoTime,
  logFunctions,
  parseTemplate,
  type Pipe,
  type TemplateFunction,
  type TemplateNode,
  type TemplateSet,
  textOf,
} from '@tyto/gotemplate';
import { parseBytes, parseGoDuration } from '@tyto/syntax';
import type { WorkingEntry } from './workingEntry.ts';

export interface EntryTemplate {
  /** Throws TytoError `execution`. */
  readonly run: (entry: WorkingEntry, labels: ReadonlyMap<string, string>) => string;
  /** The labels that it asks for; undefined where it may be any. */
  readonly fields: readonly string[] | undefined;
}

const seconds: TemplateFunction = (text) => {
  const nanoseconds = parseGoDuration(textOf(text));
  if (nanoseconds === undefined) return fail(`time: invalid duration ${JSON.stringify(text)}`);
  return nanoseconds / 1e9;
};

const common: Readonly<Record<string, TemplateFunction>> = {
  ...builtins,
  ...logFunctions,
  duration: seconds,
  duration_seconds: seconds,
  bytes: (text) => parseBytes(textOf(text)) ?? fail(`unhandled size name: ${textOf(text)}`),
};

/** `what` is told in problems: `line template`. Throws TytoError `bad_data`. */
export function compileTemplate(source: string, what: string, clock: Clock): EntryTemplate {
  let current: WorkingEntry | undefined;
  const functions = new Map<string, TemplateFunction>(Object.entries(common));
  functions.set('now', () => new GoTime(clock.nowMs()));
  functions.set('__line__', () => current?.line ?? '');
  functions.set('__timestamp__', () => goTime(current?.timestampNs ?? 0n));
  const set: TemplateSet = new Map();
  try {
    parseTemplate('', source, new Set(functions.keys()), set);
  } catch (error) {
    throw new TytoError('bad_data', `invalid ${what}: ${errorMessage(error)}`, { cause: error });
  }
  const nodes = [...set.values()].flat();
  const plain = set.size === 1 ? plainParts(nodes) : undefined;
  const fields = fieldsOf(nodes);
  if (plain !== undefined) return { run: (_entry, labels) => joined(plain, labels), fields };
  const options = { set, functions, html: false };
  return {
    fields,
    run: (entry, labels) => {
      current = entry;
      return executeTemplate('', labels, {}, options);
    },
  };
}

function goTime(timestampNs: bigint): GoTime {
  const ms = timestampNs / 1_000_000n;
  return new GoTime(Number(ms), 'UTC', Number(timestampNs - ms * 1_000_000n));
}

/** A text, or the name of a label. */
type PlainPart = { readonly text: string } | { readonly label: string };

/** The parts of a template that only puts labels between texts; undefined of any other. */
function plainParts(nodes: readonly TemplateNode[]): PlainPart[] | undefined {
  const parts: PlainPart[] = [];
  for (const node of nodes) {
    if (node.kind === 'text') {
      parts.push({ text: node.text });
      continue;
    }
    const label = node.kind === 'action' ? plainLabel(node.pipe) : undefined;
    if (label === undefined) return undefined;
    parts.push({ label });
  }
  return parts;
}

function plainLabel({ variables, commands }: Pipe): string | undefined {
  if (variables.length > 0 || commands.length !== 1) return undefined;
  const [operand, ...more] = commands[0].operands;
  if (more.length > 0 || operand.kind !== 'fields' || operand.names.length !== 1) return undefined;
  return operand.base.kind === 'dot' ? operand.names[0] : undefined;
}

function joined(parts: readonly PlainPart[], labels: ReadonlyMap<string, string>): string {
  let out = '';
  for (const part of parts) out += 'text' in part ? part.text : (labels.get(part.label) ?? '');
  return out;
}

/** The labels that nodes name; undefined where the dot itself goes somewhere. */
function fieldsOf(nodes: readonly TemplateNode[]): string[] | undefined {
  const text = JSON.stringify(nodes);
  const fields: string[] = [];
  // Every field has its base beside its names; a bare dot has nothing beside it.
  const bare = text.replace(
    /"kind":"fields","base":\{"kind":"(?:dot|variable","name":"\$)"\},"names":\["([^"\\]*)"/g,
    (_all, name: string) => {
      fields.push(name);
      return '';
    },
  );
  return /"kind":"(?:dot|fields|variable|template)"/.test(bare) ? undefined : fields;
}
