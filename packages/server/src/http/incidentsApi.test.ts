import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprint, MemoryStateStore, type StoredAlert } from '@tyto/alerting';
import { compileAnchored, ManualClock, silentLogger } from '@tyto/base';
import { DEFAULT_CONFIG, type IncidentPorts, Incidents, SignedLinks } from '@tyto/incidents';
import { Labels } from '@tyto/model';
import type { FastifyInstance } from 'fastify';
import { DEFAULT_FEATURES } from '../features.ts';
import { SelfMetrics } from '../metrics/selfMetrics.ts';
import { createHttpServer, type HttpServerOptions } from './httpServer.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 8);
const API = '/tyto/api/v1';

describe('the API of incidents', () => {
  const clock = new ManualClock(NOW_MS);
  let incidents: Incidents;
  let app: FastifyInstance;

  beforeAll(async () => {
    const state = new MemoryStateStore();
    const ports: IncidentPorts = {
      clock,
      logger: silentLogger,
      state,
      externalUrl: 'http://localhost:9090',
      tell: async () => true,
      alertOf: () => undefined,
      alerts: () => [],
      silencedBy: () => [],
      rules: () => [],
      receivers: () => ['mail'],
      raise: () => undefined,
      post: async () => '',
      run: undefined,
      probe: async () => 200,
    };
    incidents = new Incidents(ports, await SignedLinks.open(state), DEFAULT_CONFIG);
    const options = {
      clock,
      logger: silentLogger,
      externalUrl: 'http://localhost:9090',
      corsOrigin: compileAnchored('.*'),
      features: DEFAULT_FEATURES,
      metrics: new SelfMetrics(clock),
      backends: { isRehearsed: () => false },
      incidents,
    };
    app = await createHttpServer(options as unknown as HttpServerOptions);
    for (let i = 0; i < 5; i++) {
      incidents.fired(alert({ alertname: `A${i}`, severity: i % 2 === 0 ? 'critical' : 'info' }));
      await clock.advance(1000);
    }
  });

  afterAll(() => app.close());

  function alert(record: Record<string, string>): StoredAlert {
    const labels = Labels.of(record);
    return {
      labels,
      annotations: Labels.empty,
      startsAtMs: clock.nowMs(),
      endsAtMs: clock.nowMs() + 1e9,
      generatorUrl: '',
      fingerprint: fingerprint(labels),
      updatedAtMs: clock.nowMs(),
    };
  }

  async function get(path: string) {
    const response = await app.inject(`${API}${path}`);
    return { status: response.statusCode, ...response.json() };
  }

  async function post(path: string, payload: object | string, type = 'application/json') {
    const headers = { 'content-type': type };
    const response = await app.inject({ method: 'POST', url: `${API}${path}`, headers, payload });
    return { status: response.statusCode, ...response.json() };
  }

  const titles = ({ data }: { data: { incidents: { title: string }[] } }) =>
    data.incidents.map(({ title }) => title);

  it('lists page by page, the newest first', async () => {
    const first = await get('/incidents?limit=2');
    expect(titles(first)).toEqual(['A4', 'A3']);
    const second = await get(`/incidents?limit=2&page=${first.data.next}`);
    expect(titles(second)).toEqual(['A2', 'A1']);
    const third = await get(`/incidents?limit=2&page=${second.data.next}`);
    expect(titles(third)).toEqual(['A0']);
    expect(third.data.next).toBeNull();
  });

  it('filters by what somebody looks for', async () => {
    expect(titles(await get('/incidents?severity=critical'))).toEqual(['A4', 'A2', 'A0']);
    expect(titles(await get('/incidents?priority=P2,P1'))).toEqual(['A3', 'A1']);
    expect(
      titles(await get(`/incidents?filter=${encodeURIComponent('alertname=~"A[12]"')}`)),
    ).toEqual(['A2', 'A1']);
    const start = (NOW_MS + 2500) / 1000;
    expect(titles(await get(`/incidents?start=${start}`))).toEqual(['A4', 'A3']);
    expect(titles(await get('/incidents?status=resolved'))).toEqual([]);
  });

  it.each([
    ['/incidents?status=open', 400, 'is none of triggered, acknowledged, resolved, suppressed'],
    ['/incidents?filter=a%3E1', 400, 'bad matcher format'],
    ['/incidents?limit=-1', 400, 'must be non-negative'],
    ['/incidents?page=nope', 400, 'begin with the first'],
    ['/incidents?start=2&end=1', 400, 'must not be before start'],
    ['/incidents/nope', 404, 'there is no incident nope'],
    ['/alerts/history?outcome=maybe', 400, 'is none of delivered'],
  ])('refuses %s', async (path, status, message) => {
    const answer = await get(path);
    expect(answer).toMatchObject({ status: 'error', error: expect.stringContaining(message) });
    expect((await app.inject(`${API}${path}`)).statusCode).toBe(status);
  });

  it.each([
    ['{}', '"by"'],
    ['[]', 'must be a JSON object'],
    ['{"by": 5}', 'must be a text'],
    ['{"by": "kim", "for": "soon"}', 'is no duration'],
    ['{"by": "kim", "for": "400d"}', 'at most'],
    ['{"by": ', ''],
  ])('refuses to acknowledge with %s', async (body, message) => {
    const [{ id }] = [...incidents.store.all()];
    const answer = await post(`/incidents/${id}/acknowledge`, body);
    expect(answer).toMatchObject({ status: 'error', error: expect.stringContaining(message) });
    expect(incidents.get(id).status).toBe('triggered');
  });

  it('takes forms as well, and shows what came of it', async () => {
    const [{ id }] = [...incidents.store.all()];
    const form = 'application/x-www-form-urlencoded';
    const answer = await post(`/incidents/${id}/acknowledge`, 'by=kim&for=1h&note=mine', form);
    expect(answer.data).toMatchObject({ status: 'acknowledged', acknowledgedBy: 'kim' });
    const timeline = await get(`/incidents/${id}/timeline`);
    expect(timeline.data.timeline.at(-1)).toMatchObject({
      kind: 'acknowledged',
      by: 'kim',
      from: 'api 127.0.0.1',
      text: 'mine; for 1h',
    });
  });

  it('suppresses by matchers, lists that and ends it', async () => {
    const body = { by: 'kim', matchers: ['alertname=~"A3|A4"'], for: '30m', comment: 'deploy' };
    const { data } = await post('/suppressions', body);
    expect(data).toMatchObject({ createdBy: 'kim', matchers: ['alertname=~"A3|A4"'] });
    expect(titles(await get('/incidents?status=suppressed'))).toEqual(['A4', 'A3']);
    expect((await get('/suppressions')).data.suppressions).toEqual([data]);
    const url = `${API}/suppressions/${data.id}`;
    expect((await app.inject({ method: 'DELETE', url })).statusCode).toBe(204);
    expect((await app.inject({ method: 'DELETE', url })).statusCode).toBe(404);
    expect(titles(await get('/incidents?status=suppressed'))).toEqual([]);
    expect((await post('/suppressions', { by: 'kim', for: '1m' })).error).toMatch(/at least one/);
    const all = { by: 'kim', for: '1m', matchers: 'a=~".*"' };
    expect((await post('/suppressions', all)).error).toMatch(/not everything/);
  });
});
