/**
 * fmt.Sprintf for the values that templates have: all verbs for whole numbers, floats, strings and
 * booleans, flags, width, precision, and arguments by number (`%[1]s`). What does not fit is told
 * in the output, as Go does. Specification: https://pkg.go.dev/fmt
 */
import {
  GoDuration,
  GoInt,
  GoTime,
  print,
  printFloat,
  SafeHtml,
  SafeUrl,
  type Value,
} from './values.ts';

const VERB = /%([-+# 0]*)(?:\[(\d+)\])?(\d+|\*)?(?:\.(\d+|\*)?)?(?:\[(\d+)\])?([a-zA-Z%])/g;

/** Go takes no larger ones, so that a format cannot fill the memory. */
const WIDTH_MAX = 1_000_000;
/** A double has no more digits than these behind its point. */
const DIGITS_MAX = 100;

interface Format {
  readonly verb: string;
  readonly flags: string;
  readonly digits: number | undefined;
}

export function printf(format: string, args: readonly Value[]): string {
  let next = 0;
  let isReordered = false;
  const jump = (index: string | undefined) => {
    if (index === undefined) return;
    isReordered = true;
    next = Number(index) - 1;
  };
  const text = format.replace(
    VERB,
    (all, flags: string, before, width, precision, after, verb: string) => {
      if (verb === '%') return '%';
      jump(before);
      const size = (given: string | undefined) => {
        if (given === undefined) return undefined;
        const arg = given === '*' ? args[next++] : new GoInt(Number(given));
        return arg instanceof GoInt && Math.abs(arg.value) <= WIDTH_MAX ? arg.value : Number.NaN;
      };
      const columns = size(width) ?? 0;
      const digits = size(precision) ?? (all.includes('.') ? 0 : undefined);
      jump(after);
      const [isWide, isPrecise] = [!Number.isNaN(columns), !Number.isNaN(digits)];
      const bad = (isWide ? '' : '%!(BADWIDTH)') + (isPrecise ? '' : '%!(BADPREC)');
      if (next < 0 || next >= args.length) {
        return isReordered ? `%!${verb}(BADINDEX)` : `%!${verb}(MISSING)`;
      }
      const value = args[next++];
      const sides = columns < 0 ? `${flags}-` : flags;
      const shown = formatValue(value, { verb, flags, digits: isPrecise ? digits : undefined });
      return bad + pad(shown, isWide ? Math.abs(columns) : 0, sides);
    },
  );
  if (isReordered || next >= args.length) return text;
  const extra = args.slice(next).map((arg) => `${typeName(arg)}=${print(arg)}`);
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function formatValue(value: Value, format: Format): string {
  const { verb } = format;
  if (verb === 'T') return typeName(value);
  if (value === null || value === undefined) return verb === 'v' ? '<nil>' : `%!${verb}(<nil>)`;
  let shown: string | undefined;
  if (value instanceof GoInt) shown = formatInt(value.value, format);
  else if (value instanceof GoDuration && 'dboxX'.includes(verb)) {
    shown = formatInt(Math.round(value.ms * 1e6), format);
  } else if (typeof value === 'number') shown = formatFloat(value, format);
  else if (typeof value === 'boolean') shown = 'tv'.includes(verb) ? String(value) : undefined;
  else if (value instanceof SafeHtml || value instanceof SafeUrl)
    shown = formatText(value.text, format);
  else shown = formatText(print(value), format);
  return shown ?? `%!${verb}(${typeName(value)}=${print(value)})`;
}

function formatInt(value: number, { verb, flags, digits }: Format): string | undefined {
  const alternative = flags.includes('#');
  const based = (base: number, prefix: string) => {
    const text = Math.abs(value)
      .toString(base)
      .padStart(digits ?? 0, '0');
    return sign(value < 0, flags) + (alternative ? prefix : '') + text;
  };
  switch (verb) {
    case 'd':
    case 'v':
      return sign(value < 0, flags) + String(Math.abs(value)).padStart(digits ?? 0, '0');
    case 'b':
      return based(2, '0b');
    case 'o':
      return based(8, '0');
    case 'O':
      return `${sign(value < 0, flags)}0o${Math.abs(value).toString(8)}`;
    case 'x':
      return based(16, '0x');
    case 'X':
      return based(16, '0X').toUpperCase();
    case 'c':
      return character(value);
    case 'q':
      return `'${character(value)}'`;
    case 'U':
      return `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
    default:
      return undefined;
  }
}

function character(code: number): string {
  const isPossible = code >= 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return String.fromCodePoint(isPossible ? code : 0xfffd);
}

function formatFloat(value: number, { verb, flags, digits }: Format): string | undefined {
  if (!'feEgGFv'.includes(verb)) return undefined;
  if (Number.isNaN(value)) return flags.includes('+') ? '+NaN' : 'NaN';
  const isNegative = value < 0 || Object.is(value, -0);
  if (!Number.isFinite(value)) return isNegative ? '-Inf' : '+Inf';
  return sign(isNegative, flags) + formatAbsolute(Math.abs(value), verb, digits);
}

function formatAbsolute(value: number, verb: string, digits: number | undefined): string {
  if (verb === 'f' || verb === 'F') return toFixedEven(value, Math.min(digits ?? 6, DIGITS_MAX));
  if (verb === 'e' || verb === 'E') {
    const text = fixExponent(value.toExponential(Math.min(digits ?? 6, DIGITS_MAX)));
    return verb === 'E' ? text.toUpperCase() : text;
  }
  const text = digits === undefined ? printFloat(value) : significant(value, digits);
  return verb === 'G' ? text.toUpperCase() : text;
}

function significant(value: number, digits: number): string {
  const precision = Math.max(1, Math.min(digits, DIGITS_MAX));
  const [mantissa, power] = value.toExponential(precision - 1).split('e');
  const exponent = value === 0 ? 0 : Number(power);
  if (exponent < -4 || exponent >= precision) return fixExponent(`${Number(mantissa)}e${power}`);
  return String(Number(value.toPrecision(precision)));
}

/** Rounds what lies exactly between two decimals to the even one, as Go does. */
function toFixedEven(value: number, digits: number): string {
  // JavaScript writes larger ones with an exponent; they are whole numbers.
  if (value >= 1e21) return BigInt(value).toString() + (digits > 0 ? `.${'0'.repeat(digits)}` : '');
  const scaled = value * 10 ** digits;
  // A half of the last digit is a multiple of this power of two; other products were rounded.
  const isExact = Number.isInteger(value * 2 ** (digits + 1));
  const isTie = isExact && Number.isInteger(scaled * 2) && !Number.isInteger(scaled);
  if (!isTie) return value.toFixed(digits);
  const even = 2 * Math.round(scaled / 2);
  return (even / 10 ** digits).toFixed(digits);
}

/** Go writes at least two digits of an exponent. */
function fixExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

function formatText(text: string, { verb, flags, digits }: Format): string | undefined {
  const cut = digits === undefined ? text : [...text].slice(0, digits).join('');
  switch (verb) {
    case 's':
    case 'v':
      return cut;
    case 'q':
      return flags.includes('#') && !cut.includes('`') ? `\`${cut}\`` : JSON.stringify(cut);
    case 'x':
      return hexOf(cut);
    case 'X':
      return hexOf(cut).toUpperCase();
    default:
      return undefined;
  }
}

function hexOf(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

function sign(isNegative: boolean, flags: string): string {
  if (isNegative) return '-';
  if (flags.includes('+')) return '+';
  return flags.includes(' ') ? ' ' : '';
}

function pad(text: string, columns: number, flags: string): string {
  const missing = columns - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0') || !/^[-+ ]?\d/.test(text)) return ' '.repeat(missing) + text;
  const head = /^[-+ ]/.test(text) ? text[0] : '';
  return head + '0'.repeat(missing) + text.slice(head.length);
}

function typeName(value: Value): string {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (value instanceof GoInt) return 'int';
  if (value instanceof GoDuration) return 'time.Duration';
  if (value instanceof GoTime) return 'time.Time';
  if (value === null || value === undefined) return '<nil>';
  return value instanceof Map ? 'map[string]string' : 'value';
}
