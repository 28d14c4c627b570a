/**
 * After a restart, alerts go on where they stood instead of beginning again. Their starts are in
 * ALERTS_FOR_STATE, what was firing is in ALERTS. The time that nobody watched does not count
 * towards `for`.
 */
import {
  createMatcher,
  type Labels,
  METRIC_NAME,
  type MetricStore,
  SampleColumns,
} from '@tyto/model';
import type { AlertingRule, RuleContext } from './alertingRule.ts';

/** `--rules.alert.for-outage-tolerance`, `--rules.alert.for-grace-period`. */
export interface RestoreLimits {
  /** Older states are not gone back to. */
  readonly outageToleranceMs: number;
  /**
   * After an outage nothing fires before this has passed: what was wrong may just be over. An
   * alert that waits for less than this anyway begins again.
   */
  readonly gracePeriodMs: number;
}

export interface RestoreTimes {
  readonly timeMs: number;
  /** The time of the newest sample that the group has written itself, behind its query offset. */
  readonly queryMs: number;
  readonly intervalMs: number;
}

const ALERT_STATE: ReadonlySet<string> = new Set([METRIC_NAME, 'alertstate']);

/** Ending and starting takes less than this, whatever the interval of a group. */
const RESTART_MS = 10_000;

interface LastSample {
  readonly seenMs: number;
  readonly value: number;
}

/** Restores those alerts of a rule that are new with the evaluation at `timeMs`. */
export async function restoreAlerts(
  rule: AlertingRule,
  store: MetricStore,
  times: RestoreTimes,
  limits: RestoreLimits,
  context: RuleContext,
): Promise<void> {
  const { forMs, keepFiringForMs, keepFiringExpr } = rule.config;
  const isKept = keepFiringForMs > 0 || keepFiringExpr !== '';
  const fresh = rule.alerts().filter((alert) => alert.activeAtMs === times.timeMs);
  if (!isKept && (forMs === 0 || fresh.length === 0)) return;
  const minTimeMs = times.timeMs - limits.outageToleranceMs;
  const read = (name: string, state?: string) =>
    lastSamples(store, rule.config.alert, name, state, minTimeMs, times.queryMs - 1);
  const starts = await read('ALERTS_FOR_STATE');
  if (forMs > 0) {
    for (const alert of fresh) {
      const last = starts.get(alert.labels.key);
      if (last === undefined) continue;
      alert.activeAtMs = restoredStart(last, times, forMs, limits) ?? alert.activeAtMs;
    }
  }
  if (!isKept) return;
  const held = new Map<string, number>();
  const firing = await read('ALERTS', 'firing');
  const startOf = (key: string, seenMs: number) => (starts.get(key)?.value ?? seenMs / 1000) * 1000;
  for (const [key, { labels, seenMs }] of firing) {
    if (isOf(rule, labels)) held.set(key, startOf(key, seenMs));
  }
  if (keepFiringExpr !== '') await rule.restoreHeld(held, times, context);
  for (const [key, { labels, seenMs }] of firing) {
    if (times.timeMs - seenMs >= keepFiringForMs || !isOf(rule, labels)) continue;
    await rule.restoreKept(labels, startOf(key, seenMs), seenMs, times.timeMs, context);
  }
}

/** Several rules may have one name: their labels tell them apart, but for those from templates. */
function isOf({ config }: AlertingRule, labels: Labels): boolean {
  for (const [name, value] of config.labels.entries()) {
    if (!value.includes('{{') && labels.get(name) !== value) return false;
  }
  return true;
}

/** The newest sample of each series of an alert, by the key of the alert's labels. */
async function lastSamples(
  store: MetricStore,
  alertname: string,
  name: string,
  state: string | undefined,
  minTimeMs: number,
  maxTimeMs: number,
): Promise<Map<string, LastSample & { labels: Labels }>> {
  const matchers = [
    createMatcher('=', METRIC_NAME, name),
    createMatcher('=', 'alertname', alertname),
    ...(state === undefined ? [] : [createMatcher('=', 'alertstate', state)]),
  ];
  const selection = await store.select({ matchers, minTimeMs, maxTimeMs });
  const found = new Map<string, LastSample & { labels: Labels }>();
  const columns = new SampleColumns();
  for (let i = 0; i < selection.size; i++) {
    columns.clear();
    selection.readInto(i, columns);
    const last = columns.length - 1;
    // A stale marker tells that the alert had ended.
    if (last < 0 || columns.isStale(last)) continue;
    const labels = selection.labels(i).without(ALERT_STATE);
    const seenMs = columns.timestamps[last];
    found.set(labels.key, { labels, seenMs, value: columns.values[last] });
  }
  return found;
}

/** Where the alert's start is put; undefined where it begins again. */
function restoredStart(
  { seenMs, value }: LastSample,
  { timeMs, intervalMs }: RestoreTimes,
  forMs: number,
  { gracePeriodMs }: RestoreLimits,
): number | undefined {
  const activeAtMs = value * 1000;
  // A short gap is a restart, not an outage: the clock ran on.
  if (timeMs - seenMs <= Math.max(2 * intervalMs, RESTART_MS)) return activeAtMs;
  if (forMs < gracePeriodMs) return undefined;
  const remainingMs = forMs - (seenMs - activeAtMs);
  // It was firing already: it goes on firing at once.
  if (remainingMs <= 0) return activeAtMs;
  if (remainingMs < gracePeriodMs) return timeMs + gracePeriodMs - forMs;
  return activeAtMs + timeMs - seenMs;
}
