import { ManualClock, TytoError } from '@tyto/base';
import {
  DEFAULT_LOG_LIMITS,
  type LogLimits,
  LogReceiver,
  readBulk,
  readLines,
  readOtlpLogs,
} from '@tyto/collect';
import { type LogEntry, Labels, MemoryLogStore } from '@tyto/model';
import { walkLokiPushJson } from '@tyto/wire';
import { describe, expect, it } from 'vitest';

const NOW_MS = Date.parse('2026-03-01T12:00:00Z');
const NOW_NS = BigInt(NOW_MS) * 1_000_000n;

class Fixture {
  readonly clock = new ManualClock(NOW_MS);
  readonly store = new MemoryLogStore();
  readonly told: string[] = [];
  limits: LogLimits = DEFAULT_LOG_LIMITS;
  readonly receiver = new LogReceiver({
    appender: this.store,
    clock: this.clock,
    limitsOf: () => this.limits,
    onStored: (tenant, streams) => {
      this.told.push(`${tenant} ${streams.map(({ entries }) => entries.length).join()}`);
    },
  });

  limit(limits: Partial<LogLimits>): void {
    this.limits = { ...this.limits, ...limits };
  }

  push(streams: Record<string, string>, values: readonly unknown[][], tenant = 'fake') {
    return this.pushAll([{ stream: streams, values }], tenant);
  }

  pushAll(streams: readonly unknown[], tenant = 'fake') {
    const batch = this.receiver.batch(tenant);
    walkLokiPushJson(JSON.stringify({ streams }), batch);
    return this.receiver.store(tenant, batch);
  }

  async stored(tenant = 'fake'): Promise<{ labels: Record<string, string>; entry: LogEntry }[]> {
    const found = [];
    const range = { startNs: 0n, endNs: NOW_NS * 2n, tenant };
    const request = {
      ...range,
      matchers: [],
      filters: [],
      direction: 'forward',
      wanted: 1,
    } as const;
    for await (const chunk of this.store.read(request)) {
      for (let i = 0; i < chunk.lines.length; i++) {
        found.push({
          labels: chunk.streams[chunk.streamOf[i]].toRecord(),
          entry: {
            timestampNs: chunk.timestampsNs[i],
            line: chunk.lines[i],
            metadata: chunk.metadata[i],
          },
        });
      }
    }
    return found;
  }
}

const now = (offsetMs = 0) => String(NOW_NS + BigInt(offsetMs) * 1_000_000n);

describe('a push', () => {
  it('is stored with the service and the level that were found', async () => {
    const fixture = new Fixture();
    const outcome = await fixture.push({ app: 'shop' }, [
      [now(), 'level=warn msg="x"', { t: '1' }],
    ]);
    expect(outcome).toEqual({ status: 204, message: '', refusedLines: 0 });
    const [{ labels, entry }] = await fixture.stored();
    expect(labels).toEqual({ app: 'shop', service_name: 'shop' });
    expect(entry.metadata.toRecord()).toEqual({ detected_level: 'warn', t: '1' });
    expect(fixture.told).toEqual(['fake 1']);
  });

  it.each([
    [{ a: '1' }, 'unknown_service'],
    [{ job: 'j', container: 'c' }, 'c'],
    [{ service_name: 's', app: 'a' }, 's'],
    [{ __aggregated_metric__: 'x' }, undefined],
  ])('of %o is of the service %s', async (labels, service) => {
    const fixture = new Fixture();
    await fixture.push(labels, [[now(), 'x']]);
    expect((await fixture.stored())[0].labels.service_name).toBe(service);
  });

  it.each([
    ['{"level":"ERROR","message":"info"}', 'error'],
    ['{"a":{"severity":"Warning"}}', 'warn'],
    ['{"level":30,"msg":"x"}', 'info'],
    ['reading information_schema.tables', 'unknown'],
    ['GET /errors/error-page 200', 'unknown'],
    ['an error came from information_schema', 'error'],
    ['{"message":"\\"level\\":\\"x\\""}', 'unknown'],
    ['ts=1 lvl=dbg msg="an error"', 'debug'],
    ['2024-05-01 10:00:00 ERROR: no info on it', 'error'],
    ['[warn] disk', 'warn'],
    ['GET /errors/info 200', 'unknown'],
    ['', 'unknown'],
  ])('detects the level of %s', async (line, level) => {
    const fixture = new Fixture();
    await fixture.push({ app: 'shop' }, [[now(), line]]);
    expect((await fixture.stored())[0].entry.metadata.get('detected_level')).toBe(level);
  });

  it('takes the level that a label or metadata says', async () => {
    const fixture = new Fixture();
    await fixture.push({ app: 'shop', level: 'INFO' }, [[now(), 'an error']]);
    await fixture.push({ app: 'shop' }, [[now(1), 'an error', { severity: 'dbg' }]]);
    await fixture.push({ app: 'shop' }, [[now(2), 'an error', { severity_number: '21' }]]);
    const found = (await fixture.stored()).map(({ entry }) => entry.metadata.get('detected_level'));
    expect(found).toEqual(['info', 'debug', 'fatal']);
  });

  it('without streams is refused', async () => {
    expect(await new Fixture().pushAll([])).toMatchObject({ status: 422 });
  });

  it('is not acknowledged when the store takes nothing', async () => {
    const fixture = new Fixture();
    fixture.store.append = () => Promise.reject(new TytoError('unavailable', 'away'));
    await expect(fixture.push({ app: 'shop' }, [[now(), 'x']])).rejects.toThrow('away');
    expect(fixture.told).toEqual([]);
  });

  it('of one tenant is not seen by another', async () => {
    const fixture = new Fixture();
    await fixture.push({ app: 'shop' }, [[now(), 'x']], 'one');
    expect(await fixture.stored('two')).toEqual([]);
    expect(await fixture.stored('one')).toHaveLength(1);
  });
});

describe('what breaks a limit', () => {
  const DAY_MS = 24 * 3_600_000;

  it.each<[string, Partial<LogLimits>, Record<string, string>, unknown[], string]>([
    [
      'a line',
      { lineBytesMax: 3 },
      { a: '1' },
      [now(), 'grün'],
      "Max entry size '3' bytes exceeded",
    ],
    ['age', {}, { a: '1' }, [now(-8 * DAY_MS), 'x'], 'has timestamp too old: 2026-02-21T12:00:00Z'],
    [
      'the future',
      {},
      { a: '1' },
      [now(DAY_MS), 'x'],
      'has timestamp too new: 2026-03-02T12:00:00Z',
    ],
    [
      'labels',
      { labelCountMax: 1 },
      { a: '1', b: '2' },
      [now(), 'x'],
      'has 2 label names; limit 1',
    ],
    ['a name', { labelNameLengthMax: 1 }, { ab: '1' }, [now(), 'x'], "label name too long: 'ab'"],
    [
      'a value',
      { labelValueLengthMax: 1 },
      { a: '12' },
      [now(), 'x'],
      "label value too long: '12'",
    ],
    ['no labels', {}, {}, [now(), 'x'], 'at least one label pair is required'],
    [
      'metadata',
      { metadataBytesMax: 2 },
      { a: '1' },
      [now(), 'x', { ab: '1' }],
      'metadata too large',
    ],
    [
      'much metadata',
      { metadataCountMax: 0, metadataBytesMax: 1 },
      { a: '1' },
      [now(), 'x', { a: '12' }],
      "limit: '1' bytes",
    ],
    [
      'any metadata',
      { allowsMetadata: false },
      { a: '1' },
      [now(), 'x', { a: '1' }],
      'is disallowed',
    ],
  ])('is told with a 400: %s', async (_, limits, labels, value, message) => {
    const fixture = new Fixture();
    fixture.limit(limits);
    const outcome = await fixture.pushAll([
      { stream: labels, values: [value] },
      { stream: { z: '1' }, values: [[now(), 'x']] },
    ]);
    expect(outcome.message).toContain(message);
    expect(outcome).toMatchObject({ status: 400, refusedLines: 1 });
    // The rest is stored.
    expect(await fixture.stored()).toHaveLength(1);
    const [[, totals]] = fixture.receiver.totals;
    expect(totals).toMatchObject({ lines: 1, bytes: 1 });
    expect([...totals.discarded.values()]).toEqual([{ lines: 1, bytes: expect.any(Number) }]);
  });

  it('may cut lines instead', async () => {
    const fixture = new Fixture();
    fixture.limit({ lineBytesMax: 4, truncatesLines: true });
    expect(await fixture.push({ a: '1' }, [[now(), 'aggü!']])).toMatchObject({ status: 204 });
    expect((await fixture.stored())[0].entry.line).toBe('agg');
  });

  it('is a rate of the tenant: all is refused with a 429, and later taken', async () => {
    const fixture = new Fixture();
    fixture.limit({ ingestionRate: 10, ingestionBurst: 10 });
    expect(await fixture.push({ a: '1' }, [[now(), '12345678']])).toMatchObject({ status: 204 });
    const outcome = await fixture.push({ a: '1' }, [[now(), '12345678']]);
    expect(outcome.status).toBe(429);
    expect(outcome.message).toContain(
      'Ingestion rate limit exceeded for user fake (limit: 10 bytes/sec) while attempting to ' +
        "ingest '1' lines totaling '8' bytes",
    );
    await fixture.clock.advance(1000);
    expect(await fixture.push({ a: '1' }, [[now(), '12345678']])).toMatchObject({ status: 204 });
    const [[, { discarded }]] = fixture.receiver.totals;
    expect([...discarded]).toEqual([['rate_limited', { lines: 1, bytes: 8 }]]);
  });

  it('is a rate of a stream: the others go on', async () => {
    const fixture = new Fixture();
    fixture.limit({ streamRate: 10, streamBurst: 10 });
    const outcome = await fixture.pushAll([
      { stream: { a: 'noisy' }, values: [[now(), 'x'.repeat(11)]] },
      { stream: { a: 'quiet' }, values: [[now(), 'x']] },
    ]);
    expect(outcome).toMatchObject({ status: 429, refusedLines: 1 });
    expect(outcome.message).toContain('Per stream rate limit exceeded (limit: 10B/sec)');
    expect((await fixture.stored()).map(({ labels }) => labels.a)).toEqual(['quiet']);
  });

  it('is the number of streams: those that are there go on', async () => {
    const fixture = new Fixture();
    fixture.limit({ streamsMax: 1 });
    await fixture.push({ a: '1' }, [[now(), 'x']]);
    const outcome = await fixture.push({ a: '2' }, [[now(), 'x']]);
    expect(outcome.status).toBe(429);
    expect(outcome.message).toContain('Maximum active stream limit exceeded');
    expect(await fixture.push({ a: '1' }, [[now(1), 'x']])).toMatchObject({ status: 204 });
    await fixture.clock.advance(31 * 60_000);
    expect(await fixture.push({ a: '2' }, [[now(), 'x']])).toMatchObject({ status: 204 });
  });

  it('is a time until which nothing is taken', async () => {
    const fixture = new Fixture();
    fixture.limit({ blockedUntilMs: NOW_MS + 1000 });
    const outcome = await fixture.push({ a: '1' }, [[now(), 'x']]);
    expect(outcome).toMatchObject({ status: 260, refusedLines: 1 });
    expect(outcome.message).toContain("until '2026-03-01T12:00:01.000Z' with status code '260'");
    await fixture.clock.advance(1000);
    expect(await fixture.push({ a: '1' }, [[now(), 'x']])).toMatchObject({ status: 204 });
  });
});

it("OpenTelemetry's logs become streams of their resource", async () => {
  const fixture = new Fixture();
  const batch = fixture.receiver.batch('fake');
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const body = JSON.stringify({
    resourceLogs: [
      {
        resource: { attributes: [text('service.name', 'shop'), text('os.type', 'linux')] },
        scopeLogs: [
          {
            scope: { name: 'lib', version: '1' },
            logRecords: [
              {
                timeUnixNano: now(),
                observedTimeUnixNano: now(1),
                severityNumber: 17,
                severityText: 'ERROR',
                body: { stringValue: 'it broke' },
                attributes: [text('http.route', '/x'), text('1st', 'y')],
                traceId: '5b8efff798038103d269b633813fc60c',
              },
              { body: { stringValue: 'no time' } },
            ],
          },
        ],
      },
    ],
  });
  const { otlp } = fixture.limits;
  readOtlpLogs(new TextEncoder().encode(body), 'json', otlp, fixture.clock, batch);
  expect(await fixture.receiver.store('fake', batch)).toMatchObject({ status: 204 });
  const [first, second] = await fixture.stored();
  expect(first.labels).toEqual({ service_name: 'shop' });
  expect(first.entry.line).toBe('it broke');
  expect(first.entry.metadata.toRecord()).toEqual({
    detected_level: 'error',
    http_route: '/x',
    key_1st: 'y',
    observed_timestamp: now(1),
    os_type: 'linux',
    scope_name: 'lib',
    scope_version: '1',
    severity_number: '17',
    severity_text: 'ERROR',
    trace_id: '5b8efff798038103d269b633813fc60c',
  });
  expect(second.entry.timestampNs).toBe(NOW_NS);
});

it("Elasticsearch's documents are lines, and each is answered for itself", async () => {
  const fixture = new Fixture();
  const batch = fixture.receiver.batch('fake');
  const document = JSON.stringify({
    '@timestamp': '2026-03-01T11:59:00Z',
    message: 'x',
    service: { name: 'shop' },
    host: { name: 'h1' },
  });
  const deletion = '{"delete":{"_index":"logs","_id":"1"}}';
  const text = `{"create":{"_index":"logs"}}\n${document}\n${deletion}\n`;
  const outcomes = readBulk(text, '', fixture.clock, batch);
  expect(outcomes.map(({ status }) => status)).toEqual([201, 400]);
  await fixture.receiver.store('fake', batch);
  const [{ labels, entry }] = await fixture.stored();
  expect(labels).toEqual({ index: 'logs', service_name: 'shop', host: 'h1' });
  expect(entry).toMatchObject({ line: document, timestampNs: NOW_NS - 60_000_000_000n });
});

it('plain lines are entries in their order', async () => {
  const fixture = new Fixture();
  const batch = fixture.receiver.batch('fake');
  readLines('one\r\n\ntwo\n{"ts":1772366399,"a":1}', Labels.of({ a: '1' }), fixture.clock, batch);
  await fixture.receiver.store('fake', batch);
  const lines = (await fixture.stored()).map(({ entry }) => entry.line);
  expect(lines).toEqual(['{"ts":1772366399,"a":1}', 'one', 'two']);
});
