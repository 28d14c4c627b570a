/** The panel `graph`, which `timeseries` has replaced. */
import { flagOf, isRecord, type Json, numberOf, recordOf, recordsOf, textOf } from '../json.ts';

type Property = { readonly id: string; readonly value: unknown };

const CALCS: readonly (readonly [legend: string, calc: string])[] = [
  ['min', 'min'],
  ['max', 'max'],
  ['avg', 'mean'],
  ['current', 'lastNotNull'],
  ['total', 'sum'],
];

export function migrateGraph(panel: Json): Json {
  const { mode } = recordOf(panel.xaxis);
  const type = mode === 'histogram' ? 'histogram' : mode === 'series' ? 'barchart' : 'timeseries';
  const [left = {}, right = {}] = recordsOf(panel.yaxes);
  const limits = thresholdsOf(panel);
  const unit = textOf(left.format);
  return {
    ...panel,
    type,
    fieldConfig: {
      defaults: {
        ...recordOf(recordOf(panel.fieldConfig).defaults),
        ...(unit === '' ? {} : { unit }),
        ...present('min', numberOf(left.min)),
        ...present('max', numberOf(left.max)),
        ...present('decimals', numberOf(panel.decimals) ?? numberOf(left.decimals)),
        color: { mode: 'palette-classic' },
        thresholds: limits.thresholds,
        custom: { ...drawingOf(panel), ...axisOf(left), thresholdsStyle: { mode: limits.style } },
      },
      overrides: [...colorsOf(panel), ...seriesOf(panel, right)],
    },
    options: { ...recordOf(panel.options), legend: legendOf(panel), tooltip: tooltipOf(panel) },
  };
}

function drawingOf(panel: Json): Json {
  const style = flagOf(panel.bars) ? 'bars' : flagOf(panel.lines, true) ? 'line' : 'points';
  const stacking = flagOf(panel.percentage) ? 'percent' : 'normal';
  const dash = [numberOf(panel.dashLength) ?? 10, numberOf(panel.spaceLength) ?? 10];
  return {
    drawStyle: style,
    lineWidth: numberOf(panel.linewidth) ?? 1,
    fillOpacity: style === 'bars' ? 100 : 10 * (numberOf(panel.fill) ?? 1),
    gradientMode: (numberOf(panel.fillGradient) ?? 0) > 0 ? 'opacity' : 'none',
    pointSize: 2 * (numberOf(panel.pointradius) ?? 2.5),
    showPoints: flagOf(panel.points) ? 'always' : 'never',
    lineInterpolation: flagOf(panel.steppedLine) ? 'stepAfter' : 'linear',
    spanNulls: panel.nullPointMode === 'connected',
    nullAsZero: panel.nullPointMode === 'null as zero',
    stacking: { mode: flagOf(panel.stack) ? stacking : 'none', group: 'A' },
    ...(flagOf(panel.dashes) ? { lineStyle: { fill: 'dash', dash } } : {}),
  };
}

function axisOf(axis: Json): Json {
  const base = numberOf(axis.logBase) ?? 1;
  return {
    axisLabel: textOf(axis.label),
    ...(flagOf(axis.show, true) ? {} : { axisPlacement: 'hidden' }),
    ...(base > 1 ? { scaleDistribution: { type: 'log', log: base } } : {}),
  };
}

function colorsOf(panel: Json): Json[] {
  return Object.entries(recordOf(panel.aliasColors)).flatMap(([name, color]) => {
    if (typeof color !== 'string') return [];
    const value = { mode: 'fixed', fixedColor: color };
    return [{ matcher: { id: 'byName', options: name }, properties: [{ id: 'color', value }] }];
  });
}

function seriesOf(panel: Json, right: Json): Json[] {
  return recordsOf(panel.seriesOverrides).flatMap((series) => {
    const alias = textOf(series.alias);
    if (alias === '') return [];
    const isPattern = alias.startsWith('/');
    const matcher = { id: isPattern ? 'byRegexp' : 'byName', options: alias };
    const properties = Object.entries(series).flatMap(([key, value]) =>
      seriesProperties(key, value, right),
    );
    return properties.length === 0 ? [] : [{ matcher, properties }];
  });
}

function seriesProperties(key: string, value: unknown, right: Json): Property[] {
  const custom = (id: string, to: unknown): Property[] => [{ id: `custom.${id}`, value: to }];
  switch (key) {
    case 'color':
      return [{ id: 'color', value: { mode: 'fixed', fixedColor: value } }];
    case 'yaxis':
      return value === 2 ? rightAxis(right) : [];
    case 'transform':
      return value === 'negative-Y' ? custom('transform', 'negative-Y') : [];
    case 'fill':
      return custom('fillOpacity', 10 * (numberOf(value) ?? 0));
    case 'linewidth':
      return custom('lineWidth', numberOf(value) ?? 1);
    case 'lines':
      return value === false ? custom('lineWidth', 0) : custom('drawStyle', 'line');
    case 'bars':
      return value === true ? custom('drawStyle', 'bars') : [];
    case 'points':
      return custom('showPoints', value === true ? 'always' : 'never');
    case 'pointradius':
      return custom('pointSize', 2 * (numberOf(value) ?? 2.5));
    case 'steppedLine':
      return value === true ? custom('lineInterpolation', 'stepAfter') : [];
    case 'dashes':
      return value === true ? custom('lineStyle', { fill: 'dash', dash: [10, 10] }) : [];
    case 'stack':
      return custom('stacking', stackOf(value));
    case 'fillBelowTo':
      return custom('fillBelowTo', value);
    case 'nullPointMode':
      return custom('spanNulls', value === 'connected');
    case 'hiddenSeries':
      return value === true ? custom('hideFrom', { viz: true, legend: false }) : [];
    case 'legend':
      return value === false ? custom('hideFrom', { viz: false, legend: true }) : [];
    default:
      return [];
  }
}

function stackOf(value: unknown): Json {
  if (value === false) return { mode: 'none' };
  return { mode: 'normal', group: typeof value === 'string' ? value : 'A' };
}

function rightAxis(axis: Json): Property[] {
  const unit = textOf(axis.format);
  const [min, max] = [numberOf(axis.min), numberOf(axis.max)];
  const label = textOf(axis.label);
  return [
    { id: 'custom.axisPlacement', value: 'right' },
    ...(unit === '' ? [] : [{ id: 'unit', value: unit }]),
    ...(min === undefined ? [] : [{ id: 'min', value: min }]),
    ...(max === undefined ? [] : [{ id: 'max', value: max }]),
    ...(label === '' ? [] : [{ id: 'custom.axisLabel', value: label }]),
  ];
}

/** Lines and areas at values; those of `lt` color what is below. */
function thresholdsOf(panel: Json): { thresholds: Json; style: string } {
  const given = recordsOf(panel.thresholds)
    .map((one) => ({ ...one, value: numberOf(one.value) }))
    .filter((one): one is Json & { value: number } => one.value !== undefined)
    .sort((a, b) => a.value - b.value);
  if (given.length === 0) {
    return { thresholds: { mode: 'absolute', steps: [] }, style: 'off' };
  }
  const steps: Json[] = [{ value: null, color: 'transparent' }];
  for (const one of given) {
    const color = colorOf(one);
    if (one.op === 'lt') {
      const below = steps[steps.length - 1];
      steps[steps.length - 1] = { ...below, color };
      steps.push({ value: one.value, color: 'transparent' });
    } else {
      steps.push({ value: one.value, color });
    }
  }
  const fills = given.some((one) => flagOf(one.fill, true));
  const lines = given.some((one) => flagOf(one.line));
  const style = fills ? (lines ? 'line+area' : 'area') : lines ? 'line' : 'off';
  return { thresholds: { mode: 'absolute', steps }, style };
}

function colorOf({ colorMode, fillColor, lineColor }: Json): string {
  if (colorMode === 'custom') return textOf(lineColor) || textOf(fillColor) || 'red';
  if (colorMode === 'ok') return 'green';
  return colorMode === 'warning' ? 'orange' : 'red';
}

function legendOf({ legend }: Json): Json {
  const given = recordOf(legend);
  const shows = flagOf(given.show, true);
  const isTable = flagOf(given.alignAsTable);
  const withValues = flagOf(given.values);
  return {
    showLegend: shows,
    displayMode: isTable ? 'table' : 'list',
    placement: flagOf(given.rightSide) ? 'right' : 'bottom',
    calcs: withValues ? CALCS.filter(([key]) => flagOf(given[key])).map(([, calc]) => calc) : [],
    ...(isRecord(legend) && textOf(given.sort) !== ''
      ? { sortBy: textOf(given.sort), sortDesc: flagOf(given.sortDesc) }
      : {}),
  };
}

function tooltipOf({ tooltip }: Json): Json {
  const { shared, sort } = recordOf(tooltip);
  const order = sort === 1 ? 'asc' : sort === 2 ? 'desc' : 'none';
  return { mode: flagOf(shared, true) ? 'multi' : 'single', sort: order };
}

function present(name: string, value: number | undefined): Json {
  return value === undefined ? {} : { [name]: value };
}
