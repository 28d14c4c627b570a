/** How values of a panel are shown: units, thresholds, mappings, overrides. */
import { flagOf, isRecord, type Json, numberOf, recordOf, recordsOf, textOf } from '../json.ts';
import type { FieldConfig, FieldSettings, Mapping, Shown, Thresholds } from '../model.ts';
import { linksOf } from './links.ts';

export function fieldConfigOf(value: unknown): FieldConfig {
  const { defaults, overrides } = recordOf(value);
  return {
    defaults: settingsOf(recordOf(defaults)),
    overrides: recordsOf(overrides).map(({ matcher, properties }) => {
      const { id, options } = recordOf(matcher);
      return {
        matcher: { id: textOf(id), options },
        properties: recordsOf(properties).map((property) => ({
          id: textOf(property.id),
          value: property.value,
        })),
      };
    }),
  };
}

function settingsOf(given: Json): FieldSettings {
  const { mode, fixedColor, seriesBy } = recordOf(given.color);
  return {
    unit: textOf(given.unit),
    decimals: numberOf(given.decimals),
    min: numberOf(given.min),
    max: numberOf(given.max),
    displayName: textOf(given.displayName) || textOf(given.title),
    noValue: textOf(given.noValue),
    color: {
      mode: textOf(mode, 'palette-classic'),
      fixedColor: textOf(fixedColor),
      seriesBy: textOf(seriesBy, 'last'),
    },
    thresholds: thresholdsOf(given.thresholds),
    mappings: mappingsOf(given.mappings),
    links: linksOf(given.links),
    custom: recordOf(given.custom),
  };
}

/** Grafana's own where there are none: green, and red from 80 on. */
const DEFAULT_STEPS = [
  { from: -Infinity, color: 'green' },
  { from: 80, color: 'red' },
];

/** Steps in rising order. */
function thresholdsOf(value: unknown): Thresholds {
  // Before version 20 it was the list of steps alone.
  const given = recordOf(Array.isArray(value) ? { steps: value } : value);
  const steps = recordsOf(given.steps)
    .map((step, i) => ({
      // The first has no value, or a wrong one that editors wrote.
      from: i === 0 ? -Infinity : (numberOf(step.value) ?? -Infinity),
      color: textOf(step.color, 'green'),
    }))
    .sort((a, b) => a.from - b.from);
  return {
    mode: given.mode === 'percentage' ? 'percentage' : 'absolute',
    steps: steps.length > 0 || given.steps !== undefined ? steps : DEFAULT_STEPS,
  };
}

/** Those of today, and the two kinds of before. */
function mappingsOf(value: unknown): readonly Mapping[] {
  return recordsOf(value).flatMap((mapping): Mapping[] => {
    if (typeof mapping.type === 'number') return oldMapping(mapping);
    const options = recordOf(mapping.options);
    const shown = shownOf(options.result);
    switch (mapping.type) {
      case 'value': {
        const values = Object.entries(options).map(([text, to]) => [text, shownOf(to)] as const);
        return [{ type: 'value', values: new Map(values) }];
      }
      case 'range': {
        const [from, to] = [numberOf(options.from) ?? -Infinity, numberOf(options.to) ?? Infinity];
        return [{ type: 'range', from, to, shown }];
      }
      case 'regex':
        return [{ type: 'regex', pattern: textOf(options.pattern), shown }];
      case 'special':
        return [{ type: 'special', match: textOf(options.match), shown }];
      default:
        return [];
    }
  });
}

/** Before version 30: 1 for a value, 2 for a range. */
function oldMapping({ type, value, from, to, text }: Json): Mapping[] {
  const shown = { text: textOf(text), color: '' };
  if (type === 2) {
    const range = { from: numberOf(from) ?? -Infinity, to: numberOf(to) ?? Infinity };
    return [{ type: 'range', ...range, shown }];
  }
  if (value === 'null') return [{ type: 'special', match: 'null', shown }];
  return [{ type: 'value', values: new Map([[textOf(value), shown]]) }];
}

function shownOf(value: unknown): Shown {
  const { text, color } = recordOf(value);
  return { text: textOf(text), color: textOf(color) };
}

/** Whether a flag is set that older files have as a number. */
export function isSet(value: unknown): boolean {
  return flagOf(value) || (!isRecord(value) && (numberOf(value) ?? 0) > 0);
}
