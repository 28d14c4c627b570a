/** What several pages read, each asked for once: alerts, rules, targets, silenced alerts. */

import type { AlertInstance, NotifiedAlert, RuleGroup, TargetsData } from '@tyto/api';
import { isSameAlert } from '../lib/alerts.ts';
import { severityOf } from '../lib/severity.ts';
import { api } from './connection.ts';
import { type Polled, usePoll } from './poll.ts';

export const LIVE_INTERVAL_MS = 5000;
const SHELL_INTERVAL_MS = 10_000;

export function useRules(): Polled<readonly RuleGroup[]> {
  return usePoll('rules', async (signal) => (await api.rules({}, { signal })).data.groups ?? [], {
    intervalMs: LIVE_INTERVAL_MS,
  });
}

export function useTargets(): Polled<TargetsData> {
  return usePoll(
    'targets',
    async (signal) => (await api.targets({ state: 'active' }, { signal })).data,
    { intervalMs: LIVE_INTERVAL_MS },
  );
}

/** Alerts that are held back. Without an Alertmanager there are none, and that is no error here. */
export function useSuppressed(): Polled<readonly NotifiedAlert[]> {
  return usePoll(
    'suppressed',
    async (signal) => {
      try {
        return await api.alertmanager.alerts({ active: false, unprocessed: false }, { signal });
      } catch {
        return [];
      }
    },
    { intervalMs: SHELL_INTERVAL_MS },
  );
}

/** How many alerts are loud: firing, not silenced, more than a heartbeat. */
export function useLoudCount(): number {
  const alerts = usePoll(
    'alerts',
    async (signal) => (await api.alerts({ signal })).data.alerts ?? [],
    { intervalMs: SHELL_INTERVAL_MS },
  );
  const suppressed = useSuppressed();
  const held = (suppressed.data ?? []).filter((alert) => alert.status.silencedBy.length > 0);
  return (alerts.data ?? []).filter((alert) => isLoud(alert, held)).length;
}

function isLoud(alert: AlertInstance, held: readonly NotifiedAlert[]): boolean {
  if (alert.state !== 'firing' || severityOf(alert.labels) === 'none') return false;
  return !held.some((one) => isSameAlert(alert.labels, one.labels));
}
