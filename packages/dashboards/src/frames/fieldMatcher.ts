/** Which fields an override or a transformation is for. */
import { compileSearch, TytoError } from '@tyto/base';
import { recordOf, textOf, textsOf } from '../json.ts';
import type { Matcher } from '../model.ts';
import { type Field, type Frame, nameOf } from './frame.ts';
import { reduceValues } from './reduce.ts';

export type FieldTest = (field: Field, frame: Frame, all: readonly Frame[]) => boolean;

/** A matcher that is not known matches nothing. */
export function fieldTest({ id, options }: Matcher): FieldTest {
  switch (id) {
    case 'byName': {
      const name = textOf(options);
      return (field, frame, all) => nameOf(field, frame, all) === name || field.name === name;
    }
    case 'byNames': {
      const { names, mode } = recordOf(options);
      const wanted = new Set(textsOf(names ?? options));
      return (field, frame, all) =>
        (wanted.has(nameOf(field, frame, all)) || wanted.has(field.name)) !== (mode === 'exclude');
    }
    case 'byRegexp': {
      const matches = textTest(textOf(options));
      return (field, frame, all) => matches(nameOf(field, frame, all));
    }
    case 'byRegexpOrNames': {
      const { pattern, names } = recordOf(options);
      const wanted = new Set(textsOf(names));
      const matches = textOf(pattern) === '' ? () => false : textTest(textOf(pattern));
      return (field, frame, all) => {
        const name = nameOf(field, frame, all);
        return wanted.has(name) || matches(name);
      };
    }
    case 'byType':
      return (field) => field.type === options;
    case 'byTypes': {
      const types = new Set(textsOf(options));
      return (field) => types.has(field.type);
    }
    case 'numeric':
      return (field) => field.type === 'number';
    case 'time':
      return (field) => field.type === 'time';
    case 'first':
      return (field, frame) => frame.fields[0] === field;
    case 'firstTimeField':
      return (field, frame) => frame.fields.find(({ type }) => type === 'time') === field;
    case 'byFrameRefID':
      return (_, frame) => frame.refId === textOf(options);
    case 'byValue':
      return valueTest(recordOf(options));
    default:
      return () => false;
  }
}

/** `/pattern/flags`, or a pattern, anywhere in a text. One that does not parse matches nothing. */
export function textTest(text: string): (candidate: string) => boolean {
  const slashed = /^\/([\s\S]*)\/([a-z]*)$/.exec(text);
  const flags = (slashed?.[2] ?? '').replace(/[^ims]/g, '');
  const pattern = slashed === null ? text : slashed[1];
  try {
    const program = compileSearch(flags === '' ? pattern : `(?${flags})${pattern}`);
    return (candidate) => program.matcher(candidate).find();
  } catch (error) {
    if (error instanceof TytoError) return () => false;
    throw error;
  }
}

function valueTest({ reducer, op, value }: Readonly<Record<string, unknown>>): FieldTest {
  const limit = Number(value ?? 0);
  const id = textOf(reducer, 'lastNotNull');
  return (field) => {
    if (field.type !== 'number') return false;
    const reduced = reduceValues(field.values, id);
    const number = typeof reduced === 'boolean' ? Number(reduced) : reduced;
    return typeof number === 'number' && compare(number, textOf(op), limit);
  };
}

function compare(a: number, op: string, b: number): boolean {
  switch (op) {
    case 'gt':
      return a > b;
    case 'gte':
      return a >= b;
    case 'lt':
      return a < b;
    case 'lte':
      return a <= b;
    case 'ne':
    case 'neq':
      return a !== b;
    default:
      return a === b;
  }
}
