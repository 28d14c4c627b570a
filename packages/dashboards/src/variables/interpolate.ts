/**
 * Variables in texts: `$name`, `${name}`, `${name:format}`, `[[name]]`. The formats and what they
 * escape are those of Grafana's documentation of variable syntax.
 */

/** What is chosen of a variable. */
export interface Chosen {
  readonly values: readonly string[];
  /** As people see them; the values where it is not given. */
  readonly texts?: readonly string[];
  /** Whether several may be chosen: then one is written as one of several, too. */
  readonly isMulti: boolean;
  /** Written as it is instead of the values: what stands for all. */
  readonly literal?: string | undefined;
}

export type Lookup = (name: string) => Chosen | undefined;

/** How values are written where a reference names no format. */
export type DefaultFormat = 'glob' | 'promql';

const REFERENCE = /\$(\w+)|\[\[(\w+)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:}]+))?(?::([^}]+))?\}/g;

/** The text with its variables; what is not known stays as it is written. */
export function interpolate(text: string, lookup: Lookup, otherwise: DefaultFormat): string {
  if (!text.includes('$') && !text.includes('[[')) return text;
  return text.replace(REFERENCE, (whole, plain, square, squareFormat, braced, _, format) => {
    const chosen = lookup(plain ?? square ?? braced);
    if (chosen === undefined) return whole;
    return written(chosen, format ?? squareFormat ?? otherwise, plain ?? square ?? braced);
  });
}

/** The names of the variables that a text refers to. */
export function referencesOf(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(REFERENCE)].map((match) => match[1] ?? match[2] ?? match[4]));
}

function written(chosen: Chosen, format: string, name: string): string {
  const { values, texts = values, isMulti, literal } = chosen;
  if (literal !== undefined && format !== 'text' && format !== 'queryparam') return literal;
  const [kind, argument] = splitFormat(format);
  switch (kind) {
    case 'promql':
      return promql(values, isMulti);
    case 'regex':
      return inGroup(values.map(escapeRegExp), values.length > 1);
    case 'pipe':
      return values.join('|');
    case 'csv':
    case 'raw':
      return values.join(',');
    case 'json':
      return JSON.stringify(values.length === 1 && !isMulti ? values[0] : values);
    case 'distributed':
      return values.map((value, i) => (i === 0 ? value : `${name}=${value}`)).join(',');
    case 'lucene':
      return inGroup(values.map(lucene), values.length > 1, ' OR ');
    case 'doublequote':
      return values.map((value) => `"${value.replaceAll('"', '\\"')}"`).join(',');
    case 'singlequote':
      return values.map((value) => `'${value.replaceAll("'", "\\'")}'`).join(',');
    case 'sqlstring':
      return values.map((value) => `'${value.replaceAll("'", "''")}'`).join(',');
    case 'percentencode':
      return encodeURIComponent(glob(values));
    case 'uriencode':
      return encodeURI(glob(values));
    case 'queryparam':
      return values.map((value) => `var-${name}=${encodeURIComponent(value)}`).join('&');
    case 'html':
      return escapeHtml(values.join(', '));
    case 'text':
      return texts.join(' + ');
    case 'date':
      return dateText(values[0] ?? '', argument);
    case 'join':
      return values.join(argument);
    default:
      return glob(values);
  }
}

function splitFormat(format: string): [kind: string, argument: string] {
  const at = format.indexOf(':');
  return at < 0 ? [format, ''] : [format.slice(0, at), format.slice(at + 1)];
}

/** In PromQL and LogQL, where values stand in matchers. */
function promql(values: readonly string[], isMulti: boolean): string {
  if (!isMulti) return values.map(escapeQuoted).join(',');
  return inGroup(
    values.map((value) => escapeQuoted(escapeRegExp(value))),
    values.length > 1,
  );
}

function inGroup(values: readonly string[], isGroup: boolean, between = '|'): string {
  return isGroup ? `(${values.join(between)})` : values.join(between);
}

function glob(values: readonly string[]): string {
  return values.length > 1 ? `{${values.join(',')}}` : (values[0] ?? '');
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$*+?.()|[\]{}/]/g, '\\$&');
}

/** For the inside of quotes of a query. */
function escapeQuoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('"', '\\"');
}

function lucene(text: string): string {
  return `"${text.replace(/([!*+\-=<>\s&|()[\]{}^~?:\\/"])/g, '\\$1')}"`;
}

function escapeHtml(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => names[character]);
}

/** Of a time in milliseconds; without a pattern it is ISO 8601. */
function dateText(value: string, pattern: string): string {
  const ms = Number(value);
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return value;
  const iso = new Date(ms).toISOString();
  if (pattern === 'seconds') return String(Math.floor(ms / 1000));
  if (pattern === '' || pattern === 'iso') return iso;
  const parts: Readonly<Record<string, string>> = {
    YYYY: iso.slice(0, 4),
    MM: iso.slice(5, 7),
    DD: iso.slice(8, 10),
    HH: iso.slice(11, 13),
    mm: iso.slice(14, 16),
    ss: iso.slice(17, 19),
    SSS: iso.slice(20, 23),
  };
  return pattern.replace(/YYYY|MM|DD|HH|mm|SSS|ss/g, (part) => parts[part]);
}
