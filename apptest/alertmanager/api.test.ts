/**
 * The same requests to Debian's Alertmanager and to Tyto: the same statuses and the same JSON, but
 * for ids and for what newer versions have besides.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { programPath } from '../harness.ts';
import { type Pair, startPair } from './pair.ts';

const CONFIG = `
route:
  receiver: ops
  group_by: [alertname]
  group_wait: 1h
  routes:
  - {matchers: ['team="db"'], receiver: db, continue: true}
  - {matchers: ['team=~"db|web"'], receiver: pager, group_by: [team, pod]}
receivers: [{name: ops}, {name: db}, {name: pager}]
inhibit_rules:
- {source_matchers: [severity=critical], target_matchers: [severity=warning], equal: [pod]}
`;

const there = programPath('prometheus-alertmanager') !== undefined;
const START = '2026-01-31T12:00:00.000Z';
const END = '2100-01-01T00:00:00.000Z';

interface Request {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
}

describe.skipIf(!there)('the API', () => {
  let pair: Pair;

  /** What both answer, without what differs by nature. */
  async function both({ method = 'GET', path, body }: Request) {
    const ask = async (base: string) => {
      const response = await fetch(`${base}/api/v2/${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' } }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? '' : comparable(JSON.parse(text)) };
    };
    const [theirs, ours] = await Promise.all([ask(pair.theirs), ask(pair.ours)]);
    return { theirs, ours };
  }

  beforeAll(async () => {
    pair = await startPair(CONFIG);
    const alerts = [
      { alertname: 'A', team: 'db', pod: '1', severity: 'critical' },
      { alertname: 'A', team: 'db', pod: '1', severity: 'warning' },
      { alertname: 'A', team: 'web', pod: '2', instance: 'b' },
      { alertname: 'A', team: 'web', pod: '2', instance: 'a', job: 'z' },
      { alertname: 'B', pod: '3' },
      { alertname: 'Quiet', pod: '4', 한글: '값' },
    ].map((labels) => ({
      labels: Object.fromEntries(Object.entries(labels).filter(([name]) => /^\w+$/.test(name))),
      annotations: { summary: `about ${labels.alertname}` },
      startsAt: START,
      endsAt: END,
      generatorURL: 'http://prometheus.test/graph?g0.expr=up',
    }));
    await both({ method: 'POST', path: 'alerts', body: alerts });
    const matchers = [{ name: 'alertname', value: 'Qu.*', isRegex: true }];
    const body = { matchers, startsAt: START, endsAt: END, createdBy: 'me', comment: 'so' };
    await both({ method: 'POST', path: 'silences', body });
  }, 30_000);

  const filter = (text: string) => `filter=${encodeURIComponent(text)}`;
  const lists = [
    ...['', 'active=false', 'silenced=false', 'inhibited=false', 'active=foo', 'receiver=db|ops'],
    ...[filter('team="db"'), filter('team=~"d.*|w.*"'), filter('team!="db"'), filter('team=""')],
    ...[filter('pod!~"[12]"'), `${filter('alertname=A')}&${filter('pod=1')}`, 'receiver=nobody'],
  ];
  it.each(lists)('lists alerts and groups: %s', async (query) => {
    for (const path of ['alerts', 'alerts/groups']) {
      const { theirs, ours } = await both({ path: `${path}?${query}` });
      expect(ours).toEqual(theirs);
      expect(theirs.status).toBe(200);
    }
  });

  it.each([
    { path: 'receivers' },
    { path: 'silences' },
    { path: `silences?${filter('alertname=~"Qu.*"')}` },
    { path: `silences?${filter('alertname="Quiet"')}` },
    { path: `alerts?${filter('foo')}` },
    { path: `silences?${filter('(')}` },
    { path: 'silence/x' },
    { path: 'silence/7d8e5ab8-8d0f-4d43-b9bd-9f3a2b5a1a11' },
    { method: 'DELETE', path: 'silence/x' },
    { method: 'POST', path: 'alerts', body: [] },
    { method: 'POST', path: 'alerts', body: [{ labels: {} }] },
    { method: 'POST', path: 'alerts', body: [{ annotations: {} }] },
    { method: 'POST', path: 'alerts', body: [{ labels: { a: '' } }] },
    {
      method: 'POST',
      path: 'alerts',
      body: [{ labels: { a: 'b' }, startsAt: END, endsAt: START }],
    },
    { method: 'POST', path: 'alerts', body: [{ labels: { a: 'b' }, generatorURL: '::' }] },
  ])('answers $method $path $body', async (request) => {
    const { theirs, ours } = await both(request);
    expect(ours).toEqual(theirs);
  });

  const matchers = [{ name: 'a', value: 'b', isRegex: false }];
  const silence = { matchers, startsAt: START, endsAt: END, createdBy: '', comment: '' };
  it.each([
    silence,
    { ...silence, matchers: [] },
    { ...silence, matchers: [{ name: 'a', value: 'b' }] },
    { ...silence, startsAt: END },
    { ...silence, startsAt: '2019-01-01T00:00:00Z', endsAt: START },
    { ...silence, startsAt: undefined },
    { ...silence, comment: undefined },
    { ...silence, id: '7d8e5ab8-8d0f-4d43-b9bd-9f3a2b5a1a11' },
  ])('takes or refuses the silence %j', async (body) => {
    const { theirs, ours } = await both({ method: 'POST', path: 'silences', body });
    expect(ours).toEqual(theirs);
  });

  it('says in the words of the newest version what a silence lacks', async () => {
    const body = { ...silence, matchers: [{ name: 'a', value: '', isRegex: false }] };
    const { theirs, ours } = await both({ method: 'POST', path: 'silences', body });
    const reason = 'at least one matcher must not match the empty string';
    expect(theirs).toEqual({ status: 400, body: `silence invalid: ${reason}` });
    expect(ours).toEqual({ status: 400, body: `invalid silence: ${reason}` });
  });

  it('tells who speaks the first version that it is gone', async () => {
    for (const path of ['silences', 'alerts/groups', 'status', 'receivers']) {
      expect((await fetch(`${pair.ours}/api/v1/${path}`)).status).toBe(410);
    }
    const posted = await fetch(`${pair.ours}/api/v1/alerts`, { method: 'POST', body: '[]' });
    expect(posted.status).toBe(410);
    expect((await fetch(`${pair.ours}/api/v1/alerts`)).status).toBe(200);
  });
});

/** Without ids and times of the asking, and without the fields that 0.25 does not have. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  const left = new Set(['id', 'silenceID', 'updatedAt', 'mutedBy', 'routeLabels']);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, item]) => !left.has(name) && !(name === 'annotations' && isEmpty(item)))
      .map(([name, item]) => {
        // A silence begins when it is posted; ids of silences are random.
        if (name === 'startsAt' && item !== START) return [name, 'now'];
        if (name === 'silencedBy') return [name, (item as unknown[]).length];
        return [name, comparable(item)];
      }),
  );
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
