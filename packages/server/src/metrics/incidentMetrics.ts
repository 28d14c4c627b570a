/** Self metrics of incidents. */
import type { Incidents } from '@tyto/incidents';
import type { SelfMetrics } from './selfMetrics.ts';

export function registerIncidentMetrics(metrics: SelfMetrics, incidents: Incidents): void {
  metrics.gauge('tyto_incidents', 'Incidents that are kept, open and over.', () => {
    return incidents.store.size;
  });
  metrics.gauge('tyto_incidents_open', 'Incidents that are not over.', () => {
    let open = 0;
    for (const { status } of incidents.store.all()) if (status !== 'resolved') open++;
    return open;
  });
  metrics.counter(
    'tyto_incidents_rejected_total',
    'Alerts that became no incident because there were too many.',
    () => incidents.rejected,
  );
}
