/** The panel `singlestat`, which `stat` and `gauge` have replaced. */
import { flagOf, type Json, numberOf, recordOf, recordsOf, textOf } from '../json.ts';

/** How one value was made of many, in today's words. */
const CALCS: Readonly<Record<string, string>> = {
  avg: 'mean',
  current: 'lastNotNull',
  total: 'sum',
  min: 'min',
  max: 'max',
  first: 'first',
  delta: 'delta',
  diff: 'diff',
  range: 'range',
  last_time: 'lastNotNull',
  name: 'lastNotNull',
};

export function migrateSinglestat(panel: Json): Json {
  const gauge = recordOf(panel.gauge);
  const isGauge = flagOf(gauge.show);
  const calc = CALCS[textOf(panel.valueName, 'avg')] ?? 'mean';
  const column = textOf(panel.tableColumn);
  const reduceOptions = { values: false, calcs: [calc], fields: column };
  const unit = textOf(panel.format);
  const decimals = numberOf(panel.decimals);
  const color = flagOf(panel.colorBackground)
    ? 'background'
    : flagOf(panel.colorValue)
      ? 'value'
      : 'none';
  return {
    ...panel,
    type: isGauge ? 'gauge' : 'stat',
    fieldConfig: {
      defaults: {
        ...(unit === '' ? {} : { unit }),
        ...(decimals === undefined ? {} : { decimals }),
        ...(isGauge ? rangeOf(gauge) : {}),
        noValue: textOf(panel.nullText),
        color: { mode: 'thresholds' },
        thresholds: { mode: 'absolute', steps: stepsOf(panel) },
        mappings: mappingsOf(panel),
      },
      overrides: [],
    },
    options: {
      reduceOptions,
      prefix: textOf(panel.prefix),
      postfix: textOf(panel.postfix),
      ...(isGauge
        ? {
            showThresholdLabels: flagOf(gauge.thresholdLabels),
            showThresholdMarkers: flagOf(gauge.thresholdMarkers, true),
          }
        : {
            colorMode: color,
            graphMode: flagOf(recordOf(panel.sparkline).show) ? 'area' : 'none',
            textMode: panel.valueName === 'name' ? 'name' : 'value',
            justifyMode: 'auto',
          }),
    },
  };
}

function rangeOf(gauge: Json): Json {
  return { min: numberOf(gauge.minValue) ?? 0, max: numberOf(gauge.maxValue) ?? 100 };
}

/** `80,90` with the colors below, between and above. */
function stepsOf(panel: Json): Json[] {
  const colors = Array.isArray(panel.colors) ? panel.colors.map((color) => textOf(color)) : [];
  const limits = textOf(panel.thresholds)
    .split(',')
    .flatMap((text) => numberOf(text) ?? []);
  return [null, ...limits].map((value, i) => ({
    value,
    color: colors[i] ?? colors.at(-1) ?? 'green',
  }));
}

function mappingsOf(panel: Json): Json[] {
  // Numbers of the two kinds of mappings; a panel has one of them at work.
  if (panel.mappingType === 2) {
    return recordsOf(panel.rangeMaps).map(({ from, to, text }) => {
      if (from === 'null' && to === 'null') return nullMapping(text);
      return { type: 'range', options: { from, to, result: { text: textOf(text) } } };
    });
  }
  return recordsOf(panel.valueMaps).map(({ value, text }) => {
    if (value === 'null') return nullMapping(text);
    return { type: 'value', options: { [textOf(value)]: { text: textOf(text) } } };
  });
}

function nullMapping(text: unknown): Json {
  return { type: 'special', options: { match: 'null', result: { text: textOf(text) } } };
}
