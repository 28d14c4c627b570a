/**
 * Fields of entries as expressions in SQL, exactly as LogQL's stages would show them, and the
 * condition under which they are not: rows for which it holds have to be read by the engine.
 */
import type { Labels, LogField, LogFilter, LogUnit } from '@tyto/model';
import { quote } from './clickhouse.ts';
import { HOT_FIELDS } from './lineFormat.ts';
import { exactLine, metadataSql } from './logSql.ts';

/** An expression with the rows where it is not sure. */
export interface Exact {
  readonly sql: string;
  /** '0' where it is right for all rows. */
  readonly unsure: string;
}

/** Names that mean themselves in a text search and in a pattern. */
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;
/** Labels that no key which begins with a digit becomes. */
const PLAIN_LABEL = /^[A-Za-z][A-Za-z0-9_]{0,199}$/;
/** What Go and ClickHouse read alike. */
const PLAIN_NUMBER = '^-?[0-9]+(\\\\.[0-9]+)?([eE][+-]?[0-9]{1,2})?$';
const NUMBER_LENGTH_MAX = 30;

export class ExactFields {
  readonly #streams: ReadonlyMap<bigint, Labels>;

  constructor(streams: ReadonlyMap<bigint, Labels>) {
    this.#streams = streams;
  }

  /** The first place that has a value, '' where none has. Undefined where SQL can't tell. */
  value(places: readonly LogField[]): Exact | undefined {
    const parts: Exact[] = [];
    for (const place of places) {
      const part = this.#place(place);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    if (parts.length === 0) return { sql: "''", unsure: '0' };
    if (parts.length === 1) return parts[0];
    const tries = parts.slice(0, -1).map(({ sql }) => `(${sql}) != '', ${sql}`);
    const sql = `multiIf(${[...tries, parts[parts.length - 1].sql].join(', ')})`;
    return { sql, unsure: anyOf(parts.map(({ unsure }) => unsure)) };
  }

  /** A value as a number; NULL where the field is not there. */
  number(places: readonly LogField[], unit: LogUnit): Exact | undefined {
    const value = this.value(places);
    if (value === undefined || unit !== 'number') return undefined;
    const { sql } = value;
    const isPlain = `(match(${sql}, '${PLAIN_NUMBER}') AND length(${sql}) <= ${NUMBER_LENGTH_MAX})`;
    return {
      sql: `toFloat64OrNull(${sql})`,
      unsure: anyOf([value.unsure, `(${sql} != '' AND NOT ${isPlain})`]),
    };
  }

  /** Whether an entry passes. */
  filter(filter: LogFilter): Exact | undefined {
    if (filter.on === 'line') {
      const sql = exactLine(filter);
      return sql === undefined ? undefined : { sql, unsure: '0' };
    }
    if (filter.on === 'number') {
      const value = this.number(filter.places, filter.unit);
      if (value === undefined || !Number.isFinite(filter.value)) return undefined;
      const operator = filter.type === '==' ? '=' : filter.type;
      return { ...value, sql: `ifNull(${value.sql} ${operator} ${filter.value}, 0)` };
    }
    const value = this.value(filter.places);
    if (value === undefined) return undefined;
    const { type } = filter;
    if (type === '=' || type === '!=') {
      return { ...value, sql: `(${value.sql} ${type} ${quote(filter.value)})` };
    }
    const sql = `match(${value.sql}, ${quote(`^(?s:${filter.value})$`)})`;
    return { ...value, sql: type === '=~' ? sql : `(NOT ${sql})` };
  }

  #place(place: LogField): Exact | undefined {
    switch (place.from) {
      case 'label':
        return { sql: this.#label(place.name), unsure: '0' };
      case 'metadata':
        return { sql: metadataSql(place.name), unsure: '0' };
      case 'json':
        return jsonField(place.path);
      case 'logfmt':
        return logfmtField(place.key);
      case 'json_label':
        return jsonLabel(place.name);
      case 'logfmt_label':
        return logfmtLabel(place.name);
    }
  }

  /** Labels are few and known, so they come with the query. */
  #label(name: string): string {
    const byValue = new Map<string, bigint[]>();
    for (const [id, labels] of this.#streams) {
      const value = labels.get(name);
      if (value === '') continue;
      const ids = byValue.get(value) ?? [];
      byValue.set(value, ids);
      ids.push(id);
    }
    if (byValue.size === 0) return "''";
    if (byValue.size === 1) {
      const [[value, ids]] = byValue;
      if (ids.length === this.#streams.size) return quote(value);
    }
    const ids = [...byValue.values()].flat().map((id) => `toUInt64(${id})`);
    const values = [...byValue].flatMap(([value, own]) => own.map(() => quote(value)));
    return `transform(stream, [${ids.join(',')}], [${values.join(',')}], '')`;
  }
}

/** Any of the conditions; those that never hold are left out. */
export function anyOf(conditions: readonly string[]): string {
  const own = [...new Set(conditions.filter((condition) => condition !== '0'))];
  return own.length === 0 ? '0' : `(${own.join(' OR ')})`;
}

function jsonField(path: readonly (string | number)[]): Exact | undefined {
  const [name] = path;
  if (path.length !== 1 || typeof name !== 'string') return undefined;
  if (isHot(name)) {
    return { sql: `if(kind IN ('json', 'nested'), ${name}, '')`, unsure: "(kind = 'odd')" };
  }
  if (!PLAIN_NAME.test(name)) return undefined;
  const raw = `simpleJSONExtractRaw(line, ${quote(name)})`;
  const bare = `if(startsWith(${raw}, '"'), substring(${raw}, 2, length(${raw}) - 2), ${raw})`;
  return {
    sql: `if(kind != 'json' OR ${raw} = 'null', '', ${bare})`,
    unsure: `(kind = 'odd' OR (kind = 'nested' AND position(line, '"${name}"') > 0))`,
  };
}

function logfmtField(key: string): Exact | undefined {
  const unsure = "(kind != 'logfmt')";
  if (isHot(key)) return { sql: `if(kind = 'logfmt', ${key}, '')`, unsure };
  if (!PLAIN_NAME.test(key)) return undefined;
  const raw = `extract(line, '(?:^| )${key}=("[^"]*"|[^ "]*)')`;
  const bare = `if(startsWith(${raw}, '"'), substring(${raw}, 2, length(${raw}) - 2), ${raw})`;
  return { sql: `if(kind = 'logfmt', ${bare}, '')`, unsure };
}

/**
 * The field of exactly this name. Not sure are lines with a key that the stage would call the same,
 * and nested ones in which all parts of the name occur.
 */
function jsonLabel(name: string): Exact | undefined {
  const field = PLAIN_LABEL.test(name) ? jsonField([name]) : undefined;
  if (field === undefined) return undefined;
  const other = '[^A-Za-z0-9_"]';
  const same = name.replaceAll('_', '[^A-Za-z0-9"]');
  // Spaces around a key are cut off.
  const keys = [...otherKeys(name, other, '[^A-Za-z0-9"]'), `${other}+${same}${other}*`];
  const likeness = quote(`"(?:${[...keys, `${same}${other}+`].join('|')})":`);
  const parts = name.split('_').filter((part) => part !== '');
  const inside = parts.map((part) => `position(line, ${quote(part)}) > 0`).join(' AND ');
  const nested = `(kind = 'nested' AND ((${inside}) OR position(line, '\\\\u') > 0))`;
  const unsure = anyOf(["(kind = 'odd')", nested, `(kind = 'json' AND match(line, ${likeness}))`]);
  return { sql: field.sql, unsure };
}

function logfmtLabel(name: string): Exact | undefined {
  const field = PLAIN_LABEL.test(name) ? logfmtField(name) : undefined;
  if (field === undefined) return undefined;
  const keys = otherKeys(name, '[.-]', '[._-]').join('|');
  return { sql: field.sql, unsure: anyOf([field.unsure, `match(line, '(?:^| )(?:${keys})=')`]) };
}

/** Patterns of the keys of this name that have another character for an underscore of it. */
function otherKeys(name: string, other: string, any: string): string[] {
  const parts = name.split('_');
  return parts.slice(1).map((_, place) => {
    const gap = (i: number) => (i === 0 ? '' : i === place + 1 ? other : any);
    return parts.map((part, i) => `${gap(i)}${part}`).join('');
  });
}

function isHot(name: string): boolean {
  return (HOT_FIELDS as readonly string[]).includes(name);
}
