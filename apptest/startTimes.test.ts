/** Start times from an exporter to an answer, over kill -9, and Tyto without the features. */
import { describe, expect, it } from 'vitest';
import { startTyto, temporaryDirectory, type Tyto } from './harness.ts';

const LANGUAGE = '--enable-feature=promql-experimental-functions';
const FEATURES = `${LANGUAGE},st-storage,use-start-timestamps`;
const SECOND = 1000;

/** A counter of which one sample was seen: 40 since `startMs`. */
async function send(tyto: Tyto, startMs: number, timeMs: number): Promise<void> {
  const nanos = (ms: number) => `${ms}000000`;
  const dataPoints = [
    { startTimeUnixNano: nanos(startMs), timeUnixNano: nanos(timeMs), asInt: '40' },
  ];
  const sum = { isMonotonic: true, aggregationTemporality: 2, dataPoints };
  const metrics = [{ name: 'jobs', sum }];
  const answer = await fetch(`${tyto.baseUrl}v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }),
  });
  expect(answer.status).toBe(200);
}

describe('start times', () => {
  it('are stored, survive kill -9, and make an increase of one sample', async () => {
    const dataDirectory = temporaryDirectory();
    const config = 'global: {}';
    let tyto = await startTyto({ config, dataDirectory, args: [FEATURES] });
    const timeMs = Math.floor(Date.now() / SECOND) * SECOND - 60 * SECOND;
    const startMs = timeMs - 60 * SECOND;
    await send(tyto, startMs, timeMs);
    const check = async () => {
      expect(await tyto.value('start_timestamp(jobs_total)')).toBe(startMs / SECOND);
      expect(await tyto.value('increase(jobs_total[1h])')).toBe(40);
    };
    await check();
    await tyto.kill('SIGKILL');
    tyto = await startTyto({ config, dataDirectory, args: [FEATURES] });
    await check();
    await tyto.kill('SIGTERM');
    tyto = await startTyto({ config, dataDirectory, args: [FEATURES] });
    await check();
  });

  it('are not there unless they are asked for', async () => {
    const tyto = await startTyto({ config: 'global: {}', args: [LANGUAGE] });
    const timeMs = Date.now() - 60 * SECOND;
    await send(tyto, timeMs - SECOND, timeMs);
    expect(await tyto.value('jobs_total')).toBe(40);
    expect(await tyto.query('start_timestamp(jobs_total)')).toEqual([]);
    expect(await tyto.query('increase(jobs_total[1h])')).toEqual([]);
  });
});
