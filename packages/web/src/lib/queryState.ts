/**
 * The state of the query page as URL parameters, those of Prometheus: `g0.expr`, `g0.tab` (0 graph,
 * 1 table), `g0.range_input`, `g0.end_input` and `g0.moment_input` (UTC, `2026-11-21 18:20:03`),
 * `g0.step_input` (seconds), `g0.stacked`. So links that Prometheus, its alerts and Alertmanager
 * made keep working, and ours work there. Panels are numbered from 0 without gaps.
 */

import { formatDuration, parseDuration } from '@tyto/base';
import { formatTime, parseTime } from './time.ts';

export const RANGE_MS_DEFAULT = 3_600_000;
/** More panels than a page can usefully draw; further ones in a URL are left out. */
const PANELS_MAX = 50;
/** Points of a series when no resolution is set: one for every four or five pixels. */
const POINTS_AUTO = 250;
/** What Prometheus allows. */
const POINTS_MAX = 11_000;

export type PanelTab = 'graph' | 'table';

export interface PanelState {
  readonly expr: string;
  readonly tab: PanelTab;
  readonly rangeMs: number;
  /** The end of the range and the moment of the table; undefined is now. */
  readonly endMs: number | undefined;
  /** Undefined chooses by the range. */
  readonly stepSeconds: number | undefined;
  readonly isStacked: boolean;
}

export const EMPTY_PANEL: PanelState = {
  expr: '',
  tab: 'table',
  rangeMs: RANGE_MS_DEFAULT,
  endMs: undefined,
  stepSeconds: undefined,
  isStacked: false,
};

/** The panels of a query string; always at least one. */
export function parsePanels(search: string): PanelState[] {
  const parameters = new URLSearchParams(search);
  const indexes = new Set<number>();
  for (const name of parameters.keys()) {
    const match = /^g(\d{1,4})\./.exec(name);
    if (match !== null) indexes.add(Number(match[1]));
  }
  const sorted = [...indexes].sort((a, b) => a - b).slice(0, PANELS_MAX);
  const panels = sorted.map((index) => parsePanel(parameters, `g${index}.`));
  return panels.length === 0 ? [EMPTY_PANEL] : panels;
}

/** `?g0.expr=…`, with what is at its default left out except for expression, tab and range. */
export function formatPanels(panels: readonly PanelState[]): string {
  const parameters = new URLSearchParams();
  panels.forEach((panel, index) => {
    const set = (name: string, value: string) => parameters.set(`g${index}.${name}`, value);
    set('expr', panel.expr);
    set('tab', panel.tab === 'graph' ? '0' : '1');
    if (panel.isStacked) set('stacked', '1');
    set('range_input', formatDuration(panel.rangeMs));
    if (panel.endMs !== undefined) {
      set('end_input', formatTime(panel.endMs, 'utc'));
      set('moment_input', formatTime(panel.endMs, 'utc'));
    }
    if (panel.stepSeconds !== undefined) set('step_input', String(panel.stepSeconds));
  });
  return `?${parameters.toString()}`;
}

/** A link to one expression. */
export function queryLink(expr: string, options?: Partial<PanelState>): string {
  return `query${formatPanels([{ ...EMPTY_PANEL, expr, ...options }])}`;
}

/** The step of a range query in seconds: set, or such that the graph has about 250 points. */
export function stepOf(panel: Pick<PanelState, 'rangeMs' | 'stepSeconds'>): number {
  const rangeSeconds = panel.rangeMs / 1000;
  const smallest = rangeSeconds / POINTS_MAX;
  if (panel.stepSeconds !== undefined) return Math.max(panel.stepSeconds, Math.ceil(smallest));
  return Math.max(1, Math.floor(rangeSeconds / POINTS_AUTO));
}

function parsePanel(parameters: URLSearchParams, prefix: string): PanelState {
  const get = (name: string) => parameters.get(prefix + name) ?? undefined;
  const tab = get('tab');
  const isGraph = tab === '0' || tab === 'graph';
  const end = isGraph ? (get('end_input') ?? get('moment_input')) : undefined;
  const moment = isGraph ? undefined : (get('moment_input') ?? get('end_input'));
  const step = Number(get('step_input'));
  const stacked = get('stacked') ?? get('display_mode');
  return {
    expr: get('expr') ?? '',
    tab: isGraph ? 'graph' : 'table',
    rangeMs: parseRange(get('range_input')),
    endMs: parseMoment(end ?? moment),
    stepSeconds: Number.isFinite(step) && step > 0 ? step : undefined,
    isStacked: stacked === '1' || stacked === 'true' || stacked === 'stacked',
  };
}

function parseRange(text: string | undefined): number {
  const ms = text === undefined ? undefined : parseDuration(text);
  return ms === undefined || ms <= 0 ? RANGE_MS_DEFAULT : ms;
}

/** The notation of Prometheus' pages, or seconds since the epoch as its API takes them. */
function parseMoment(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{9,11}(\.\d+)?$/.test(text)) return Number(text) * 1000;
  return parseTime(text, 'utc');
}
