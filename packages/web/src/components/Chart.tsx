/**
 * The large chart: lines or stacked areas over time, values of all series under the pointer, zoom
 * by dragging, double click to zoom out. Series are coloured by their index.
 */

import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { type Column, stackColumns } from '../lib/chartData.ts';
import { formatSi } from '../lib/format.ts';
import { axisTimes, formatTime, type Zone } from '../lib/time.ts';
import { cssColor, seriesColor, useThemeKey } from './uplotTheme.ts';

export interface ChartProps {
  readonly times: readonly number[];
  readonly columns: readonly Column[];
  readonly names: readonly string[];
  readonly isShown: readonly boolean[];
  readonly isStacked: boolean;
  readonly zone: Zone;
  readonly label: string;
  readonly moreText: (count: number) => string;
  /** Seconds. */
  readonly onZoom: (start: number, end: number) => void;
  readonly onZoomOut: () => void;
}

const HEIGHT = 340;
/** Values in the box under the pointer; the rest is counted. */
const TIP_ROWS_MAX = 12;
/** A drag shorter than this is a click. */
const DRAG_PIXELS_MIN = 8;

export function Chart(props: ChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  const chart = useRef<uPlot | undefined>(undefined);
  const theme = useThemeKey();
  // Another set of series, another zone or another theme needs another chart; data does not.
  const shape = JSON.stringify([theme, props.zone, props.isStacked, props.isShown, props.names]);
  useEffect(() => {
    latest.current = props;
    chart.current?.setData(dataOf(props));
  }, [props]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the shape stands for its parts
  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const made = new uPlot(
      optionsOf(latest, tip, element.clientWidth),
      dataOf(latest.current),
      element,
    );
    chart.current = made;
    const observer = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = undefined;
    };
  }, [shape]);
  return (
    <div className="chart" role="img" aria-label={props.label}>
      <div ref={holder} />
      <div ref={tip} className="chart-tip" hidden />
    </div>
  );
}

function dataOf(props: ChartProps): uPlot.AlignedData {
  const columns = props.isStacked ? stackColumns(props.columns, props.isShown) : props.columns;
  return [[...props.times], ...columns.map((column) => [...column])];
}

function optionsOf(
  latest: { readonly current: ChartProps },
  tip: { readonly current: HTMLDivElement | null },
  width: number,
): uPlot.Options {
  const { isStacked, isShown, names, zone } = latest.current;
  const axis = { stroke: cssColor('--faint'), ticks: { show: false }, font: '12px system-ui' };
  const grid = { stroke: cssColor('--line'), width: 1 };
  const lines = names.map((_, index): uPlot.Series => {
    const color = seriesColor(index);
    const fill = isStacked ? { fill: `${color}55` } : {};
    // Single samples between gaps have no line, so they are shown as points.
    const points = { show: isLonely(latest, index), size: 4, fill: color };
    return { stroke: color, width: 1.5, show: isShown[index] ?? true, points, ...fill };
  });
  return {
    width: Math.max(120, width),
    height: HEIGHT,
    padding: [10, 12, 0, 4],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: DRAG_PIXELS_MIN },
      bind: {
        dblclick: () => () => {
          latest.current.onZoomOut();
          return null;
        },
      },
    },
    scales: {
      x: { time: true, range: (_chart, min, max) => [min, max] },
      y: { range: (_chart, min, max) => valueRange(min, max, isStacked) },
    },
    axes: [
      { ...axis, grid, values: (_chart, ticks) => axisTimes(ticks, zone), size: 34 },
      { ...axis, grid, values: (_chart, ticks) => ticks.map(formatSi), size: 62 },
    ],
    series: [{}, ...lines],
    ...(isStacked ? { bands: bandsOf(isShown) } : {}),
    hooks: {
      setSelect: [(chart) => zoom(chart, latest.current)],
      setCursor: [(chart) => showTip(chart, latest.current, tip.current)],
    },
  };
}

/**
 * Room above and below the lines. Areas stand on zero, and so does what comes near it: a scale that
 * leaves zero out makes small changes look large.
 */
function valueRange(
  min: number | null,
  max: number | null,
  isStacked: boolean,
): uPlot.Range.MinMax {
  if (min === null || max === null) return [0, 1];
  if (min === max) return min === 0 ? [0, 1] : [Math.min(0, min * 1.5), Math.max(0, max * 1.5)];
  const room = (max - min) * 0.06;
  const isNearZero = min >= 0 && (isStacked || min < max / 2);
  return [isNearZero ? 0 : min - room, max + room];
}

function isLonely(latest: { readonly current: ChartProps }, index: number): boolean {
  const column = latest.current.columns[index] ?? [];
  return column.some(
    (value, step) =>
      value !== null && (column[step - 1] ?? null) === null && (column[step + 1] ?? null) === null,
  );
}

/** The area of each visible series reaches down to the next visible one below it. */
function bandsOf(isShown: readonly boolean[]): uPlot.Band[] {
  const visible = isShown.flatMap((one, index) => (one ? [index + 1] : []));
  return visible.slice(1).map((upper, index) => ({ series: [upper, visible[index] ?? 0] }));
}

function zoom(chart: uPlot, props: ChartProps): void {
  const { left, width } = chart.select;
  if (width < DRAG_PIXELS_MIN) return;
  const start = chart.posToVal(left, 'x');
  const end = chart.posToVal(left + width, 'x');
  chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  props.onZoom(start, end);
}

function showTip(chart: uPlot, props: ChartProps, tip: HTMLDivElement | null): void {
  if (tip === null) return;
  const index = chart.cursor.idx;
  const time = index === null || index === undefined ? undefined : props.times[index];
  const isAway = (chart.cursor.left ?? -1) < 0;
  tip.hidden = isAway || time === undefined;
  if (isAway || index === null || index === undefined || time === undefined) return;
  const rows = props.columns
    .map((column, series) => ({ series, value: column[index] ?? null }))
    .filter(({ series, value }) => value !== null && props.isShown[series] !== false)
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0));
  const head = document.createElement('div');
  head.className = 'chart-tip-time';
  head.textContent = formatTime(time * 1000, props.zone);
  const lines = rows.slice(0, TIP_ROWS_MAX).map(({ series, value }) => {
    const name = props.names[series] ?? '';
    return tipRow(seriesColor(series), name, formatSi(value ?? Number.NaN));
  });
  const rest = document.createElement('div');
  rest.className = 'faint';
  const hiddenCount = rows.length - TIP_ROWS_MAX;
  rest.textContent = hiddenCount > 0 ? props.moreText(hiddenCount) : '';
  tip.replaceChildren(head, ...lines, rest);
  placeTip(chart, tip);
}

function tipRow(color: string, name: string, value: string): HTMLElement {
  const row = document.createElement('div');
  row.className = 'chart-tip-row';
  const swatch = document.createElement('span');
  swatch.className = 'swatch';
  swatch.style.background = color;
  const words = document.createElement('span');
  words.className = 'chart-tip-name';
  words.textContent = name;
  const digits = document.createElement('span');
  digits.className = 'chart-tip-value';
  digits.textContent = value;
  row.append(swatch, words, digits);
  return row;
}

function placeTip(chart: uPlot, tip: HTMLElement): void {
  const left = (chart.cursor.left ?? 0) + chart.over.offsetLeft;
  const isRight = left > chart.width / 2;
  const gap = 14;
  tip.style.left = isRight ? '' : `${left + gap}px`;
  tip.style.right = isRight ? `${chart.width - left + gap}px` : '';
}
