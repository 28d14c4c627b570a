/** One value of many: Grafana's calculations, by their ids. */
import { compareCells, type Cell } from './frame.ts';

type Reducer = (values: readonly Cell[]) => Cell;

/** Null for an id that is not known, and where there is nothing to calculate with. */
export function reduceValues(values: readonly Cell[], id: string): Cell {
  const reducer = REDUCERS.get(id);
  if (reducer !== undefined) return reducer(values);
  const quantile = /^p(\d{1,2})$/.exec(id);
  return quantile === null ? null : quantileOf(numbersOf(values), Number(quantile[1]) / 100);
}

/** How people call it, and how columns are named by it. */
export function reducerName(id: string): string {
  return NAMES[id] ?? (/^p\d{1,2}$/.test(id) ? `${id.slice(1)}th %` : id);
}

const NAMES: Readonly<Record<string, string>> = {
  lastNotNull: 'Last *',
  last: 'Last',
  firstNotNull: 'First *',
  first: 'First',
  min: 'Min',
  max: 'Max',
  mean: 'Mean',
  median: 'Median',
  variance: 'Variance',
  stdDev: 'StdDev',
  sum: 'Total',
  count: 'Count',
  range: 'Range',
  delta: 'Delta',
  step: 'Step',
  diff: 'Difference',
  diffperc: 'Difference percent',
  logmin: 'Min (above zero)',
  allIsZero: 'All zeros',
  allIsNull: 'All nulls',
  changeCount: 'Change count',
  distinctCount: 'Distinct count',
  allValues: 'All values',
  uniqueValues: 'All unique values',
};

function numbersOf(values: readonly Cell[]): number[] {
  const numbers: number[] = [];
  for (const value of values) {
    if (typeof value === 'number' && !Number.isNaN(value)) numbers.push(value);
  }
  return numbers;
}

function ofNumbers(calculate: (numbers: readonly number[]) => number): Reducer {
  return (values) => {
    const numbers = numbersOf(values);
    return numbers.length === 0 ? null : calculate(numbers);
  };
}

const isSomething = (value: Cell): boolean => value !== null && !Number.isNaN(value);

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
const mean = (numbers: readonly number[]) => sum(numbers) / numbers.length;
// Spreading a million arguments would fail.
const least = (numbers: readonly number[]) => numbers.reduce((a, b) => (b < a ? b : a));
const most = (numbers: readonly number[]) => numbers.reduce((a, b) => (b > a ? b : a));

function variance(numbers: readonly number[]): number {
  const middle = mean(numbers);
  return mean(numbers.map((number) => (number - middle) ** 2));
}

function quantileOf(numbers: readonly number[], q: number): number | null {
  if (numbers.length === 0) return null;
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * q)];
}

/** What a counter counted: a fall is a counter that began anew. */
function delta(numbers: readonly number[]): number {
  let total = 0;
  for (let i = 1; i < numbers.length; i++) {
    const step = numbers[i] - numbers[i - 1];
    total += step < 0 ? numbers[i] : step;
  }
  return total;
}

function smallestStep(numbers: readonly number[]): number {
  let smallest = Infinity;
  for (let i = 1; i < numbers.length; i++) {
    smallest = Math.min(smallest, numbers[i] - numbers[i - 1]);
  }
  return smallest === Infinity ? 0 : smallest;
}

const first = (numbers: readonly number[]) => numbers[0];
const last = (numbers: readonly number[]) => numbers[numbers.length - 1];

function changes(values: readonly Cell[]): number {
  return values.filter((value, i) => i > 0 && value !== values[i - 1]).length;
}

const REDUCERS: ReadonlyMap<string, Reducer> = new Map<string, Reducer>([
  ['lastNotNull', (values) => values.findLast(isSomething) ?? null],
  ['last', (values) => values.at(-1) ?? null],
  // The name of before version 7.
  ['current', (values) => values.findLast(isSomething) ?? null],
  ['firstNotNull', (values) => values.find(isSomething) ?? null],
  ['first', (values) => values[0] ?? null],
  ['min', ofNumbers(least)],
  ['max', ofNumbers(most)],
  ['mean', ofNumbers(mean)],
  ['avg', ofNumbers(mean)],
  ['median', (values) => quantileOf(numbersOf(values), 0.5)],
  ['variance', ofNumbers(variance)],
  ['stdDev', ofNumbers((numbers) => Math.sqrt(variance(numbers)))],
  ['sum', ofNumbers(sum)],
  ['total', ofNumbers(sum)],
  ['count', (values) => values.length],
  ['range', ofNumbers((numbers) => most(numbers) - least(numbers))],
  ['delta', ofNumbers(delta)],
  ['step', ofNumbers(smallestStep)],
  ['diff', ofNumbers((numbers) => last(numbers) - first(numbers))],
  ['diffperc', ofNumbers((numbers) => (last(numbers) - first(numbers)) / first(numbers))],
  ['logmin', (values) => positiveMin(numbersOf(values))],
  ['allIsZero', (values) => values.length > 0 && values.every((value) => value === 0)],
  ['allIsNull', (values) => values.every((value) => !isSomething(value))],
  ['changeCount', (values) => changes(values.filter(isSomething))],
  ['distinctCount', (values) => new Set(values).size],
  ['allValues', (values) => values.map(String).join(', ')],
  ['uniqueValues', (values) => [...new Set(values)].sort(compareCells).map(String).join(', ')],
]);

function positiveMin(numbers: readonly number[]): number | null {
  const positive = numbers.filter((number) => number > 0);
  return positive.length === 0 ? null : least(positive);
}
