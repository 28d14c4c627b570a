/** Runs a panel's query: when the panel changes, when asked to, and on a timer. */

import { ApiError, type Answered, type MatrixData, type QueryData } from '@tyto/api';
import { useEffect, useRef, useState } from 'react';
import { type PanelState, stepOf } from '../../lib/queryState.ts';
import { api } from '../../state/connection.ts';
import { serverNowMs } from '../../state/serverClock.ts';

/** The server's own limit of a query is two minutes. */
const QUERY_TIMEOUT_MS = 125_000;

/** Seconds; where the samples of a range lie. */
export interface Grid {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

export type Outcome =
  | {
      readonly kind: 'graph';
      readonly answer: Answered<MatrixData>;
      readonly grid: Grid;
      readonly tookMs: number;
    }
  | { readonly kind: 'table'; readonly answer: Answered<QueryData>; readonly tookMs: number }
  | { readonly kind: 'error'; readonly error: ApiError };

export interface Running {
  readonly outcome: Outcome | undefined;
  readonly isRunning: boolean;
  readonly cancel: () => void;
}

export function useQuery(panel: PanelState, runCount: number, refreshMs: number): Running {
  const [outcome, setOutcome] = useState<Outcome>();
  const [isRunning, setIsRunning] = useState(false);
  const abort = useRef<AbortController | undefined>(undefined);
  const { expr, tab, rangeMs, endMs, stepSeconds } = panel;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each run is asked for by its number
  useEffect(() => {
    if (expr.trim() === '') {
      setOutcome(undefined);
      return;
    }
    const controller = new AbortController();
    abort.current = controller;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const request = { expr, tab, rangeMs, endMs, stepSeconds };
    const run = async () => {
      setIsRunning(true);
      const next = await ask(request, controller.signal);
      if (abort.current !== controller) return;
      setIsRunning(false);
      setOutcome(next);
      if (refreshMs > 0) timer = setTimeout(() => void run(), refreshMs);
    };
    void run();
    return () => {
      abort.current = undefined;
      clearTimeout(timer);
      controller.abort();
      setIsRunning(false);
    };
  }, [expr, tab, rangeMs, endMs, stepSeconds, runCount, refreshMs]);
  return { outcome, isRunning, cancel: () => abort.current?.abort() };
}

async function ask(
  panel: Pick<PanelState, 'expr' | 'tab' | 'rangeMs' | 'endMs' | 'stepSeconds'>,
  signal: AbortSignal,
): Promise<Outcome> {
  const startedMs = performance.now();
  const options = { signal, timeoutMs: QUERY_TIMEOUT_MS };
  const query = panel.expr;
  try {
    if (panel.tab === 'table') {
      const time = panel.endMs === undefined ? undefined : panel.endMs / 1000;
      const answer = await api.query({ query, time }, options);
      return { kind: 'table', answer, tookMs: performance.now() - startedMs };
    }
    const grid = gridOf(panel);
    const answer = await api.queryRange({ query, ...grid }, options);
    return { kind: 'graph', answer, grid, tookMs: performance.now() - startedMs };
  } catch (thrown) {
    const error = thrown instanceof ApiError ? thrown : new ApiError('internal', String(thrown));
    return { kind: 'error', error };
  }
}

/** A range that ends now lies on multiples of the step, so that points stay put on refresh. */
function gridOf(panel: Pick<PanelState, 'rangeMs' | 'endMs' | 'stepSeconds'>): Grid {
  const step = stepOf(panel);
  const end =
    panel.endMs === undefined ? Math.floor(serverNowMs() / 1000 / step) * step : panel.endMs / 1000;
  return { start: end - Math.floor(panel.rangeMs / 1000 / step) * step, end, step };
}
