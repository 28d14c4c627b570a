import { describe, expect, it } from 'vitest';
import { yaml } from '@tyto/base';
import { remoteEndpoints, remoteReadSchema, remoteWriteSchema } from '@tyto/forward';

const writes = remoteEndpoints(remoteWriteSchema, 'remote_write');
const reads = remoteEndpoints(remoteReadSchema, 'remote_read');

function problemsOf<T>(text: string, schema: yaml.Schema<T>): string[] {
  const { problems } = yaml.decodeYaml(text, 'prometheus.yml', schema);
  return problems.map(({ severity, message }) => `${severity}: ${message}`);
}

describe('remote_write', () => {
  it('has the defaults of Prometheus, but for 429', () => {
    const { value } = yaml.decodeYaml('[{url: "http://a/w"}]', 'prometheus.yml', writes);
    expect(value?.[0]).toMatchObject({
      url: 'http://a/w',
      name: '',
      timeoutMs: 30_000,
      version: 1,
      sendsExemplars: false,
      sendsHistograms: false,
      metadata: { send: true, intervalMs: 60_000 },
      queue: {
        shardsMax: 50,
        shardsMin: 1,
        samplesPerSendMax: 2000,
        batchDeadlineMs: 5000,
        backoffMsMin: 30,
        backoffMsMax: 5000,
        retriesTooMany: true,
        sampleAgeMsMax: 0,
      },
    });
  });

  it('takes every field', () => {
    const text = `
- url: https://a/w
  name: first
  remote_timeout: 10s
  protobuf_message: io.prometheus.write.v2.Request
  headers: {X-Scope-OrgID: me}
  write_relabel_configs: [{source_labels: [job], regex: a, action: keep}]
  send_exemplars: true
  basic_auth: {username: me, password: secret}
  tls_config: {insecure_skip_verify: true}
  queue_config:
    {capacity: 5, max_shards: 3, min_shards: 2, max_samples_per_send: 9, batch_send_deadline: 1s,
     min_backoff: 1s, max_backoff: 9s, retry_on_http_429: false, sample_age_limit: 1h}
  metadata_config: {send: false, send_interval: 5m}
`;
    const { value, problems } = yaml.decodeYaml(text, 'prometheus.yml', writes);
    expect(problems).toEqual([]);
    expect(value?.[0]).toMatchObject({
      version: 2,
      sendsHistograms: true,
      headers: { 'X-Scope-OrgID': 'me' },
      queue: { retriesTooMany: false, sampleAgeMsMax: 3_600_000, backoffMsMax: 9000 },
      metadata: { send: false, intervalMs: 300_000 },
    });
  });

  it('is refused where it cannot work', () => {
    expect(problemsOf('[{name: a}]', writes)[0]).toContain('url');
    expect(problemsOf('[{url: "ftp://a"}]', writes)[0]).toContain('not a valid URL');
    const twice = '[{url: "http://a", name: x}, {url: "http://b", name: x}]';
    expect(problemsOf(twice, writes)).toEqual(['error: remote_write: the name "x" is there twice']);
    const own = '[{url: "http://a", headers: {Content-Type: x}}]';
    expect(problemsOf(own, writes)[0]).toContain('is not allowed');
    const queue = '[{url: "http://a", queue_config: {min_shards: 9, max_shards: 2}}]';
    expect(problemsOf(queue, writes)[0]).toContain('max_shards is below min_shards');
    expect(problemsOf('[{url: "http://a", sigv4: {}}]', writes)[0]).toContain('warning:');
  });
});

describe('remote_read', () => {
  it('has the defaults of Prometheus', () => {
    const { value, problems } = yaml.decodeYaml(
      '[{url: "http://a/r"}, {url: "http://a/r", read_recent: true, required_matchers: {a: b}}]',
      'prometheus.yml',
      reads,
    );
    expect(problems).toEqual([]);
    expect(value).toMatchObject([
      { timeoutMs: 60_000, readRecent: false, filtersExternalLabels: true, requiredMatchers: {} },
      { readRecent: true, requiredMatchers: { a: 'b' } },
    ]);
  });
});
