/** What is secret in a configuration stays so: in the API, on the page, in the log. */
import { beforeAll, describe, expect, it } from 'vitest';
import { startTyto, type Tyto, waitFor } from './harness.ts';

const PROMETHEUS = `
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: block
    basic_auth:
      username: somebody
      password: hidden-block
    static_configs: [{targets: ['127.0.0.1:1']}]
  - job_name: next_line
    authorization:
      credentials:
        hidden-next-line
    static_configs: [{targets: ['127.0.0.1:1']}]
  - job_name: address
    static_configs: [{targets: ['127.0.0.1:1']}]
    params: {x: ['http://somebody:hidden-address@example.com/']}
  - job_name: flow
    basic_auth: {username: somebody, password: hidden-flow}
    static_configs: [{targets: ['127.0.0.1:1']}]
  - job_name: quoted
    basic_auth:
      username: somebody
      "password": hidden-quoted
    static_configs: [{targets: ['127.0.0.1:1']}]
  - job_name: folded
    basic_auth:
      username: somebody
      password: >-
        hidden-folded
    static_configs: [{targets: ['127.0.0.1:1']}]
`;

const ALERTMANAGER = `
global:
  smtp_smarthost: 'localhost:1'
  smtp_from: 'a@example.com'
  smtp_auth_password: hidden-mail
  slack_api_url: 'http://127.0.0.1:1/hidden-slack'
route: {receiver: everybody, group_wait: 0s}
receivers:
  - name: everybody
    webhook_configs:
      - url: 'http://127.0.0.1:1/hidden-webhook'
    slack_configs:
      - api_url: 'http://127.0.0.1:1/hidden-channel'
        channel: x
`;

describe('a secret of the configuration', () => {
  let tyto: Tyto;
  beforeAll(async () => {
    tyto = await startTyto({ config: PROMETHEUS, alertmanager: ALERTMANAGER });
  });

  it.each(['block', 'next-line', 'address'])('is covered on the status page: %s', async (name) => {
    const { yaml } = await tyto.api('status/config');
    expect(yaml).toContain('job_name: block');
    expect(yaml).not.toContain(`hidden-${name}`);
  });

  it.each(['flow', 'quoted', 'folded'])('is covered on the status page: %s', async (name) => {
    const { yaml } = await tyto.api('status/config');
    expect(yaml).not.toContain(`hidden-${name}`);
  });

  it.each(['mail', 'slack'])('is covered in the status of alerting: %s', async (name) => {
    const { text } = await tyto.get('api/v2/status');
    expect(text).toContain('everybody');
    expect(text).not.toContain(`hidden-${name}`);
  });

  it.each(['webhook', 'channel'])('is covered in the status of alerting: %s', async (name) => {
    expect((await tyto.get('api/v2/status')).text).not.toContain(`hidden-${name}`);
  });

  it('is not in the log, when what needs it fails', async () => {
    const alert = [{ labels: { alertname: 'Example' } }];
    await fetch(`${tyto.baseUrl}api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alert),
    });
    await waitFor('both have failed', () =>
      ['"webhook"', '"slack"'].every((name) => tyto.output().includes(`"integration":${name}`)),
    );
    expect(tyto.output()).not.toContain('hidden-');
    expect((await tyto.get('api/v1/targets')).text).not.toContain('hidden-b');
  });
});
