/** Transformations that turn series into rows, rows into columns, and order them. */
import {
  compareCells,
  type Cell,
  type Field,
  type Frame,
  field,
  frame,
  nameOf,
  pickRows,
  typeOf,
} from '../frames/frame.ts';
import { reduceValues, reducerName } from '../frames/reduce.ts';
import { flagOf, type Json, recordOf, textOf, textsOf } from '../json.ts';
import { sortsOf } from './group.ts';

/** A row for each series with what was calculated of it, or each field with one value. */
export function reduceFrames(frames: readonly Frame[], options: Json): readonly Frame[] {
  const ids = textsOf(options.reducers).length > 0 ? textsOf(options.reducers) : ['max'];
  if (options.mode === 'reduceFields') return reduceFields(frames, ids[0], options);
  const found = frames.flatMap((one) =>
    one.fields
      .filter(
        ({ type }) => type === 'number' || (flagOf(options.includeTimeField) && type === 'time'),
      )
      .map((each) => ({ each, name: nameOf(each, one, frames) })),
  );
  const labelNames = flagOf(options.labelsToFields)
    ? [...new Set(found.flatMap(({ each }) => Object.keys(each.labels)))].sort()
    : [];
  const columns = ids.map((id) => {
    const values = found.map(({ each }) => reduceValues(each.values, id));
    return field(reducerName(id), typeOf(values), values);
  });
  const labels = labelNames.map((name) =>
    field(
      name,
      'string',
      found.map(({ each }) => each.labels[name] ?? null),
    ),
  );
  const names = found.map(({ each, name }) => (labelNames.length > 0 ? each.name : name));
  return [frame('', '', [field('Field', 'string', names), ...labels, ...columns])];
}

function reduceFields(frames: readonly Frame[], id: string, options: Json): readonly Frame[] {
  return frames.map((one) => ({
    ...one,
    length: 1,
    fields: one.fields
      .filter(({ type }) => type === 'number' || flagOf(options.includeTimeField))
      .map((each) => ({ ...each, values: [reduceValues(each.values, id)] })),
  }));
}

export function sortBy(frames: readonly Frame[], options: Json): readonly Frame[] {
  const [sort] = sortsOf(options);
  if (sort === undefined) return frames;
  return frames.map((one) => {
    const by = one.fields.find((each) => nameOf(each, one, frames) === sort.name);
    if (by === undefined) return one;
    const sign = sort.desc ? -1 : 1;
    const rows = Array.from({ length: one.length }, (_, row) => row);
    rows.sort((a, b) => sign * compareCells(by.values[a] ?? null, by.values[b] ?? null));
    return pickRows(one, rows);
  });
}

/** A row for each series: its labels, and the series itself as a small chart. */
export function timeSeriesTable(frames: readonly Frame[], options: Json): readonly Frame[] {
  const byQuery = new Map<string, Frame[]>();
  for (const one of frames) byQuery.set(one.refId, [...(byQuery.get(one.refId) ?? []), one]);
  return [...byQuery].map(([refId, own]) => {
    const stat = textOf(recordOf(options[refId]).stat, 'lastNotNull');
    const series = own.flatMap(({ fields }) => {
      const time = fields.find(({ type }) => type === 'time');
      return fields
        .filter((each) => each !== time && each.type === 'number')
        .map((each) => ({ time, each }));
    });
    const names = [...new Set(series.flatMap(({ each }) => Object.keys(each.labels)))];
    const labels = names.map((name) =>
      field(
        name,
        'string',
        series.map(({ each }) => each.labels[name] ?? null),
      ),
    );
    const trend: Field = {
      ...field(
        `Trend #${refId}`,
        'number',
        series.map(({ each }) => reduceValues(each.values, stat)),
      ),
      lines: series.map(({ time, each }) => ({ times: time?.values ?? [], values: each.values })),
    };
    return frame(refId, '', [...labels, trend]);
  });
}

/** Each row becomes a field: one column has the names, another the values. */
export function rowsToFields(frames: readonly Frame[], options: Json): readonly Frame[] {
  const roles = Array.isArray(options.mappings) ? options.mappings.map(recordOf) : [];
  return frames.map((one) => {
    const find = (key: string, otherwise: (each: Field) => boolean) => {
      const name = roles.find(({ handlerKey }) => handlerKey === key)?.fieldName;
      const named = one.fields.find((each) => nameOf(each, one, frames) === name);
      return named ?? one.fields.find(otherwise);
    };
    const names = find('field.name', ({ type }) => type === 'string');
    const values = find('field.value', ({ type }) => type === 'number');
    if (names === undefined || values === undefined) return one;
    const units = find('unit', () => false);
    const fields = names.values.map((name, row) => {
      const value = values.values[row] ?? null;
      return field(String(name), values.type, [value], { unit: textOf(units?.values[row]) });
    });
    return frame(one.refId, one.name, fields);
  });
}

export function transpose(frames: readonly Frame[], options: Json): readonly Frame[] {
  return frames.map((one) => {
    const [first, ...rest] = one.fields;
    if (first === undefined) return one;
    const head = textOf(options.firstFieldName) || nameOf(first, one, frames);
    const names = field(
      head,
      'string',
      rest.map((each) => nameOf(each, one, frames)),
    );
    const columns = first.values.map((name, row) => {
      const values: Cell[] = rest.map((each) => each.values[row] ?? null);
      return field(String(name), typeOf(values), values);
    });
    return frame(one.refId, one.name, [names, ...columns]);
  });
}
