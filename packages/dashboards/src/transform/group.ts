/** Transformations by the values of fields. */
import {
  type Cell,
  type Field,
  type Frame,
  field,
  frame,
  nameOf,
  pickRows,
  typeOf,
} from '../frames/frame.ts';
import { reduceValues } from '../frames/reduce.ts';
import { type Json, recordOf, recordsOf, textOf, textsOf } from '../json.ts';

/** A row for each value of what is grouped by, and of the others what is asked for. */
export function groupBy(frames: readonly Frame[], options: Json): readonly Frame[] {
  const settings = recordOf(options.fields);
  const of = (name: string) => recordOf(settings[name]);
  return frames.map((one) => {
    const named = one.fields.map((each) => ({ each, name: nameOf(each, one, frames) }));
    const keys = named.filter(({ name }) => of(name).operation === 'groupby');
    if (keys.length === 0) return one;
    const groups = [
      ...groupRows(
        one,
        keys.map(({ each }) => each),
      ).values(),
    ];
    const columns: Field[] = keys.map(({ each }) => ({
      ...each,
      values: groups.map(([row]) => each.values[row] ?? null),
    }));
    for (const { each, name } of named) {
      if (of(name).operation !== 'aggregate') continue;
      for (const id of textsOf(of(name).aggregations)) {
        const values = groups.map((rows) =>
          reduceValues(
            rows.map((row) => each.values[row] ?? null),
            id,
          ),
        );
        const type = each.type === 'time' && values.every(isTime) ? 'time' : typeOf(values);
        columns.push(field(`${name} (${id})`, type, values, { unit: each.unit }));
      }
    }
    return frame(one.refId, one.name, columns);
  });
}

function isTime(value: Cell): boolean {
  return typeof value === 'number' && value > 1e9;
}

/** Rows by the texts of some fields, in the order in which they first occur. */
function groupRows(one: Frame, keys: readonly Field[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (let row = 0; row < one.length; row++) {
    const key = JSON.stringify(keys.map(({ values }) => values[row] ?? null));
    const rows = groups.get(key);
    if (rows === undefined) groups.set(key, [row]);
    else rows.push(row);
  }
  return groups;
}

/** The values of one field as columns, those of another as rows. */
export function groupingToMatrix(frames: readonly Frame[], options: Json): readonly Frame[] {
  const [one] = frames;
  if (one === undefined) return frames;
  const find = (name: unknown, otherwise: string) =>
    one.fields.find((each) => nameOf(each, one, frames) === textOf(name, otherwise));
  const columnField = find(options.columnField, 'Time');
  const rowField = find(options.rowField, 'Time');
  const valueField = find(options.valueField, 'Value');
  if (columnField === undefined || rowField === undefined || valueField === undefined) {
    return frames;
  }
  const [columns, rows] = [distinct(columnField.values), distinct(rowField.values)];
  const empty = { empty: '', null: null, zero: 0, true: true, false: false };
  const missing = empty[textOf(options.emptyValue, 'empty') as keyof typeof empty] ?? '';
  const cells = new Map<string, Cell>();
  for (let row = 0; row < one.length; row++) {
    const key = JSON.stringify([rowField.values[row] ?? null, columnField.values[row] ?? null]);
    cells.set(key, valueField.values[row] ?? null);
  }
  const corner = `${nameOf(rowField, one, frames)}\\${nameOf(columnField, one, frames)}`;
  return [
    frame(one.refId, one.name, [
      { ...rowField, name: corner, displayName: '', values: rows },
      ...columns.map((column) =>
        field(
          String(column),
          valueField.type,
          rows.map((row) => cells.get(JSON.stringify([row, column])) ?? missing),
        ),
      ),
    ]),
  ];
}

function distinct(values: readonly Cell[]): Cell[] {
  return [...new Set(values)];
}

/** One frame for each value of some fields. */
export function partitionByValues(frames: readonly Frame[], options: Json): readonly Frame[] {
  const names = new Set(textsOf(options.fields));
  const keepsFields = options.keepFields === true;
  const withNames = recordOf(options.naming).withNames === true;
  return frames.flatMap((one) => {
    const keys = one.fields.filter((each) => names.has(nameOf(each, one, frames)));
    if (keys.length === 0) return [one];
    return [...groupRows(one, keys).values()].map((rows) => {
      const part = pickRows(one, rows);
      const values = keys.map((key) => ({ name: key.name, value: String(key.values[rows[0]]) }));
      const text = values.map(({ name, value }) => (withNames ? `${name}=${value}` : value));
      const fields = keepsFields
        ? part.fields
        : part.fields.filter((_, i) => !keys.includes(one.fields[i]));
      return { ...part, name: text.join(' '), fields };
    });
  });
}

/** Grafana's older form of the same list, too. */
export function sortsOf(options: Json): readonly { name: string; desc: boolean }[] {
  return recordsOf(options.sort ?? options.fields).map(({ field: name, desc }) => ({
    name: textOf(name),
    desc: desc === true,
  }));
}
