import { expect, it } from 'vitest';
import { Labels } from '@tyto/model';
import { incidentAlert, plainIncident, reviveIncident } from './incident.ts';

const alert = incidentAlert({
  labels: Labels.of({ alertname: 'Slow', service: 'shop' }),
  annotations: Labels.of({ summary: 'slow' }),
  startsAtMs: 1,
  endsAtMs: 2,
  generatorUrl: '',
  fingerprint: 'f',
  updatedAtMs: 1,
});
const incident = (labels: Readonly<Record<string, string>>) => ({
  id: 'i',
  key: 'k',
  triggeredAtMs: 1,
  labels,
  annotations: alert.annotations,
  alerts: [alert],
  timeline: [],
});

it.each([
  ['shared with its alert', alert.labels],
  ['of its own', { service: 'shop' }],
])('an incident comes back with its labels: %s', (_, labels) => {
  const written = JSON.parse(JSON.stringify(plainIncident(incident(labels) as never)));
  expect(reviveIncident(written)).toMatchObject({ labels, annotations: { summary: 'slow' } });
  expect('labels' in written).toBe(labels !== alert.labels);
});
