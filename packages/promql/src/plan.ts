/**
 * What is decided before anything runs: which selectors are read over which time range, each
 * distinct one once, and which expressions have the same value at every step.
 */
import { TytoError } from '@tyto/base';
import { formatMatcher, type Matcher } from '@tyto/model';
import {
  type AtModifier,
  childrenOf,
  type Duration,
  durationMs,
  type Expr,
  type Subquery,
  type VectorSelector,
} from '@tyto/syntax';
import { SUBQUERY_STEP_COUNT_MAX } from './limits.ts';
import type { Grid } from './column.ts';
import { infoSelector } from './infoSelector.ts';

export interface PlanOptions {
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  readonly lookbackMs: number;
  readonly subqueryStepMs: number;
}

/** One read of the store; several selectors of the query may share it. */
export interface SelectorLoad {
  readonly matchers: readonly Matcher[];
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly shared: boolean;
}

/** Times and durations of one query. */
export class QueryTimes {
  readonly options: PlanOptions;

  constructor(options: PlanOptions) {
    this.options = options;
  }

  duration(duration: Duration): number {
    const { startMs, endMs, stepMs } = this.options;
    const context = { stepS: stepMs / 1000, rangeS: (endMs - startMs) / 1000 };
    return durationMs(duration, context);
  }

  /** A duration that must be positive, such as a range. Throws `bad_data`. */
  range(duration: Duration): number {
    const ms = this.duration(duration);
    if (ms > 0) return ms;
    throw new TytoError('bad_data', 'duration must be greater than 0');
  }

  atMs(at: AtModifier): number {
    if (at.type === 'time') return at.timeMs;
    return at.type === 'start' ? this.options.startMs : this.options.endMs;
  }

  /** The grid as a selector with these modifiers sees it. */
  shifted(node: { at: AtModifier | undefined; offset: Duration }, grid: Grid): Grid {
    const offsetMs = this.duration(node.offset);
    if (node.at === undefined) return { ...grid, startMs: grid.startMs - offsetMs };
    return { startMs: this.atMs(node.at) - offsetMs, stepMs: 0, count: grid.count };
  }

  /** The steps at which a subquery evaluates what is inside it, for a shifted grid. */
  inner(node: Subquery, shifted: Grid): Grid {
    const stepMs = node.step === undefined ? this.options.subqueryStepMs : this.range(node.step);
    const beginMs = shifted.startMs - this.range(node.range);
    const endMs = shifted.startMs + shifted.stepMs * (shifted.count - 1);
    let startMs = stepMs * Math.trunc(beginMs / stepMs);
    if (startMs <= beginMs) startMs += stepMs;
    const count = Math.max(0, Math.floor((endMs - startMs) / stepMs) + 1);
    if (count > SUBQUERY_STEP_COUNT_MAX) {
      throw new TytoError('execution', 'the subquery has too many steps: choose a longer step');
    }
    return { startMs, stepMs, count };
  }
}

interface Use {
  readonly node: VectorSelector;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}

/** Functions that also look at the sample before each window. */
const EXACT: ReadonlySet<string> = new Set(['exact_increase', 'exact_rate']);

/** Assigns each selector of `root` the load that it reads from. */
export function planLoads(
  root: Expr,
  grid: Grid,
  times: QueryTimes,
): Map<VectorSelector, SelectorLoad> {
  const groups = new Map<string, Use[]>();
  const add = (node: VectorSelector, seen: Grid, rangeMs: number, isExact = false) => {
    const key = node.matchers.map(formatMatcher).sort().join();
    const uses = groups.get(key) ?? [];
    groups.set(key, uses);
    const endMs = seen.startMs + seen.stepMs * (seen.count - 1);
    const lookback = times.options.lookbackMs;
    const extended = node.anchored || node.smoothed || isExact;
    const reachMs = extended ? rangeMs + lookback : rangeMs;
    uses.push({
      node,
      minTimeMs: seen.startMs - reachMs + 1,
      maxTimeMs: node.smoothed ? endMs + lookback : endMs,
    });
  };
  const visit = (expr: Expr, outer: Grid, isExact = false): void => {
    if (expr.kind === 'vector') {
      add(expr, times.shifted(expr, outer), times.options.lookbackMs);
    } else if (expr.kind === 'matrix') {
      add(expr.selector, times.shifted(expr.selector, outer), times.range(expr.range), isExact);
    } else if (expr.kind === 'subquery') {
      visit(expr.inner, times.inner(expr, times.shifted(expr, outer)));
    } else if (expr.kind === 'call' && expr.name === 'info') {
      visit(expr.args[0], outer);
      visit(infoSelector(expr), outer);
    } else {
      const looksBefore = expr.kind === 'call' && EXACT.has(expr.name);
      const passesOn = isExact && expr.kind === 'paren';
      for (const child of childrenOf(expr)) visit(child, outer, looksBefore || passesOn);
    }
  };
  visit(root, grid);
  const loads = new Map<VectorSelector, SelectorLoad>();
  for (const uses of groups.values()) assignLoads(uses, loads);
  return loads;
}

/** Uses of the same matchers share a read where their time ranges touch. */
function assignLoads(uses: Use[], loads: Map<VectorSelector, SelectorLoad>): void {
  uses.sort((a, b) => a.minTimeMs - b.minTimeMs);
  for (let i = 0; i < uses.length; ) {
    let { maxTimeMs } = uses[i];
    let end = i + 1;
    while (end < uses.length && uses[end].minTimeMs <= maxTimeMs + 1) {
      maxTimeMs = Math.max(maxTimeMs, uses[end].maxTimeMs);
      end++;
    }
    const load = {
      matchers: uses[i].node.matchers,
      minTimeMs: uses[i].minTimeMs,
      maxTimeMs,
      shared: end - i > 1,
    };
    for (; i < end; i++) loads.set(uses[i].node, load);
  }
}

/** Functions whose value depends on the evaluation time, whatever their arguments are. */
const TIME_DEPENDENT: ReadonlySet<string> = new Set([
  'days_in_month',
  'day_of_month',
  'day_of_week',
  'day_of_year',
  'hour',
  'minute',
  'month',
  'year',
  'predict_linear',
  'time',
  'timestamp',
]);

/** Whether `expr` has the same value at every step of a query. */
export function isStepInvariant(expr: Expr): boolean {
  switch (expr.kind) {
    case 'number':
    case 'string':
      return true;
    case 'vector':
    case 'subquery':
      return expr.at !== undefined;
    case 'matrix':
      return expr.selector.at !== undefined;
    case 'call':
      return !TIME_DEPENDENT.has(expr.name) && expr.args.every(isStepInvariant);
    default:
      return childrenOf(expr).every(isStepInvariant);
  }
}
