/** A small chart without axes: the shape of the last hour, with lines at its limits. */

import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Column } from '../lib/chartData.ts';
import { cssColor, useThemeKey } from './uplotTheme.ts';

export interface SparklineProps {
  readonly times: readonly number[];
  readonly columns: readonly Column[];
  readonly colors: readonly string[];
  readonly limits: readonly (readonly [value: number, color: string])[];
  /** The top of the scale where it is known; otherwise it follows the data. */
  readonly max: number | undefined;
  readonly format: (value: number) => string;
  readonly formatTime: (seconds: number) => string;
}

const HEIGHT = 56;
const HEADROOM = 1.15;

export function Sparkline(props: SparklineProps) {
  const holder = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | undefined>(undefined);
  const latest = useRef(props);
  const theme = useThemeKey();
  const colorsKey = props.colors.join();
  useEffect(() => {
    latest.current = props;
    chart.current?.setData(dataOf(props));
  }, [props]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: theme and colours need a new chart
  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const made = new uPlot(optionsOf(latest, tip, element.clientWidth), dataOf(latest.current));
    element.append(made.root);
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
  }, [theme, colorsKey]);
  return (
    <div className="sparkline" aria-hidden="true">
      <div ref={holder} />
      <div ref={tip} className="sparkline-tip" />
    </div>
  );
}

function dataOf(props: SparklineProps): uPlot.AlignedData {
  return [[...props.times], ...props.columns.map((column) => [...column])];
}

function optionsOf(
  latest: { readonly current: SparklineProps },
  tip: { readonly current: HTMLDivElement | null },
  width: number,
): uPlot.Options {
  const lines = latest.current.colors.map((name, index): uPlot.Series => {
    const color = cssColor(name);
    const fill = index === 0 ? { fill: `${color}22` } : {};
    return { stroke: color, width: 1.5, points: { show: false }, ...fill };
  });
  return {
    width: Math.max(40, width),
    height: HEIGHT,
    padding: [2, 0, 2, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 5 } },
    axes: [{ show: false }, { show: false }],
    scales: {
      x: { time: true },
      y: {
        range: (_chart, _min, max) => [0, latest.current.max ?? Math.max(max * HEADROOM, 1e-9)],
      },
    },
    series: [{}, ...lines],
    hooks: {
      drawClear: [(chart) => drawLimits(chart, latest.current.limits)],
      setCursor: [(chart) => showTip(chart, latest.current, tip.current)],
    },
  };
}

function drawLimits(chart: uPlot, limits: SparklineProps['limits']): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.setLineDash([4, 4]);
  for (const [value, color] of limits) {
    const y = Math.round(chart.valToPos(value, 'y', true)) + 0.5;
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.strokeStyle = `${cssColor(color)}99`;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  }
  ctx.restore();
}

function showTip(chart: uPlot, props: SparklineProps, tip: HTMLDivElement | null): void {
  if (tip === null) return;
  const index = chart.cursor.idx;
  const time = index === null || index === undefined ? undefined : props.times[index];
  if (index === null || index === undefined || time === undefined) {
    tip.textContent = '';
    return;
  }
  const values = props.columns.map((column) => {
    const value = column[index];
    return value === null || value === undefined ? '–' : props.format(value);
  });
  tip.textContent = `${props.formatTime(time)}  ${values.join(' / ')}`;
}
