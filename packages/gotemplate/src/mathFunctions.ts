/** Arithmetic of templates, over whole numbers and over floats, which texts may hold. */
import { fail, type TemplateFunction } from './execute.ts';
import { GoInt, toNumber, type Value } from './values.ts';

/** A whole number; 0 of what is none. */
export function toInt(value: Value): number {
  return Math.trunc(toFloat(value)) || 0;
}

function toFloat(value: Value): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return toNumber(value) ?? 0;
}

function ofInts(compute: (a: number, b: number) => number): TemplateFunction {
  return (...args) => new GoInt(args.map(toInt).reduce(compute));
}

/** Decimals are not binary fractions; the last digits of a result are rounded away. */
function ofFloats(compute: (a: number, b: number) => number): TemplateFunction {
  return (...args) => Number(args.map(toFloat).reduce(compute).toPrecision(15));
}

function notZero(divisor: number): number {
  return divisor === 0 ? fail('integer divide by zero') : divisor;
}

function rounded(value: number, digits: number, from: number): number {
  const scale = 10 ** digits;
  const scaled = Number((value * scale).toPrecision(15));
  const whole = Math.trunc(scaled);
  const up = Math.abs(scaled - whole) >= from;
  return (up ? whole + Math.sign(scaled) : whole) / scale;
}

export const mathFunctions: Readonly<Record<string, TemplateFunction>> = {
  int: (value) => new GoInt(toInt(value)),
  float64: (value) => toFloat(value),
  add: ofInts((a, b) => a + b),
  sub: ofInts((a, b) => a - b),
  mul: ofInts((a, b) => a * b),
  div: ofInts((a, b) => Math.trunc(a / notZero(b))),
  mod: ofInts((a, b) => a % notZero(b)),
  max: ofInts((a, b) => Math.max(a, b)),
  min: ofInts((a, b) => Math.min(a, b)),
  addf: ofFloats((a, b) => a + b),
  subf: ofFloats((a, b) => a - b),
  mulf: ofFloats((a, b) => a * b),
  divf: ofFloats((a, b) => a / notZero(b)),
  maxf: ofFloats((a, b) => Math.max(a, b)),
  minf: ofFloats((a, b) => Math.min(a, b)),
  ceil: (value) => Math.ceil(toFloat(value)),
  floor: (value) => Math.floor(toFloat(value)),
  round: (value, digits, from = 0.5) => rounded(toFloat(value), toInt(digits), toFloat(from)),
};
