import { type ApiClient, ApiError, createApiClient, type HttpRequest } from '@tyto/api';
import { ManualClock } from '@tyto/base';
import { describe, expect, it } from 'vitest';

interface Sent {
  url: string;
  request: HttpRequest;
}

function clientThatAnswers(status: number, body: string): { client: ApiClient; sent: Sent[] } {
  const sent: Sent[] = [];
  const client = createApiClient({
    baseUrl: 'https://host/prefix/',
    createAbort: () => new AbortController(),
    fetch: async (url, request) => {
      sent.push({ url, request });
      return { ok: status < 400, status, statusText: '', text: async () => body };
    },
  });
  return { client, sent };
}

function clientThatHangs(clock: ManualClock): ApiClient {
  return createApiClient({
    baseUrl: '/',
    clock,
    createAbort: () => new AbortController(),
    fetch: (_url, request) =>
      new Promise((_resolve, reject) => {
        request.signal.addEventListener('abort', () => reject(new Error('aborted')));
      }),
  });
}

async function failureOf(promise: Promise<unknown>): Promise<ApiError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiError)) throw new Error(`Expected an ApiError, got ${String(error)}`);
  return error;
}

describe('the client of /api/v1', () => {
  it('asks below the prefix and keeps warnings and infos beside the data', async () => {
    const body = '{"status":"success","data":[],"warnings":["w"],"infos":["i"]}';
    const { client, sent } = clientThatAnswers(200, body);
    const answer = await client.labelNames({ match: ['up', '{job="a b"}'] });
    expect(sent[0]?.url).toBe(
      'https://host/prefix/api/v1/labels?match%5B%5D=up&match%5B%5D=%7Bjob%3D%22a%20b%22%7D',
    );
    expect(answer).toEqual({ data: [], warnings: ['w'], infos: ['i'] });
  });

  it('asks for the steps of relabelling with the labels as JSON', async () => {
    const { client, sent } = clientThatAnswers(200, '{"status":"success","data":{"steps":[]}}');
    const { data } = await client.relabelSteps('a pool', { __address__: 'host:1' });
    expect(data.steps).toEqual([]);
    expect(sent[0]?.url).toBe(
      'https://host/prefix/api/v1/targets/relabel_steps?scrapePool=a%20pool&labels=' +
        '%7B%22__address__%22%3A%22host%3A1%22%7D',
    );
  });

  it('escapes names of labels that are no classic ones, and those that look escaped', async () => {
    const { client, sent } = clientThatAnswers(200, '{"status":"success","data":[]}');
    for (const name of ['job', 'a.b_c', 'U__x']) await client.labelValues(name);
    expect(sent.map(({ url }) => url.split('/').at(-2))).toEqual([
      'job',
      'U__a_2e_b__c',
      'U__U____x',
    ]);
  });

  it('sends a long query as a form instead of a long URL', async () => {
    const { client, sent } = clientThatAnswers(200, '{"status":"success","data":{}}');
    await client.query({ query: 'x'.repeat(5000) });
    expect(sent[0]?.url).toBe('https://host/prefix/api/v1/query');
    expect(sent[0]?.request.method).toBe('POST');
    expect(sent[0]?.request.body).toBe(`query=${'x'.repeat(5000)}`);
    expect(sent[0]?.request.headers['content-type']).toBe('application/x-www-form-urlencoded');
  });

  it('turns an error envelope into its type, message and status', async () => {
    const { client } = clientThatAnswers(
      422,
      '{"status":"error","errorType":"execution","error":"too many samples"}',
    );
    const error = await failureOf(client.query({ query: 'up' }));
    expect([error.errorType, error.message, error.status]).toEqual([
      'execution',
      'too many samples',
      422,
    ]);
    expect(error.isUnreachable).toBe(false);
  });

  it("says unreachable when a proxy answers in the server's place", async () => {
    const { client } = clientThatAnswers(502, '<html>Bad gateway</html>');
    const error = await failureOf(client.alerts());
    expect(error.isUnreachable).toBe(true);
    expect(error.message).toContain('Bad gateway');
  });

  it('escapes label names outside the classic alphabet', async () => {
    const { client, sent } = clientThatAnswers(200, '{"status":"success","data":[]}');
    await client.labelValues('service.name');
    expect(sent[0]?.url).toBe('https://host/prefix/api/v1/label/U__service_2e_name/values');
  });
});

describe('time and abort', () => {
  it('gives up after the timeout', async () => {
    const clock = new ManualClock();
    const failure = failureOf(clientThatHangs(clock).alerts({ timeoutMs: 2500 }));
    await clock.advance(2500);
    const error = await failure;
    expect([error.errorType, error.message]).toEqual(['timeout', 'No answer within 2.5 s']);
  });

  it('tells an abort of the caller from a network failure', async () => {
    const abort = new AbortController();
    const failure = failureOf(clientThatHangs(new ManualClock()).alerts({ signal: abort.signal }));
    abort.abort();
    expect((await failure).errorType).toBe('canceled');
  });
});

describe('the client of /api/v2', () => {
  it('reads the plain string of an Alertmanager error', async () => {
    const { client } = clientThatAnswers(400, '"bad matcher format"');
    const error = await failureOf(client.alertmanager.alerts({ filter: ['x'] }));
    expect([error.errorType, error.message]).toEqual(['bad_data', 'bad matcher format']);
  });

  it('expires a silence whose answer has no body', async () => {
    const { client, sent } = clientThatAnswers(200, '');
    await client.alertmanager.expireSilence('ab/c');
    expect(sent[0]?.url).toBe('https://host/prefix/api/v2/silence/ab%2Fc');
    expect(sent[0]?.request.method).toBe('DELETE');
  });
});
