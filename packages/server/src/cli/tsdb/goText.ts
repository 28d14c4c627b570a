/** Numbers, texts and times as promtool writes them, so that outputs can be compared. */
import { type FloatHistogram, populatedBuckets } from '@tyto/model';

/** Outside of these powers of ten a number has an exponent. */
const EXPONENT_MIN = -4;
const EXPONENT_MAX = 6;

const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const ESCAPES: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** As `%g`: the shortest digits that tell the number. */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [digits, exponentText] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent >= EXPONENT_MIN && exponent < EXPONENT_MAX) return String(value);
  const sign = exponent < 0 ? '-' : '+';
  return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** As `%q`: in quotes, with escapes for what cannot be seen. */
function goQuote(text: string): string {
  let quoted = '"';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const short = ESCAPES[character];
    if (short !== undefined) quoted += short;
    else if (code < 0x20 || code === 0x7f) quoted += `\\x${hex(code, 2)}`;
    else if (PRINTABLE.test(character)) quoted += character;
    else quoted += code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
  }
  return `${quoted}"`;
}

/** `{a="b", c="d"}`, from names and values. */
export function goLabels(pairs: readonly string[]): string {
  const shown: string[] = [];
  for (let i = 0; i < pairs.length; i += 2) shown.push(`${pairs[i]}=${goQuote(pairs[i + 1])}`);
  return `{${shown.join(', ')}}`;
}

/** `1h59m45.001s` */
export function goDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (ms < 0) return `-${goDuration(-ms)}`;
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = (ms % 60_000) / 1000;
  const shownHours = hours > 0 ? `${hours}h` : '';
  const shownMinutes = hours > 0 || minutes > 0 ? `${minutes}m` : '';
  return `${shownHours}${shownMinutes}${seconds}s`;
}

/** `2023-11-14 22:13:20 +0000 UTC` */
export function goTime(ms: number): string {
  const date = new Date(Math.floor(ms / 1000) * 1000);
  if (Number.isNaN(date.getTime())) return String(ms);
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

/** `6KiB272B` */
export function goBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let shown = '';
  let rest = bytes;
  for (let i = 0; i < units.length && rest > 0; i++) {
    const part = i === units.length - 1 ? rest : rest % 1024;
    if (part > 0) shown = `${part}${units[i]}${shown}`;
    rest = Math.floor((rest - part) / 1024);
  }
  return shown || '0B';
}

/** `{count:5, sum:18.4, [-0.001,0.001]:2, (0.5,1]:3}` */
export function goHistogram(histogram: FloatHistogram): string {
  const parts = [`count:${goFloat(histogram.count)}`, `sum:${goFloat(histogram.sum)}`];
  for (const bucket of populatedBuckets(histogram)) {
    const open = bucket.isLowerIncluded ? '[' : '(';
    const close = bucket.isUpperIncluded ? ']' : ')';
    const bounds = `${goFloat(bucket.lower)},${goFloat(bucket.upper)}`;
    parts.push(`${open}${bounds}${close}:${goFloat(bucket.count)}`);
  }
  return `{${parts.join(', ')}}`;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, '0');
}
