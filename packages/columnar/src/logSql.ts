/** Parts of the queries over the tables of logs: what a request asks for, as conditions in SQL. */
import type { Labels, LogField, LogFilter, LogRange, Matcher } from '@tyto/model';
import { quote } from './clickhouse.ts';
import { QUERY_MEMORY_BYTES, QUERY_SECONDS_MAX } from './limits.ts';
import { LEVEL, OTHER_METADATA } from './schema.ts';

/** Settings of every query of ours. */
export const QUERY_SETTINGS = [
  `max_memory_usage = ${QUERY_MEMORY_BYTES}`,
  `max_execution_time = ${QUERY_SECONDS_MAX}`,
  'max_ast_elements = 1000000',
  'max_expanded_ast_elements = 1000000',
  'output_format_native_write_json_as_string = 0',
].join(', ');

/** Entries of these streams in the range. */
export function entriesCondition(
  tenant: string,
  streams: Iterable<bigint>,
  range: LogRange,
): string {
  const ids = [...streams];
  // Entries of one stream lie in order of time, and an equation lets ClickHouse see that.
  const stream = ids.length === 1 ? `= ${ids[0]}` : `IN (${ids.join(',')})`;
  const own = `tenant = ${quote(tenant)} AND stream ${stream}`;
  return `${own} AND ${timeCondition(range)}`;
}

function timeCondition({ startNs, endNs }: LogRange): string {
  return `time >= ${timeLiteral(startNs)} AND time < ${timeLiteral(endNs)}`;
}

/** What the type DateTime64(9) can hold: 1900 to 2262. */
const TIME_MIN_NS = -2_208_988_800_000_000_000n;
const TIME_MAX_NS = 9_214_646_399_000_000_000n;

export function clampTime(timeNs: bigint): bigint {
  return timeNs < TIME_MIN_NS ? TIME_MIN_NS : timeNs > TIME_MAX_NS ? TIME_MAX_NS : timeNs;
}

function timeLiteral(timeNs: bigint): string {
  return `fromUnixTimestamp64Nano(toInt64(${clampTime(timeNs)}), 'UTC')`;
}

/**
 * Conditions that every stream with these matchers satisfies; what they let through is judged by
 * the matchers themselves, so that no pattern has to mean the same in two libraries.
 */
export function streamCondition(matchers: readonly Matcher[]): string {
  const parts = matchers.flatMap(({ type, name, value, regexp }) => {
    const label = `labels[${quote(name)}]`;
    if (type === '=') return [`${label} = ${quote(value)}`];
    if (type === '!=') return [`${label} != ${quote(value)}`];
    if (type !== '=~' || regexp === undefined) return [];
    if (regexp.literals !== undefined)
      return [`${label} IN (${regexp.literals.map(quote).join(',')})`];
    return regexp.prefix === '' ? [] : [`startsWith(${label}, ${quote(regexp.prefix)})`];
  });
  return parts.length === 0 ? '1' : parts.join(' AND ');
}

/** What no entry that passes the filters contradicts: for reading less. */
export function roughConditions(
  filters: readonly LogFilter[],
  streams: ReadonlyMap<bigint, Labels>,
): string[] {
  return filters.flatMap((filter) => {
    if (filter.on === 'line') return exactLine(filter) ?? roughPattern(filter);
    if (filter.on !== 'field' || filter.type !== '=' || filter.value === '') return [];
    const places = filter.places.map((place) => roughPlace(place, filter.value, streams));
    return [`(${places.join(' OR ')})`];
  });
}

/** The condition that is exactly the filter; undefined where SQL has none. */
export function exactLine(filter: LogFilter): string | undefined {
  if (filter.on !== 'line' || filter.type === 'pattern') return undefined;
  const { values, negated } = filter;
  if (values.length === 0) return negated ? '1' : '0';
  const any =
    filter.type === 'contains' ? containsAny(values) : values.map(regexpCondition).join(' OR ');
  return `${negated ? 'NOT ' : ''}(${any})`;
}

/** Needles that one pass over a line looks for. */
const NEEDLES_MAX = 255;
const PLAIN_ALTERNATIVES = /^[^\\.+*?()[\]{}^$|]+(?:\|[^\\.+*?()[\]{}^$|]+)*$/;
/** Other letters have no other case there; K is also Kelvin's sign, and S the long s. */
const CASELESS_PIECE = /[\x20-\x7e]+/g;
const PIECE_LENGTH_MIN = 3;

/** ClickHouse looks for the texts in a pattern by itself, but not for several, nor in any case. */
function regexpCondition(pattern: string): string {
  if (PLAIN_ALTERNATIVES.test(pattern)) return containsAny(pattern.split('|'));
  // ClickHouse's `.` matches newlines unless it is told; the query's does not.
  const match = `match(line, ${quote(`(?-s:${pattern})`)})`;
  const caseless = pattern.startsWith('(?i)') ? pattern.slice(4) : '';
  if (!PLAIN_ALTERNATIVES.test(caseless)) return match;
  const pieces = caseless.split('|').map(longestPiece);
  if (pieces.length > NEEDLES_MAX) return match;
  if (pieces.some((piece) => piece.length < PIECE_LENGTH_MIN)) return match;
  return `(multiSearchAnyCaseInsensitive(line, [${pieces.map(quote).join(',')}]) AND ${match})`;
}

function longestPiece(text: string): string {
  const pieces = text.split(/[kKsS]/).flatMap((part) => part.match(CASELESS_PIECE) ?? []);
  return pieces.reduce((longest, piece) => (piece.length > longest.length ? piece : longest), '');
}

/** Whether a line has any of the texts. */
function containsAny(texts: readonly string[]): string {
  const isOnePass =
    texts.length > 1 &&
    texts.length <= NEEDLES_MAX &&
    !texts.includes('') &&
    !texts.every((text) => wholeWords(text).length > 0);
  if (isOnePass) return `multiSearchAny(line, [${texts.map(quote).join(',')}])`;
  return texts.map(containsCondition).join(' OR ');
}

/** A text that contains whole words lets their index leave out most of what there is. */
function containsCondition(text: string): string {
  if (text === '') return '1';
  const words = wholeWords(text).map((word) => `hasToken(line, ${quote(word)})`);
  return `(${[...words, `position(line, ${quote(text)}) > 0`].join(' AND ')})`;
}

/** Words that have an end on both sides within the text. */
function wholeWords(text: string): string[] {
  // Other letters than ASCII's are parts of words to ClickHouse.
  const inner = /(?<=[^A-Za-z0-9\u0080-\uffff])[A-Za-z0-9]+(?=[^A-Za-z0-9\u0080-\uffff])/g;
  return (text.match(inner) ?? []).filter((word) => word.length > 1).slice(0, 8);
}

/** The texts between the gaps of a pattern are in every line that matches it. */
function roughPattern(filter: LogFilter & { on: 'line' }): string[] {
  if (filter.negated || filter.values.length !== 1) return [];
  const texts = filter.values[0].split('<_>').filter((text) => text !== '');
  return texts.map(containsCondition);
}

/** A value of structured metadata. */
export function metadataSql(name: string): string {
  return name === LEVEL ? LEVEL : `${OTHER_METADATA}[${quote(name)}]`;
}

function roughPlace(place: LogField, value: string, streams: ReadonlyMap<bigint, Labels>): string {
  if (place.from === 'metadata') return `${metadataSql(place.name)} = ${quote(value)}`;
  if (place.from === 'label') {
    const own = [...streams].filter(([, labels]) => labels.get(place.name) === value);
    return own.length === 0 ? '0' : `stream IN (${own.map(([id]) => id).join(',')})`;
  }
  const word = /^[A-Za-z0-9]{2,}$/.test(value) ? `hasToken(line, ${quote(value)}) AND ` : '';
  // Escapes can write a value in other ways.
  return `(${word}position(line, ${quote(value)}) > 0 OR position(line, '\\\\') > 0)`;
}
