/** The functions that every Go template has. Specification: https://pkg.go.dev/text/template */
import { escapeHtml, fail, type TemplateFunction, zeroOf } from './execute.ts';
import {
  GoDuration,
  GoInt,
  GoStruct,
  GoTime,
  isTrue,
  print,
  printFloat,
  SafeHtml,
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
  html: (...args) => escapeHtml(printSpaced(args)),
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
  return value instanceof SafeHtml ? value.text : value;
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

const VERB = /%([-+# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?([a-zA-Z%])/g;

/** fmt.Sprintf for the verbs that templates use: v d s q f e g t x X c % and their flags. */
export function printf(format: string, args: readonly Value[]): string {
  let next = 0;
  const text = format.replace(VERB, (all, flags: string, width, precision, verb: string) => {
    if (verb === '%') return '%';
    const take = (given: string | undefined) =>
      given === '*' ? Number(plain(args[next++])) : given === undefined ? undefined : Number(given);
    const columns = take(width);
    const hasPoint = all.includes('.');
    const digits = take(precision) ?? (hasPoint ? 0 : undefined);
    if (next >= args.length) return `%!${verb}(MISSING)`;
    const shown = formatVerb(verb, args[next++], digits, flags);
    return pad(shown, columns ?? 0, flags);
  });
  const extra = args.slice(next).map((arg) => `${typeName(arg)}=${print(arg)}`);
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`;
}

function formatVerb(verb: string, value: Value, digits: number | undefined, flags: string): string {
  const raw = plain(value);
  const signed = (text: string) =>
    flags.includes('+') && !text.startsWith('-') ? `+${text}` : text;
  if (typeof raw === 'number' && 'feEgG'.includes(verb) && !(value instanceof GoInt)) {
    return signed(formatFloat(verb, raw, digits));
  }
  if (value instanceof GoInt) {
    if (verb === 'd' || verb === 'v') return signed(String(value.value));
    if (verb === 'x') return value.value.toString(16);
    if (verb === 'X') return value.value.toString(16).toUpperCase();
    if (verb === 'c') return String.fromCodePoint(value.value);
    return `%!${verb}(int=${value.value})`;
  }
  if (verb === 'v') return print(value);
  if (verb === 's') {
    if (typeof raw === 'number') return `%!s(float64=${printFloat(raw)})`;
    return digits === undefined ? print(value) : [...print(value)].slice(0, digits).join('');
  }
  if (verb === 'q') return JSON.stringify(print(value));
  if (verb === 't' && typeof raw === 'boolean') return String(raw);
  return `%!${verb}(${typeName(value)}=${print(value)})`;
}

function formatFloat(verb: string, value: number, digits: number | undefined): string {
  if (!Number.isFinite(value)) return printFloat(value);
  if (verb === 'f') return toFixedEven(value, Math.min(digits ?? 6, 100));
  if (verb === 'e' || verb === 'E') {
    const text = fixExponent(value.toExponential(Math.min(digits ?? 6, 100)));
    return verb === 'E' ? text.toUpperCase() : text;
  }
  if (digits === undefined) return printFloat(value);
  const precision = Math.max(1, Math.min(digits, 100));
  const exponent = value === 0 ? 0 : Number(value.toExponential(precision - 1).split('e')[1]);
  if (exponent < -4 || exponent >= precision) {
    const [mantissa, power] = value.toExponential(precision - 1).split('e');
    return fixExponent(`${Number(mantissa)}e${power}`);
  }
  return String(Number(value.toPrecision(precision)));
}

/** Rounds what lies exactly between two decimals to the even one, as Go does. */
function toFixedEven(value: number, digits: number): string {
  const scaled = value * 10 ** digits;
  const isTie = Number.isInteger(scaled * 2) && !Number.isInteger(scaled);
  if (!isTie || scaled / 10 ** digits !== value) return value.toFixed(digits);
  const even = 2 * Math.round(scaled / 2);
  return (even / 10 ** digits).toFixed(digits);
}

/** Go writes at least two digits of an exponent. */
function fixExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

function pad(text: string, columns: number, flags: string): string {
  if (flags.includes('-')) return text.padEnd(columns);
  if (flags.includes('0') && /^[+-]?\d/.test(text)) {
    const sign = /^[+-]/.test(text) ? text[0] : '';
    return sign + text.slice(sign.length).padStart(columns - sign.length, '0');
  }
  return text.padStart(columns);
}

function typeName(value: Value): string {
  if (typeof value === 'string') return 'string';
  if (value instanceof GoInt) return 'int';
  if (typeof value === 'number') return 'float64';
  return typeof value === 'boolean' ? 'bool' : 'value';
}
