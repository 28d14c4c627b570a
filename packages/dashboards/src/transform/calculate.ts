/** A new field of others. */
import { compareCells, type Cell, type Field, type Frame, field, nameOf } from '../frames/frame.ts';
import { reduceValues, reducerName } from '../frames/reduce.ts';
import { flagOf, type Json, numberOf, recordOf, textOf, textsOf } from '../json.ts';
import { joinByField } from './join.ts';

type Operation = (a: number, b: number) => number;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '**': (a, b) => a ** b,
  '%': (a, b) => a % b,
  '=': (a, b) => Number(a === b),
  '!=': (a, b) => Number(a !== b),
  '>': (a, b) => Number(a > b),
  '>=': (a, b) => Number(a >= b),
  '<': (a, b) => Number(a < b),
  '<=': (a, b) => Number(a <= b),
};

const UNARY: Readonly<Record<string, (value: number) => number>> = {
  abs: Math.abs,
  exp: Math.exp,
  ln: Math.log,
  floor: Math.floor,
  ceil: Math.ceil,
  round: Math.round,
  trunc: Math.trunc,
};

export function calculateField(frames: readonly Frame[], options: Json): readonly Frame[] {
  // Of several series with times, those of one time belong together.
  const joined = options.timeSeries === false ? frames : joinTimes(frames);
  return joined.map((one) => {
    const made = newField(one, joined, options);
    if (made === undefined) return one;
    const time = one.fields.filter(({ type }) => type === 'time');
    const kept = flagOf(options.replaceFields) ? time : one.fields;
    return { ...one, fields: [...kept, made] };
  });
}

function joinTimes(frames: readonly Frame[]): readonly Frame[] {
  const hasTimes = frames.every(({ fields }) => fields.some(({ type }) => type === 'time'));
  return hasTimes && frames.length > 1 ? joinByField(frames, {}) : frames;
}

function newField(one: Frame, all: readonly Frame[], options: Json): Field | undefined {
  const alias = textOf(options.alias);
  const numbers = one.fields.filter(({ type }) => type === 'number');
  const rows = Array.from({ length: one.length }, (_, row) => row);
  const make = (name: string, values: readonly Cell[], type: Field['type'] = 'number') =>
    field(name, type, values, { displayName: alias });
  switch (options.mode) {
    case 'binary': {
      const { left, right, operator = '+' } = recordOf(options.binary);
      const operation = OPERATIONS[textOf(operator)];
      const [a, b] = [operandOf(left, one, all), operandOf(right, one, all)];
      if (operation === undefined || a === undefined || b === undefined) return undefined;
      const values = rows.map((row) => applied(operation, a.at(row), b.at(row)));
      return make(`${a.name} ${textOf(operator)} ${b.name}`, values);
    }
    case 'unary': {
      const { operator, fieldName } = recordOf(options.unary);
      const operation = UNARY[textOf(operator)];
      const source = numbers.find((candidate) => nameOf(candidate, one, all) === fieldName);
      if (operation === undefined || source === undefined) return undefined;
      const values = source.values.map((value) =>
        typeof value === 'number' ? operation(value) : null,
      );
      return make(`${textOf(operator)}(${textOf(fieldName)})`, values);
    }
    case 'index': {
      const isPercent = flagOf(recordOf(options.index).asPercentile);
      return make('Row', isPercent ? rows.map((row) => row / Math.max(1, one.length - 1)) : rows);
    }
    case 'cumulativeFunctions':
      return cumulative(numbers, one, all, options, make);
    case 'windowFunctions':
      return moving(numbers, one, all, options, make);
    default: {
      const { include, reducer = 'sum' } = recordOf(options.reduce);
      const names = new Set(textsOf(include));
      const taken =
        names.size === 0 ? numbers : numbers.filter((value) => names.has(nameOf(value, one, all)));
      const id = textOf(reducer);
      const values = rows.map((row) =>
        reduceValues(
          taken.map((value) => value.values[row] ?? null),
          id,
        ),
      );
      return make(reducerName(id), values);
    }
  }
}

type Make = (name: string, values: readonly Cell[]) => Field;

function cumulative(
  numbers: readonly Field[],
  one: Frame,
  all: readonly Frame[],
  options: Json,
  make: Make,
): Field | undefined {
  const { field: name, reducer } = recordOf(options.cumulative);
  const source = numbers.find((candidate) => nameOf(candidate, one, all) === name) ?? numbers[0];
  if (source === undefined) return undefined;
  let total = 0;
  const isMean = reducer === 'mean';
  const values = source.values.map((value, i) => {
    total += typeof value === 'number' ? value : 0;
    return isMean ? total / (i + 1) : total;
  });
  return make(`cumulative ${isMean ? 'mean' : 'sum'}(${nameOf(source, one, all)})`, values);
}

/** Of the rows before each, or around it. */
function moving(
  numbers: readonly Field[],
  one: Frame,
  all: readonly Frame[],
  options: Json,
  make: Make,
): Field | undefined {
  const settings = recordOf(options.window);
  const source =
    numbers.find((candidate) => nameOf(candidate, one, all) === settings.field) ?? numbers[0];
  if (source === undefined) return undefined;
  const size = numberOf(settings.windowSize) ?? 0.1;
  const isPercent = settings.windowSizeMode !== 'fixed';
  const rows = Math.max(1, Math.round(isPercent ? size * source.values.length : size));
  const isCentered = settings.windowAlignment === 'centered';
  const id = textOf(settings.reducer, 'mean');
  const values = source.values.map((_, i) => {
    const from = isCentered ? i - Math.floor(rows / 2) : i - rows + 1;
    return reduceValues(source.values.slice(Math.max(0, from), Math.max(0, from + rows)), id);
  });
  return make(`${reducerName(id)} of ${nameOf(source, one, all)}`, values);
}

interface Operand {
  readonly name: string;
  at(row: number): Cell;
}

/** A field by its name, or a number; newer files say which. */
function operandOf(value: unknown, one: Frame, all: readonly Frame[]): Operand | undefined {
  const { fixed, matcher } = recordOf(value);
  const text = textOf(value) || textOf(fixed) || textOf(recordOf(matcher).options);
  const found = one.fields.find((candidate) => nameOf(candidate, one, all) === text);
  if (found !== undefined) return { name: text, at: (row) => found.values[row] ?? null };
  const number = numberOf(text);
  return number === undefined ? undefined : { name: text, at: () => number };
}

function applied(operation: Operation, a: Cell, b: Cell): Cell {
  if (typeof a === 'number' && typeof b === 'number') return operation(a, b);
  const isComparison = operation === OPERATIONS['='];
  return isComparison ? Number(compareCells(a, b) === 0) : null;
}
