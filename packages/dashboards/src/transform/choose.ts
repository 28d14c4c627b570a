/** Transformations that leave fields or rows out, order or rename them. */
import { compileSearch, TytoError } from '@tyto/base';
import { fieldTest, textTest } from '../frames/fieldMatcher.ts';
import { type Cell, type Field, type Frame, nameOf, pickRows } from '../frames/frame.ts';
import { flagOf, type Json, numberOf, recordOf, recordsOf, textOf, textsOf } from '../json.ts';

export function organize(frames: readonly Frame[], options: Json): readonly Frame[] {
  const excluded = recordOf(options.excludeByName);
  const included = recordOf(options.includeByName);
  const order = recordOf(options.indexByName);
  const names = recordOf(options.renameByName);
  const includesAll = Object.keys(included).length === 0;
  return frames.map((one) => {
    const known = (field: Field, record: Json) =>
      record[nameOf(field, one, frames)] ?? record[field.name];
    const kept = one.fields
      .filter((field) => known(field, excluded) !== true)
      .filter((field) => includesAll || known(field, included) === true)
      .map((field, i) => ({ field, at: numberOf(known(field, order)) ?? 1000 + i }))
      .sort((a, b) => a.at - b.at)
      .map(({ field }) => field);
    const fields = kept.map((field) => {
      const displayName = textOf(known(field, names));
      return displayName === '' ? field : { ...field, displayName };
    });
    return { ...one, fields };
  });
}

export function renameByRegex(frames: readonly Frame[], options: Json): readonly Frame[] {
  const replace = replacer(textOf(options.regex), textOf(options.renamePattern));
  return frames.map((one) => {
    const fields = one.fields.map((field) => {
      const name = nameOf(field, one, frames);
      const displayName = replace(name);
      return displayName === name ? field : { ...field, displayName };
    });
    return { ...one, fields };
  });
}

/** `$1` is a group; `/…/g` is for all places. A regex that does not parse changes nothing. */
function replacer(regex: string, pattern: string): (name: string) => string {
  const slashed = /^\/([\s\S]*)\/([a-z]*)$/.exec(regex);
  const flags = slashed?.[2] ?? '';
  const plain = flags.replace(/[^ims]/g, '');
  const source = `${plain === '' ? '' : `(?${plain})`}${slashed === null ? regex : slashed[1]}`;
  try {
    const program = compileSearch(source);
    return (name) => {
      const matcher = program.matcher(name);
      return flags.includes('g') ? matcher.replaceAll(pattern) : matcher.replaceFirst(pattern);
    };
  } catch (error) {
    if (error instanceof TytoError) return (name) => name;
    throw error;
  }
}

export function filterFieldsByName(frames: readonly Frame[], options: Json): readonly Frame[] {
  const side = (value: unknown) => {
    const { names, pattern } = recordOf(value);
    const isGiven = textsOf(names).length > 0 || textOf(pattern) !== '';
    return isGiven ? fieldTest({ id: 'byRegexpOrNames', options: value }) : undefined;
  };
  const [include, exclude] = [side(options.include), side(options.exclude)];
  return frames.map((one) => ({
    ...one,
    fields: one.fields.filter(
      (field) =>
        (include?.(field, one, frames) ?? true) && !(exclude?.(field, one, frames) ?? false),
    ),
  }));
}

export function filterByValue(frames: readonly Frame[], options: Json): readonly Frame[] {
  const filters = recordsOf(options.filters).map(({ fieldName, config }) => {
    const { id, options: settings } = recordOf(config);
    return { name: textOf(fieldName), test: valueTest(textOf(id), recordOf(settings)) };
  });
  if (filters.length === 0) return frames;
  const keepsMatching = options.type !== 'exclude';
  const needsAll = options.match === 'all';
  return frames.map((one) => {
    const own = filters.flatMap(({ name, test }) => {
      const field = one.fields.find((candidate) => nameOf(candidate, one, frames) === name);
      return field === undefined ? [] : [{ field, test }];
    });
    if (own.length === 0) return one;
    const rows = Array.from({ length: one.length }, (_, row) => row).filter((row) => {
      const isMatch = ({ field, test }: (typeof own)[number]) => test(field.values[row] ?? null);
      return (needsAll ? own.every(isMatch) : own.some(isMatch)) === keepsMatching;
    });
    return pickRows(one, rows);
  });
}

function valueTest(id: string, options: Json): (value: Cell) => boolean {
  const limit = Number(options.value ?? 0);
  const isNumber = (value: Cell): value is number => typeof value === 'number';
  switch (id) {
    case 'isNull':
      return (value) => value === null;
    case 'isNotNull':
      return (value) => value !== null;
    case 'equal':
      return (value) => String(value) === textOf(options.value);
    case 'notEqual':
      return (value) => String(value) !== textOf(options.value);
    case 'greater':
      return (value) => isNumber(value) && value > limit;
    case 'greaterOrEqual':
      return (value) => isNumber(value) && value >= limit;
    case 'lower':
      return (value) => isNumber(value) && value < limit;
    case 'lowerOrEqual':
      return (value) => isNumber(value) && value <= limit;
    case 'range':
      return (value) =>
        isNumber(value) && value > Number(options.from) && value < Number(options.to);
    case 'regex': {
      const matches = textTest(textOf(options.value));
      return (value) => matches(String(value));
    }
    case 'substring':
      return (value) => String(value).toLowerCase().includes(textOf(options.value).toLowerCase());
    case 'notSubstring':
      return (value) => !String(value).toLowerCase().includes(textOf(options.value).toLowerCase());
    default:
      return () => true;
  }
}

export function limitRows(frames: readonly Frame[], options: Json): readonly Frame[] {
  const limit = Math.max(0, Math.floor(numberOf(options.limitField) ?? 10));
  return frames.map((one) => {
    const count = Math.min(limit, one.length);
    const from = flagOf(options.fromEnd) ? one.length - count : 0;
    return pickRows(
      one,
      Array.from({ length: count }, (_, i) => from + i),
    );
  });
}
