/** sort and its kin: the order of an instant vector. In range queries they change nothing. */
import { compareLabels, type Labels } from '@tyto/model';
import type { Call } from '@tyto/syntax';
import { messages } from '../annotations.ts';
import { type Column, FLOAT } from '../column.ts';
import { sortPaced } from '../paced.ts';
import type { VectorFunction } from './registry.ts';

function byValue(sign: 1 | -1): VectorFunction {
  return async (call, grid, evaluation) => {
    const columns = await evaluation.vector(call.args[0], grid);
    if (evaluation.isRange || grid.count > 1) {
      evaluation.annotations.warn(messages.sortInRange(), call.span);
      return columns;
    }
    const floats = columns.filter((column) => column.present[0] === FLOAT);
    const compare = (a: Column, b: Column) => compareNaNLast(a.values[0], b.values[0], sign);
    return sortPaced(floats, compare, evaluation.budget);
  };
}

function compareNaNLast(a: number, b: number, sign: 1 | -1): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  if (Number.isNaN(b)) return -1;
  return a === b ? 0 : a < b ? -sign : sign;
}

function byLabel(sign: 1 | -1): VectorFunction {
  return async (call, grid, evaluation) => {
    const columns = await evaluation.vector(call.args[0], grid);
    if (evaluation.isRange || grid.count > 1) {
      evaluation.annotations.warn(messages.sortInRange(), call.span);
      return columns;
    }
    const names = labelNames(call, (index) => evaluation.text(call.args[index]));
    const compare = (a: Column, b: Column) => sign * compareByLabels(a.labels, b.labels, names);
    return sortPaced(columns, compare, evaluation.budget);
  };
}

function labelNames(call: Call, text: (index: number) => string): string[] {
  return call.args.slice(1).map((_, index) => text(index + 1));
}

function compareByLabels(a: Labels, b: Labels, names: readonly string[]): number {
  for (const name of names) {
    const order = compareNatural(a.get(name), b.get(name));
    if (order !== 0) return order;
  }
  return compareLabels(a, b);
}

/** Runs of digits compare as numbers, so that node10 comes after node9. */
export function compareNatural(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  const count = Math.min(left.length, right.length);
  for (let i = 0; i < count; i++) {
    if (left[i] === right[i]) continue;
    const bothNumbers = /^\d/.test(left[i]) && /^\d/.test(right[i]);
    const difference = bothNumbers ? Number(left[i]) - Number(right[i]) : 0;
    if (difference !== 0) return difference;
    return left[i] < right[i] ? -1 : 1;
  }
  return left.length - right.length;
}

export const sortFunctions: readonly (readonly [string, VectorFunction])[] = [
  ['sort', byValue(1)],
  ['sort_desc', byValue(-1)],
  ['sort_by_label', byLabel(1)],
  ['sort_by_label_desc', byLabel(-1)],
];
