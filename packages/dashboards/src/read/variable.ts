/** Variables of a dashboard. */
import {
  flagOf,
  isRecord,
  type Json,
  listOf,
  numberOf,
  recordOf,
  recordsOf,
  textOf,
} from '../json.ts';
import type { Variable, VariableType } from '../model.ts';
import { datasourceOf } from './panel.ts';

const TYPES: readonly VariableType[] = [
  'query',
  'custom',
  'interval',
  'textbox',
  'datasource',
  'adhoc',
  'constant',
  'switch',
  'groupby',
];
const REFRESH = ['never', 'load', 'time'] as const;
const HIDE = ['nothing', 'label', 'all'] as const;
const AUTO_STEPS = 30;

export function variablesOf(templating: unknown): readonly Variable[] {
  return recordsOf(recordOf(templating).list).flatMap((json) => {
    const type = TYPES.find((one) => one === json.type);
    const name = textOf(json.name);
    return type === undefined || name === '' ? [] : [variableOf(json, name, type)];
  });
}

function variableOf(json: Json, name: string, type: VariableType): Variable {
  return {
    name,
    type,
    label: textOf(json.label),
    description: textOf(json.description),
    hide: HIDE[numberOf(json.hide) ?? 0] ?? 'nothing',
    datasource: datasourceOf(json.datasource),
    query: queryOf(json),
    regex: textOf(json.regex),
    sort: numberOf(json.sort) ?? 0,
    // Older files have a flag.
    refresh: REFRESH[json.refresh === true ? 1 : (numberOf(json.refresh) ?? 0)] ?? 'load',
    isMulti: flagOf(json.multi),
    includesAll: flagOf(json.includeAll),
    allValue: textOf(json.allValue),
    current: valuesOf(recordOf(json.current).value),
    options: recordsOf(json.options).map(({ text, value }) => ({
      text: textOf(text),
      value: textOf(value),
    })),
    auto: isAuto(json)
      ? { steps: numberOf(json.auto_count) ?? AUTO_STEPS, min: textOf(json.auto_min, '10s') }
      : undefined,
  };
}

function isAuto({ type, auto }: Json): boolean {
  return type === 'interval' && flagOf(auto);
}

/** A text, or in newer files an object with it. */
function queryOf({ query, definition }: Json): string {
  if (!isRecord(query)) return textOf(query) || textOf(definition);
  return textOf(query.query) || textOf(query.expr) || textOf(definition);
}

function valuesOf(value: unknown): readonly string[] {
  const values = Array.isArray(value) ? listOf(value) : [value];
  return values.map((one) => textOf(one)).filter((one) => one !== '');
}
