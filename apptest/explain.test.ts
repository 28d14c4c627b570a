/** How a query is explained, and results that are kept, as their users see them. */
import type { QueryExplanation, QueryExplanationStep } from '@tyto/api';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTyto, type Tyto, waitFor } from './harness.ts';
import { startHttp } from './targets.ts';

let tyto: Tyto;
let query: { start: string; end: string; step: string };

beforeAll(async () => {
  let scrapes = 0;
  const target = await startHttp((_, response) => {
    scrapes++;
    response.end(`requests_total{code="200"} ${scrapes * 7}\nrequests_total{code="500"} 3\n`);
  });
  tyto = await startTyto({
    config: `global: {scrape_interval: 1s}
scrape_configs:
  - job_name: shop
    fallback_scrape_protocol: PrometheusText0.0.4
    static_configs: [{targets: ['${target.address}']}]
`,
    args: ['--query.result-cache-size=10MB'],
  });
  await waitFor('there are samples', async () => {
    return (await tyto.value('count(count_over_time(requests_total[1m]) > 2)')) === 2;
  });
  const end = Math.floor(Date.now() / 1000);
  query = { start: `${end - 600}`, end: `${end}`, step: '15' };
});

async function explain(form: Record<string, string>): Promise<QueryExplanation> {
  const { status, json } = await tyto.post('tyto/api/v1/explain', form);
  expect(status).toBe(200);
  return json?.data;
}

describe('explain', () => {
  it('tells what was read, and of every part how it was computed', async () => {
    const text = 'sum by (code) (rate(requests_total[1m])) / scalar(sum(rate(requests_total[1m])))';
    const told = await explain({ query: text, ...query });
    expect(told.query).toBe(text);
    expect(told.reads).toHaveLength(1);
    expect(told.reads[0]).toMatchObject({ selector: '{__name__="requests_total"}', series: 2 });
    const [whole] = told.steps;
    expect(whole).toMatchObject({ text, series: 2 });
    const sum = whole.steps.find((step) => step.series === 2);
    expect(sum?.text).toBe('sum by (code) (rate(requests_total[1m]))');
    expect(sum?.notes).toEqual(['series are added up by the store, while it reads them']);
    expect(sum?.samplesRead).toBeGreaterThan(4);
    expect(told.samplesRead).toBeGreaterThanOrEqual(sum?.samplesRead ?? 0);
    expect(told.evaluationSeconds).toBeGreaterThan(0);
  });

  it('tells of parts that come again and of those that are the same at all times', async () => {
    const part = 'sum(requests_total)';
    const again = await explain({ query: `${part} - ${part} * 2`, ...query });
    expect(notesOf(again.steps)).toContain('known from the same part before');
    const once = await explain({ query: 'requests_total @ 1', ...query });
    expect(notesOf(once.steps)).toContain('the same at every step: evaluated once');
  });

  it('explains a query at one time, and refuses what is no query', async () => {
    const told = await explain({ query: 'requests_total' });
    expect(told.steps[0]).toMatchObject({ text: 'requests_total', series: 2 });
    const { status, json } = await tyto.post('tyto/api/v1/explain', { query: 'sum(' });
    expect([status, json?.errorType]).toEqual([400, 'bad_data']);
  });
});

describe('with --query.result-cache-size', () => {
  it('a query has the same answer every time', async () => {
    const end = Number(query.end) - 7200;
    const form = { query: 'vector(time())', start: `${end - 600}`, end: `${end}`, step: '60' };
    const first = await tyto.post('api/v1/query_range', form);
    const again = await tyto.post('api/v1/query_range', form);
    expect(first.status).toBe(200);
    expect(again.json).toEqual(first.json);
    expect((await explain(form)).samplesRead).toBe(0);
  });
});

function notesOf(steps: readonly QueryExplanationStep[]): string[] {
  return steps.flatMap(({ notes, steps: inside }) => [...notes, ...notesOf(inside)]);
}
