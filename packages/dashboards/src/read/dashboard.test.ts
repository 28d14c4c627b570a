import { expect, it } from 'vitest';
import { type Panel, readDashboard } from '@tyto/dashboards';

function panelOf(panel: Record<string, unknown>): Panel {
  return readDashboard({ title: 't', panels: [panel] }).sections[0].panels[0];
}

it('an old graph is a time series that looks the same', () => {
  const panel = panelOf({
    type: 'graph',
    fill: 3,
    linewidth: 2,
    stack: true,
    nullPointMode: 'connected',
    steppedLine: true,
    aliasColors: { errors: '#f00' },
    legend: { show: true, values: true, avg: true, current: true, alignAsTable: true },
    tooltip: { shared: false, sort: 2 },
    seriesOverrides: [{ alias: '/out.*/', transform: 'negative-Y', yaxis: 2 }],
    thresholds: [{ value: 90, op: 'gt', colorMode: 'critical', fill: true, line: true }],
    yaxes: [{ format: 'bytes', min: '0', logBase: 2 }, { format: 's' }],
  });
  expect(panel.type).toBe('timeseries');
  expect(panel.field.defaults).toMatchObject({
    unit: 'bytes',
    min: 0,
    thresholds: { steps: [{ from: -Infinity }, { from: 90, color: 'red' }] },
    custom: {
      lineWidth: 2,
      fillOpacity: 30,
      spanNulls: true,
      lineInterpolation: 'stepAfter',
      stacking: { mode: 'normal' },
      scaleDistribution: { type: 'log', log: 2 },
      thresholdsStyle: { mode: 'line+area' },
    },
  });
  expect(panel.field.overrides).toEqual([
    {
      matcher: { id: 'byName', options: 'errors' },
      properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: '#f00' } }],
    },
    {
      matcher: { id: 'byRegexp', options: '/out.*/' },
      properties: [
        { id: 'custom.transform', value: 'negative-Y' },
        { id: 'custom.axisPlacement', value: 'right' },
        { id: 'unit', value: 's' },
      ],
    },
  ]);
  expect(panel.options).toMatchObject({
    legend: { displayMode: 'table', calcs: ['mean', 'lastNotNull'], showLegend: true },
    tooltip: { mode: 'single', sort: 'desc' },
  });
});

it('a single value is a stat, or a gauge where it showed one', () => {
  const old = {
    type: 'singlestat',
    format: 'percent',
    valueName: 'current',
    colors: ['green', 'orange', 'red'],
    thresholds: '80,90',
    colorBackground: true,
    sparkline: { show: true },
    mappingType: 1,
    valueMaps: [
      { value: 'null', text: 'N/A' },
      { value: '1', text: 'up' },
    ],
  };
  const stat = panelOf(old);
  expect(stat.type).toBe('stat');
  expect(stat.options).toMatchObject({
    colorMode: 'background',
    graphMode: 'area',
    reduceOptions: { calcs: ['lastNotNull'] },
  });
  expect(stat.field.defaults.thresholds.steps).toEqual([
    { from: -Infinity, color: 'green' },
    { from: 80, color: 'orange' },
    { from: 90, color: 'red' },
  ]);
  expect(stat.field.defaults.mappings).toEqual([
    { type: 'special', match: 'null', shown: { text: 'N/A', color: '' } },
    { type: 'value', values: new Map([['1', { text: 'up', color: '' }]]) },
  ]);
  const gauge = panelOf({ ...old, gauge: { show: true, minValue: 0, maxValue: 50 } });
  expect([gauge.type, gauge.field.defaults.max]).toEqual(['gauge', 50]);
});

it('rows that hold panels become sections, with the panels side by side', () => {
  const dashboard = readDashboard({
    title: 't',
    rows: [
      {
        title: 'first',
        showTitle: true,
        height: '190px',
        panels: [
          { id: 1, type: 'graph', span: 6 },
          { id: 2, type: 'graph', span: 6 },
          { id: 3, type: 'graph', span: 12 },
        ],
      },
      { title: 'second', collapse: true, repeat: 'host', panels: [{ id: 4, type: 'graph' }] },
    ],
  });
  const [first, second] = dashboard.sections;
  expect([first.title, first.isCollapsed]).toEqual(['first', false]);
  expect(first.panels.map(({ place }) => place)).toEqual([
    { x: 0, y: 0, w: 12, h: 5 },
    { x: 12, y: 0, w: 12, h: 5 },
    { x: 0, y: 5, w: 24, h: 5 },
  ]);
  expect(second).toMatchObject({ title: 'second', isCollapsed: true, repeat: 'host' });
  expect(second.panels.map(({ id }) => id)).toEqual([4]);
});

it('an old table keeps what its styles say', () => {
  const panel = panelOf({
    type: 'table',
    transform: 'timeseries_aggregations',
    columns: [{ text: 'Avg', value: 'avg' }],
    styles: [
      { pattern: 'Time', type: 'hidden' },
      { pattern: 'Value', type: 'number', unit: 's', decimals: 1, alias: 'Age', colorMode: 'cell' },
      { pattern: '/.*/', type: 'number', unit: 'short' },
    ],
  });
  expect(panel.transformations).toMatchObject([{ id: 'reduce', options: { reducers: ['mean'] } }]);
  expect(panel.field.defaults.unit).toBe('short');
  const properties = panel.field.overrides.map(({ matcher, properties: all }) => [
    matcher.options,
    all.map(({ id }) => id),
  ]);
  expect(properties).toEqual([
    ['Value', ['displayName', 'unit', 'decimals', 'custom.cellOptions', 'thresholds']],
    ['Time', ['custom.hidden']],
  ]);
});

it('schema v2 is read as the classic one would say it', () => {
  const dashboard = readDashboard({
    apiVersion: 'dashboard.grafana.app/v2',
    metadata: { name: 'abc' },
    spec: {
      title: 'two',
      cursorSync: 'Crosshair',
      timeSettings: { from: 'now-1h', to: 'now', autoRefresh: '30s', timezone: 'utc' },
      variables: [
        {
          kind: 'QueryVariable',
          spec: {
            name: 'job',
            hide: 'hideLabel',
            refresh: 'onTimeRangeChanged',
            sort: 'alphabeticalAsc',
            query: { kind: 'DataQuery', group: 'prometheus', spec: { query: 'label_values(job)' } },
          },
        },
      ],
      elements: {
        a: {
          kind: 'Panel',
          spec: {
            id: 7,
            title: 'load',
            vizConfig: { kind: 'VizConfig', group: 'stat', spec: { fieldConfig: {}, options: {} } },
            data: {
              spec: {
                queries: [
                  {
                    spec: {
                      refId: 'A',
                      query: { group: 'prometheus', spec: { expr: 'up', instant: true } },
                    },
                  },
                ],
              },
            },
          },
        },
      },
      layout: {
        kind: 'RowsLayout',
        spec: {
          rows: [
            {
              spec: {
                title: 'row',
                layout: {
                  kind: 'GridLayout',
                  spec: {
                    items: [{ spec: { x: 0, y: 0, width: 6, height: 4, element: { name: 'a' } } }],
                  },
                },
              },
            },
          ],
        },
      },
    },
  });
  expect(dashboard).toMatchObject({
    uid: 'abc',
    title: 'two',
    timezone: 'utc',
    refresh: '30s',
    sharedPointer: 'crosshair',
    variables: [{ name: 'job', type: 'query', hide: 'label', refresh: 'time', sort: 1 }],
  });
  expect(dashboard.variables[0].query).toBe('label_values(job)');
  const [section] = dashboard.sections;
  expect(section.title).toBe('row');
  expect(section.panels[0]).toMatchObject({
    id: 7,
    type: 'stat',
    place: { x: 0, y: 0, w: 6, h: 4 },
    targets: [{ refId: 'A', expr: 'up', isInstant: true, isRange: false }],
  });
});

it('what is no dashboard is told', () => {
  expect(() => readDashboard([])).toThrow('a dashboard is a JSON object');
  expect(() => readDashboard({ groups: [] })).toThrow('neither title nor panels');
  const panels = Array.from({ length: 2001 }, () => ({ type: 'stat' }));
  expect(() => readDashboard({ title: 't', panels })).toThrow('2001 panels');
});
