import { expect, it } from 'vitest';
import { silentLogger, systemClock, yaml } from '@tyto/base';
import { type Alert, Labels } from '@tyto/model';
import { AlertForwarder } from './alertForwarder.ts';
import { prometheusSchema } from './config/prometheusConfig.ts';

function forwarder(config: string): AlertForwarder {
  const { value, problems } = yaml.decodeYaml(config, 'prometheus.yml', prometheusSchema);
  if (value === undefined) throw new Error(yaml.formatProblems(problems));
  expect(problems).toEqual([]);
  const made = new AlertForwarder({ clock: systemClock, logger: silentLogger });
  made.apply(value);
  return made;
}

function alert(labels: Record<string, string>): Alert {
  return {
    labels: Labels.of(labels),
    annotations: Labels.empty,
    startsAtMs: 0,
    endsAtMs: 1,
    generatorUrl: '',
  };
}

it('alerts leave with external labels and relabelled, and some not at all', () => {
  const labelled = forwarder(`
global: {external_labels: {cluster: eu, replica: a, job: outside}}
alerting:
  alert_relabel_configs:
  - {action: labeldrop, regex: replica}
  - {action: drop, source_labels: [severity], regex: none}
`).labelled([
    alert({ alertname: 'A', job: 'own' }),
    alert({ alertname: 'Watchdog', severity: 'none' }),
  ]);
  expect(labelled.map(({ labels }) => labels.toRecord())).toEqual([
    { alertname: 'A', cluster: 'eu', job: 'own' },
  ]);
});

it('addresses of Alertmanagers are relabelled', () => {
  const { urls } = forwarder(`
alerting:
  alertmanagers:
  - scheme: https
    path_prefix: /am/
    static_configs: [{targets: [one, two, 'three:1'], labels: {zone: z}}]
    relabel_configs:
    - {source_labels: [__address__], regex: two, action: drop}
    - source_labels: [__address__, zone]
      regex: one;z
      target_label: __address__
      replacement: one.z:9093
`);
  expect(urls).toEqual(['https://one.z:9093/am/api/v2/alerts', 'https://three:1/am/api/v2/alerts']);
});
