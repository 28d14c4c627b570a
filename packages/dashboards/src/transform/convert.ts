/** Transformations of what a field's values are. */
import { type Cell, type Field, type FieldType, type Frame, nameOf } from '../frames/frame.ts';
import { type Json, recordsOf, textOf } from '../json.ts';
import { dateTime } from '../values/times.ts';

export function convertFieldType(frames: readonly Frame[], options: Json): readonly Frame[] {
  const wanted = new Map(
    recordsOf(options.conversions).map(({ targetField, destinationType }) => [
      textOf(targetField),
      textOf(destinationType),
    ]),
  );
  return frames.map((one) => ({
    ...one,
    fields: one.fields.map((each) => {
      const type = wanted.get(nameOf(each, one, frames));
      return type === undefined ? each : converted(each, type);
    }),
  }));
}

function converted(each: Field, type: string): Field {
  const as = (to: FieldType, convert: (value: Cell) => Cell): Field => ({
    ...each,
    type: to,
    values: each.values.map((value) => (value === null ? null : convert(value))),
  });
  switch (type) {
    case 'number':
      return as('number', (value) => numberOrNull(Number(value)));
    case 'time':
      return as('time', (value) =>
        numberOrNull(typeof value === 'number' ? value : Date.parse(String(value))),
      );
    case 'boolean':
      return as('boolean', (value) => value !== 'false' && value !== '0' && Boolean(value));
    case 'string':
    case 'enum':
    case 'other':
      return as('string', (value) => String(value));
    default:
      return each;
  }
}

function numberOrNull(value: number): Cell {
  return Number.isNaN(value) ? null : value;
}

/** A field of times as texts. */
export function formatTimes(frames: readonly Frame[], options: Json): readonly Frame[] {
  const name = textOf(options.timeField);
  const zone = textOf(options.timezone);
  const timeZone = zone === '' || zone === 'browser' ? undefined : zone === 'utc' ? 'UTC' : zone;
  return frames.map((one) => ({
    ...one,
    fields: one.fields.map((each) => {
      if (nameOf(each, one, frames) !== name) return each;
      const values = each.values.map((value) => {
        const ms = typeof value === 'number' ? value : Date.parse(String(value));
        return Number.isNaN(ms) ? null : dateTime(ms, textOf(options.outputFormat), timeZone);
      });
      return { ...each, type: 'string' as const, values };
    }),
  }));
}
