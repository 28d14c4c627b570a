/** The table of before version 7, with its styles. */
import { flagOf, isRecord, type Json, numberOf, recordOf, recordsOf, textOf } from '../json.ts';

type Property = { readonly id: string; readonly value: unknown };

const AGGREGATIONS: Readonly<Record<string, string>> = {
  avg: 'mean',
  current: 'lastNotNull',
  total: 'sum',
  min: 'min',
  max: 'max',
  count: 'count',
};

export function isOldTable(panel: Json): boolean {
  return panel.type === 'table-old' || Array.isArray(panel.styles);
}

export function migrateTable(panel: Json): Json {
  const styles = recordsOf(panel.styles);
  const sort = recordOf(panel.sort);
  const { custom = {} } = recordOf(recordOf(panel.fieldConfig).defaults);
  // What is for all columns; what comes first in the list has the last word in overrides.
  const general = styles.find(({ pattern }) => pattern === '/.*/');
  return {
    ...panel,
    type: 'table',
    fieldConfig: {
      defaults: { custom, ...defaultsOf(general) },
      overrides: styles
        .filter((style) => style !== general)
        .reverse()
        .flatMap(overrideOf),
    },
    options: {
      showHeader: flagOf(panel.showHeader, true),
      sortBy: [],
      ...(typeof sort.col === 'number'
        ? { sortColumn: { index: sort.col, desc: flagOf(sort.desc) } }
        : {}),
    },
    transformations: [...transformationsOf(panel), ...recordsOf(panel.transformations)],
  };
}

function defaultsOf(style: Json | undefined): Json {
  if (style === undefined) return {};
  return Object.fromEntries(
    propertiesOf(style)
      .filter(({ id }) => !id.startsWith('custom.'))
      .map(({ id, value }) => [id, value]),
  );
}

function overrideOf(style: Json): Json[] {
  const pattern = textOf(style.pattern);
  const properties = propertiesOf(style);
  if (pattern === '' || properties.length === 0) return [];
  const id = /^\/.*\/[a-z]*$/.test(pattern) ? 'byRegexp' : 'byName';
  return [{ matcher: { id, options: pattern }, properties }];
}

function propertiesOf(style: Json): Property[] {
  const properties: Property[] = [];
  const add = (id: string, value: unknown) => properties.push({ id, value });
  if (textOf(style.alias) !== '') add('displayName', textOf(style.alias));
  if (style.align !== undefined) add('custom.align', textOf(style.align));
  if (style.type === 'hidden') add('custom.hidden', true);
  if (style.type === 'date') add('unit', `time: ${textOf(style.dateFormat)}`);
  if (style.type === 'number') {
    if (textOf(style.unit) !== '') add('unit', textOf(style.unit));
    const decimals = numberOf(style.decimals);
    if (decimals !== undefined) add('decimals', decimals);
  }
  const cell = cellOf(style.colorMode);
  if (cell !== undefined) {
    add('custom.cellOptions', cell);
    add('thresholds', { mode: 'absolute', steps: stepsOf(style) });
  }
  if (flagOf(style.link)) {
    const title = textOf(style.linkTooltip);
    const targetBlank = flagOf(style.linkTargetBlank);
    add('links', [{ title, url: textOf(style.linkUrl), targetBlank }]);
  }
  const mappings = mappingsOf(style);
  if (mappings.length > 0) add('mappings', mappings);
  return properties;
}

function cellOf(colorMode: unknown): Json | undefined {
  switch (colorMode) {
    case 'cell':
    case 'row':
      return { type: 'color-background', applyToRow: colorMode === 'row' };
    case 'value':
      return { type: 'color-text' };
    default:
      return undefined;
  }
}

function stepsOf(style: Json): Json[] {
  const colors = Array.isArray(style.colors) ? style.colors.map((color) => textOf(color)) : [];
  const given = Array.isArray(style.thresholds) ? style.thresholds : [];
  const limits = given.flatMap((value) => numberOf(value) ?? []);
  return [null, ...limits].map((value, i) => ({ value, color: colors[i] ?? 'text' }));
}

function mappingsOf(style: Json): Json[] {
  const values = recordsOf(style.valueMaps).map(({ value, text }) => ({
    type: 'value',
    options: { [textOf(value)]: { text: textOf(text) } },
  }));
  const ranges = recordsOf(style.rangeMaps).map(({ from, to, text }) => ({
    type: 'range',
    options: { from, to, result: { text: textOf(text) } },
  }));
  return [...values, ...ranges];
}

function transformationsOf(panel: Json): Json[] {
  switch (panel.transform) {
    case 'timeseries_to_rows':
      return [{ id: 'seriesToRows', options: {} }];
    case 'timeseries_to_columns':
      return [{ id: 'joinByField', options: { byField: 'Time', mode: 'outer' } }];
    case 'timeseries_aggregations': {
      const reducers = recordsOf(panel.columns).flatMap(
        ({ value }) => AGGREGATIONS[textOf(value)] ?? [],
      );
      return [{ id: 'reduce', options: { reducers } }];
    }
    case 'table': {
      const isOne = (Array.isArray(panel.targets) ? panel.targets : []).filter(isRecord).length < 2;
      return isOne ? [] : [{ id: 'merge', options: {} }];
    }
    default:
      return [];
  }
}
