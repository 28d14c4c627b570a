/** From the name of a function to what computes it. */
import { must, TytoError } from '@tyto/base';
import type { Call } from '@tyto/syntax';
import type { Column, Grid } from '../column.ts';
import type { Evaluation } from '../evaluation.ts';
import { absentFunctions } from './absent.ts';
import { classicHistogramFunctions } from './classicHistogram.ts';
import { dateFunctions } from './dates.ts';
import { infoFunctions } from './info.ts';
import { labelFunctions } from './labels.ts';
import { mathFunctions } from './math.ts';
import { nativeHistogramFunctions } from './nativeHistogram.ts';
import { rangeFunctions } from './rangeVector.ts';
import { scalarFunctions, scalarToVectorFunctions } from './scalars.ts';
import { sortFunctions } from './sorting.ts';
import { startTimestampFunctions } from './startTimestamp.ts';

export type VectorFunction = (call: Call, grid: Grid, evaluation: Evaluation) => Promise<Column[]>;

export type ScalarFunction = (
  call: Call,
  grid: Grid,
  evaluation: Evaluation,
) => Promise<Float64Array>;

const vectorFunctions = new Map<string, VectorFunction>([
  ...absentFunctions,
  ...classicHistogramFunctions,
  ...dateFunctions,
  ...infoFunctions,
  ...labelFunctions,
  ...mathFunctions,
  ...nativeHistogramFunctions,
  ...rangeFunctions,
  ...scalarToVectorFunctions,
  ...sortFunctions,
  ...startTimestampFunctions,
]);

const scalars = new Map<string, ScalarFunction>(scalarFunctions);

export function callVector(call: Call, grid: Grid, evaluation: Evaluation): Promise<Column[]> {
  const implementation = vectorFunctions.get(call.name);
  checkExtended(call);
  if (implementation !== undefined) return implementation(call, grid, evaluation);
  throw new TytoError('execution', `function "${call.name}" is not supported yet`);
}

const EXTENDED: Readonly<Record<'anchored' | 'smoothed', readonly string[]>> = {
  anchored: ['changes', 'delta', 'increase', 'rate', 'resets'],
  smoothed: ['delta', 'increase', 'rate'],
};

/** Only some functions know what to do with samples beyond a window's ends. */
function checkExtended(call: Call): void {
  for (const arg of call.args) {
    if (arg.kind !== 'matrix') continue;
    for (const word of ['anchored', 'smoothed'] as const) {
      if (!arg.selector[word] || EXTENDED[word].includes(call.name)) continue;
      const names = EXTENDED[word].join(', ');
      throw new TytoError(
        'bad_data',
        `${word} modifier can only be used with: ${names} - not with ${call.name}`,
      );
    }
  }
}

export function callScalar(call: Call, grid: Grid, evaluation: Evaluation): Promise<Float64Array> {
  const implementation = scalars.get(call.name);
  return must(implementation, `function ${call.name} is implemented`)(call, grid, evaluation);
}

/** The names of all implemented functions. */
export function implementedFunctions(): string[] {
  return [...vectorFunctions.keys(), ...scalars.keys()].sort();
}
