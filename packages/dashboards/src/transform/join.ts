/** Transformations that make one table of several series. */
import {
  compareCells,
  type Cell,
  type Field,
  type Frame,
  field,
  frame,
  nameOf,
} from '../frames/frame.ts';
import { type Json, recordOf, textOf, textsOf } from '../json.ts';

/** One frame with the values of all at each value of a field; that of the time is the default. */
export function joinByField(frames: readonly Frame[], options: Json): readonly Frame[] {
  const name = textOf(options.byField);
  const parts = frames.flatMap((one) => {
    const key = one.fields.find((candidate) =>
      name === ''
        ? candidate.type === 'time'
        : nameOf(candidate, one, frames) === name || candidate.name === name,
    );
    return key === undefined ? [] : [{ one, key }];
  });
  if (parts.length === 0) return frames;
  if (parts.length === 1) return [parts[0].one];
  const lists = parts.map(({ key }) => key.values);
  const keys = options.mode === 'inner' ? common(lists) : union(lists);
  const rowOf = new Map(keys.map((value, row) => [value, row]));
  const fields: Field[] = [{ ...parts[0].key, values: keys }];
  for (const { one, key } of parts) {
    const rows = key.values.map((value) => rowOf.get(value));
    for (const other of one.fields) {
      if (other === key) continue;
      const values = new Array<Cell>(keys.length).fill(null);
      rows.forEach((row, i) => {
        if (row !== undefined) values[row] = other.values[i] ?? null;
      });
      const displayName = other.displayName === '' ? nameOf(other, one, frames) : other.displayName;
      fields.push({ ...other, values, displayName });
    }
  }
  return [frame('', '', fields)];
}

function union(lists: readonly (readonly Cell[])[]): Cell[] {
  return [...new Set(lists.flat())].filter((value) => value !== null).sort(compareCells);
}

function common(lists: readonly (readonly Cell[])[]): Cell[] {
  const sets = lists.slice(1).map((list) => new Set(list));
  return [...new Set(lists[0])].filter(
    (value) => value !== null && sets.every((set) => set.has(value)),
  );
}

/** Rows of all frames in one table; those that agree where they meet are one row. */
export function merge(frames: readonly Frame[]): readonly Frame[] {
  const filled = frames.filter(({ fields }) => fields.length > 0);
  if (filled.length < 2) return filled;
  const names = new Map<string, Field>();
  for (const one of filled) {
    for (const each of one.fields) {
      const name = nameOf(each, one, filled);
      if (!names.has(name)) names.set(name, each);
    }
  }
  const columns = [...names.keys()];
  const inAll = columns.filter((name) =>
    filled.every((one) => one.fields.some((each) => nameOf(each, one, filled) === name)),
  );
  const rows: Map<string, Cell>[] = [];
  const byKey = new Map<string, Map<string, Cell>[]>();
  for (const one of filled) {
    const own = one.fields.map((each) => ({ name: nameOf(each, one, filled), each }));
    for (let i = 0; i < one.length; i++) {
      const row = new Map(own.map(({ name, each }) => [name, each.values[i] ?? null]));
      const key = JSON.stringify(inAll.map((name) => row.get(name) ?? null));
      const known = byKey.get(key)?.find((candidate) => agrees(candidate, row));
      if (known !== undefined) {
        for (const [name, value] of row) known.set(name, value);
        continue;
      }
      rows.push(row);
      byKey.set(key, [...(byKey.get(key) ?? []), row]);
    }
  }
  const fields = columns.map((name) => ({
    ...(names.get(name) as Field),
    values: rows.map((row) => row.get(name) ?? null),
  }));
  return [frame('', '', fields)];
}

function agrees(a: ReadonlyMap<string, Cell>, b: ReadonlyMap<string, Cell>): boolean {
  for (const [name, value] of b) if (a.has(name) && a.get(name) !== value) return false;
  return true;
}

/** One table with the columns Time, Metric and Value. */
export function seriesToRows(frames: readonly Frame[]): readonly Frame[] {
  const rows: { time: Cell; metric: string; value: Cell }[] = [];
  for (const one of frames) {
    const time = one.fields.find(({ type }) => type === 'time');
    for (const each of one.fields) {
      if (each === time || time === undefined) continue;
      const metric = nameOf(each, one, frames);
      each.values.forEach((value, i) => {
        rows.push({ time: time.values[i] ?? null, metric, value });
      });
    }
  }
  rows.sort((a, b) => compareCells(b.time, a.time));
  const column = (pick: (row: (typeof rows)[number]) => Cell) => rows.map(pick);
  return [
    frame('', '', [
      field(
        'Time',
        'time',
        column(({ time }) => time),
      ),
      field(
        'Metric',
        'string',
        column(({ metric }) => metric),
      ),
      field(
        'Value',
        'number',
        column(({ value }) => value),
      ),
    ]),
  ];
}

/** All fields of all frames side by side. */
export function concatenate(frames: readonly Frame[], options: Json): readonly Frame[] {
  const addsNames = options.frameNameMode === 'label';
  const fields = frames.flatMap((one) =>
    one.fields.map((each) =>
      addsNames && one.name !== ''
        ? {
            ...each,
            labels: { ...each.labels, [textOf(options.frameNameLabel, 'frame')]: one.name },
          }
        : each,
    ),
  );
  return fields.length === 0 ? [] : [frame('', '', fields)];
}

/** Labels as columns; one of them may name the value. */
export function labelsToFields(frames: readonly Frame[], options: Json): readonly Frame[] {
  const valueLabel = textOf(options.valueLabel);
  const wanted = textsOf(options.keepLabels);
  if (options.mode === 'rows') return labelRows(frames);
  const wide = frames.flatMap((one) => {
    const time = one.fields.filter(({ type }) => type === 'time');
    const values = one.fields.filter(({ type }) => type !== 'time');
    return values.map((each) => {
      const labels = Object.entries(each.labels).filter(
        ([name]) => name !== valueLabel && (wanted.length === 0 || wanted.includes(name)),
      );
      const columns = labels.map(([name, value]) =>
        field(name, 'string', new Array<Cell>(each.values.length).fill(value)),
      );
      const name = recordOf(each.labels)[valueLabel];
      const value = { ...each, labels: {}, name: textOf(name, each.name) };
      return frame(one.refId, one.name, [...time, ...columns, value]);
    });
  });
  return merge(wide);
}

function labelRows(frames: readonly Frame[]): readonly Frame[] {
  return frames.flatMap((one) =>
    one.fields
      .filter(({ labels }) => Object.keys(labels).length > 0)
      .map((each) => {
        const entries = Object.entries(each.labels);
        const names = entries.map(([name]) => name);
        const values = entries.map(([, value]) => value);
        return frame(one.refId, nameOf(each, one, frames), [
          field('label', 'string', names),
          field('value', 'string', values),
        ]);
      }),
  );
}
