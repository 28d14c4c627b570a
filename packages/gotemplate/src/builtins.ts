/** The functions that every Go template has. Specification: https://pkg.go.dev/text/template */
import { fail, type TemplateFunction, zeroOf } from './execute.ts';
import { escapeMarkup } from './htmlContext.ts';
import { printf } from './printf.ts';
import {
  GoDuration,
  GoInt,
  GoStruct,
  GoTime,
  isTrue,
  print,
  SafeHtml,
  SafeUrl,
  type Value,
} from './values.ts';

export const builtins: Readonly<Record<string, TemplateFunction>> = {
  // `and` and `or` stop at the first argument that decides; the executor runs them itself.
  and: () => false,
  or: () => false,
  not: (value) => !isTrue(value),
  eq: (first, ...others) => {
    if (others.length === 0) fail('missing argument for comparison');
    return others.some((other) => isEqual(first, other));
  },
  ne: (a, b) => !isEqual(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  len: (value) => new GoInt(lengthOf(value)),
  index: (value, ...keys) => keys.reduce(indexOne, value),
  slice: sliceOf,
  print: (...args) => printSpaced(args),
  println: (...args) => `${args.map(print).join(' ')}\n`,
  printf: (format, ...args) => printf(print(format), args),
  html: (...args) => escapeMarkup(printSpaced(args)),
  js: (...args) => JSON.stringify(printSpaced(args)).slice(1, -1).replaceAll("'", "\\'"),
  urlquery: (...args) => encodeURIComponent(printSpaced(args)).replaceAll('%20', '+'),
  call: () => fail('call: there are no function values'),
};

/** fmt.Sprint: spaces between operands when neither is a string. */
function printSpaced(args: readonly Value[]): string {
  let text = '';
  args.forEach((arg, i) => {
    if (i > 0 && typeof arg !== 'string' && typeof args[i - 1] !== 'string') text += ' ';
    text += print(arg);
  });
  return text;
}

function plain(value: Value): Value {
  if (value instanceof GoInt) return value.value;
  if (value instanceof GoDuration || value instanceof GoTime) return value.ms;
  return value instanceof SafeHtml || value instanceof SafeUrl ? value.text : value;
}

function isEqual(a: Value, b: Value): boolean {
  const left = plain(a);
  const right = plain(b);
  if (left === null || left === undefined) return right === null || right === undefined;
  if (right === null || right === undefined) return false;
  if (typeof left === 'object' || typeof right === 'object') {
    return fail('non-comparable types in a comparison');
  }
  if (typeof left !== typeof right) return fail('incompatible types for comparison');
  return left === right;
}

function compare(a: Value, b: Value): number {
  const left = plain(a);
  const right = plain(b);
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'string' && typeof right === 'string') {
    return left < right ? -1 : left > right ? 1 : 0;
  }
  return fail('incompatible types for comparison');
}

function lengthOf(value: Value): number {
  if (value instanceof GoStruct && value.underlying !== undefined)
    return lengthOf(value.underlying);
  if (typeof value === 'string') return new TextEncoder().encode(value).length;
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  return fail(`len of ${print(value).slice(0, 40)}`);
}

function indexOne(value: Value, key: Value): Value {
  if (value instanceof GoStruct && value.underlying !== undefined) {
    return indexOne(value.underlying, key);
  }
  if (value instanceof Map) {
    return typeof key === 'string'
      ? (value.get(key) ?? zeroOf(value))
      : fail('value has type int; should be string');
  }
  if (!Array.isArray(value)) return fail(`can't index item of ${print(value).slice(0, 40)}`);
  const index = plain(key);
  if (typeof index !== 'number' || index < 0 || index >= value.length) {
    return fail(`error calling index: index out of range: ${print(key)}`);
  }
  return value[index];
}

function sliceOf(value: Value, ...bounds: Value[]): Value {
  const list = value instanceof GoStruct ? value.underlying : value;
  if (!Array.isArray(list) && typeof list !== 'string') return fail('slice of what is no list');
  const numbers = bounds.map((bound) => Number(plain(bound)));
  if (numbers.some((n) => !(n >= 0 && n <= list.length))) return fail('slice: index out of range');
  return list.slice(numbers[0] ?? 0, numbers[1] ?? list.length);
}
