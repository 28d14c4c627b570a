/**
 * After a restart, a pending alert goes on where it stood instead of beginning again: its start is
 * in the ALERTS_FOR_STATE series. The time that nobody watched does not count towards `for`.
 */
import { createMatcher, METRIC_NAME, type MetricStore, SampleColumns } from '@tyto/model';
import type { AlertingRule } from './alertingRule.ts';

/** Older states are not gone back to. */
const OUTAGE_TOLERANCE_MS = 3600_000;
/** After a restart nothing fires before this has passed: what was wrong may just be over. */
const GRACE_PERIOD_MS = 10 * 60_000;

/** Restores the alerts of rules that were evaluated once since the start. */
export async function restoreAlerts(
  rules: readonly AlertingRule[],
  store: MetricStore,
  timeMs: number,
  intervalMs: number,
): Promise<void> {
  for (const rule of rules) {
    if (rule.config.forMs === 0 || rule.alerts().length === 0) continue;
    const selection = await store.select({
      matchers: [
        createMatcher('=', METRIC_NAME, 'ALERTS_FOR_STATE'),
        createMatcher('=', 'alertname', rule.config.alert),
      ],
      minTimeMs: timeMs - OUTAGE_TOLERANCE_MS,
      maxTimeMs: timeMs - 1,
    });
    const columns = new SampleColumns();
    for (let i = 0; i < selection.size; i++) {
      columns.clear();
      selection.readInto(i, columns);
      const last = columns.length - 1;
      if (last < 0 || columns.isStale(last)) continue;
      const labels = selection.labels(i).withoutMetricName();
      const seenMs = columns.timestamps[last];
      const activeAtMs = columns.values[last] * 1000;
      const startMs = restoredStart(activeAtMs, seenMs, timeMs, rule.config.forMs, intervalMs);
      rule.restore(labels, startMs);
    }
  }
}

function restoredStart(
  activeAtMs: number,
  seenMs: number,
  timeMs: number,
  forMs: number,
  intervalMs: number,
): number {
  const spentMs = seenMs - activeAtMs;
  // It was firing already: it goes on firing at once.
  if (spentMs >= forMs) return activeAtMs;
  const remainingMs = forMs - spentMs;
  // A gap no longer than two rounds is a restart, not an outage: the clock ran on.
  if (timeMs - seenMs <= 2 * intervalMs) return activeAtMs;
  const waitMs = forMs <= GRACE_PERIOD_MS ? remainingMs : Math.max(remainingMs, GRACE_PERIOD_MS);
  return timeMs - forMs + waitMs;
}
