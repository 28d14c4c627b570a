/**
 * What of a pipeline a store may know: filters of lines as long as no stage has changed them, and
 * filters of labels whose places are certain.
 */
import type { LogField, LogFilter } from '@tyto/model';
import type { LabelFilter, LineFilter, LogqlStage } from '@tyto/syntax';
import { ERROR, ERROR_DETAILS } from './pipeline/workingEntry.ts';

export type LineParser = 'json' | 'logfmt';

/** What all of a pipeline says to a store. */
export interface Hints {
  readonly filters: readonly LogFilter[];
  /** Whether the filters say all that the pipeline does, apart from extracting labels. */
  readonly isExact: boolean;
  readonly parser: LineParser | undefined;
}

/** `withNumbers` is for aggregations, where a value that is no number is told apart. */
export function hintsOf(stages: readonly LogqlStage[], withNumbers: boolean): Hints {
  const filters: LogFilter[] = [];
  let isExact = true;
  let parser: LineParser | undefined;
  let lineChanged = false;
  let labelsUnknown = false;
  for (const stage of stages) {
    switch (stage.kind) {
      case 'line_filter': {
        const filter = lineChanged ? undefined : lineHint(stage);
        if (filter !== undefined) filters.push(filter);
        isExact &&= filter !== undefined && filter.on === 'line' && filter.type !== 'pattern';
        break;
      }
      case 'label_filter': {
        const found = labelsUnknown ? undefined : labelHints(stage.filter, parser, withNumbers);
        if (found === undefined) isExact = false;
        else {
          filters.push(...found.filters);
          isExact &&= found.isExact;
        }
        break;
      }
      case 'json':
      case 'logfmt':
        if (parser !== undefined || stage.extractions.length > 0 || lineChanged) {
          labelsUnknown = true;
          isExact = false;
        } else if (stage.kind === 'logfmt' && (stage.strict || stage.keepEmpty)) {
          labelsUnknown = true;
          isExact = false;
        } else {
          parser = stage.kind;
        }
        break;
      default:
        isExact = false;
        labelsUnknown = true;
        lineChanged ||= /^(?:line_format|decolorize|unpack)$/.test(stage.kind);
    }
  }
  return { filters, isExact, parser };
}

function lineHint({ operator, alternatives }: LineFilter): LogFilter | undefined {
  if (alternatives.some(({ isIp }) => isIp)) return undefined;
  const types = { '=': 'contains', '~': 'regexp', '>': 'pattern' } as const;
  const type = types[operator[1] as keyof typeof types];
  const values = alternatives.map(({ value }) => value);
  return { on: 'line', type, negated: operator.startsWith('!'), values };
}

interface LabelHints {
  readonly filters: readonly LogFilter[];
  readonly isExact: boolean;
}

function labelHints(
  filter: LabelFilter,
  parser: LineParser | undefined,
  withNumbers: boolean,
): LabelHints {
  const unknown = { filters: [], isExact: false };
  switch (filter.kind) {
    case 'and': {
      const left = labelHints(filter.left, parser, withNumbers);
      const right = labelHints(filter.right, parser, withNumbers);
      const filters = [...left.filters, ...right.filters];
      return { filters, isExact: left.isExact && right.isExact };
    }
    case 'string': {
      const { name, type, value } = filter.matcher;
      // Where no entry fails, such a filter passes all; the caller looks for those that do.
      if (name === ERROR || name === ERROR_DETAILS) {
        return { filters: [], isExact: filter.matcher.matches('') };
      }
      const places = placesOf(name, parser);
      if (places === undefined) return unknown;
      return { filters: [{ on: 'field', places, type, value }], isExact: true };
    }
    case 'number':
    case 'duration':
    case 'bytes': {
      const places = placesOf(filter.label, parser);
      if (places === undefined || !withNumbers) return unknown;
      const value = filter.kind === 'duration' ? filter.value / 1e9 : filter.value;
      const { kind: unit, operator: type } = filter;
      return { filters: [{ on: 'number', places, unit, type, value }], isExact: true };
    }
    default:
      return unknown;
  }
}

/** Where a label of that name is looked for; undefined where it can't be told. */
export function placesOf(
  name: string,
  parser: LineParser | undefined,
): readonly LogField[] | undefined {
  if (name.endsWith('_extracted') || name.startsWith('__')) return undefined;
  const label: LogField = { from: 'label', name };
  const metadata: LogField = { from: 'metadata', name };
  if (parser === undefined) return [label, metadata];
  return [label, metadata, parsedField(name, parser)];
}

function parsedField(name: string, parser: LineParser): LogField {
  if (name.includes('_')) return { from: `${parser}_label`, name };
  return parser === 'json' ? { from: 'json', path: [name] } : { from: 'logfmt', key: name };
}
