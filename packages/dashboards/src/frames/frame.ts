/** Data of panels as columns: what queries answer, what transformations change, what is drawn. */

export type Cell = number | string | boolean | null;

export type FieldType = 'time' | 'number' | 'string' | 'boolean';

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** Times are milliseconds since 1970. */
  readonly values: readonly Cell[];
  readonly labels: Readonly<Record<string, string>>;
  /** What a transformation or a legend calls it; '' for its own name. */
  readonly displayName: string;
  /** A unit of its own, which transformations give; '' for the panel's. */
  readonly unit: string;
  /** Behind each value the series that it is of, for a small chart in a table. */
  readonly lines?: readonly Line[];
}

export interface Line {
  readonly times: readonly Cell[];
  readonly values: readonly Cell[];
}

export interface Frame {
  /** Of the query that gave it; '' where several did. */
  readonly refId: string;
  readonly name: string;
  readonly fields: readonly Field[];
  readonly length: number;
}

export function field(
  name: string,
  type: FieldType,
  values: readonly Cell[],
  more: Partial<Pick<Field, 'labels' | 'displayName' | 'unit'>> = {},
): Field {
  return { name, type, values, labels: {}, displayName: '', unit: '', ...more };
}

/** Shorter fields are taken to end in nothing. */
export function frame(refId: string, name: string, fields: readonly Field[]): Frame {
  const length = Math.max(0, ...fields.map(({ values }) => values.length));
  return { refId, name, fields, length };
}

/** How a field is called where people see it, and where other parts of a panel refer to it. */
export function nameOf(of: Field, inside?: Frame, all: readonly Frame[] = []): string {
  if (of.displayName !== '') return of.displayName;
  const labels = Object.entries(of.labels);
  if (labels.length === 0) {
    // One number of each query is called by its frame, if that has a name.
    const isSeries = inside !== undefined && inside.name !== '' && of.type !== 'time';
    return isSeries && all.length > 1 ? inside.name : of.name;
  }
  if (labels.length === 1 && of.name === 'Value') return labels[0][1];
  const text = labels.map(([name, value]) => `${name}="${value}"`).join(', ');
  return of.name === 'Value' ? `{${text}}` : `${of.name} {${text}}`;
}

/** The rows of some indexes, in that order. */
export function pickRows(from: Frame, rows: readonly number[]): Frame {
  const fields = from.fields.map((one) => ({
    ...one,
    values: rows.map((row) => one.values[row] ?? null),
  }));
  return { ...from, fields, length: rows.length };
}

/** Nothing comes first; numbers by size, all else as people read it. */
export function compareCells(a: Cell, b: Cell): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  if (typeof a === 'number' && typeof b === 'number') return a - b || (Number.isNaN(a) ? -1 : 1);
  return collator.compare(String(a), String(b));
}

const collator = new Intl.Collator('en', { numeric: true });

export function typeOf(values: readonly Cell[]): FieldType {
  const first = values.find((value) => value !== null);
  if (typeof first === 'number') return 'number';
  return typeof first === 'boolean' ? 'boolean' : 'string';
}
