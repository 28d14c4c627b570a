import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Labels } from '@tyto/model';
import { readAll } from '@tyto/model/testing';
import { Tsdb } from '@tyto/tsdb';
import Fastify from 'fastify';
import { registerAdminApi } from './adminApi.ts';
import { errorBody, statusOfError } from './envelope.ts';

const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const T = 1_767_225_600;

async function server(isAdminApiEnabled = true) {
  const directory = mkdtempSync(join(tmpdir(), 'tyto-admin-api-'));
  const tsdb = await Tsdb.open({ directory, maintenanceIntervalMs: 0 });
  const appender = tsdb.appender();
  for (const job of ['a', 'b']) {
    const ref = appender.series(Labels.of({ __name__: 'up', job }));
    for (let i = 0; i < 3; i++) appender.append(ref, (T + i) * 1000, i);
  }
  await appender.commit();
  const app = Fastify();
  app.setErrorHandler((error, _, reply) =>
    reply.code(statusOfError(error)).send({ status: 'error', ...errorBody(error) }),
  );
  registerAdminApi(app, { tsdb, isAdminApiEnabled });
  ends.push(async () => {
    await app.close();
    await tsdb.close();
    rmSync(directory, { recursive: true });
  });
  const ask = (path: string, method: 'POST' | 'PUT' | 'GET' = 'POST') =>
    app.inject({ method, url: `/api/v1/admin/tsdb/${path}` });
  return { ask, tsdb, directory };
}

describe('the admin API', () => {
  it('is refused unless it is switched on', async () => {
    const { ask } = await server(false);
    for (const path of ['delete_series?match[]=up', 'clean_tombstones', 'snapshot']) {
      const answer = await ask(path);
      expect(answer.statusCode).toBe(503);
      expect(answer.json()).toEqual({
        status: 'error',
        errorType: 'unavailable',
        error: 'admin APIs disabled',
      });
    }
  });

  it('deletes the samples of selectors within a range', async () => {
    const { ask, tsdb } = await server();
    const one = await ask(`delete_series?match[]=up{job="a"}&start=${T + 1}&end=${T + 1}`);
    expect([one.statusCode, one.body]).toEqual([204, '']);
    expect(await readAll(tsdb, [['job', '=', 'a']])).toEqual({
      'up{job="a"}': [
        [T * 1000, 0],
        [(T + 2) * 1000, 2],
      ],
    });
    expect((await ask('delete_series?match[]=nothing&match[]=up', 'PUT')).statusCode).toBe(204);
    expect(await readAll(tsdb, [['__name__', '=', 'up']])).toEqual({});
    expect((await ask('clean_tombstones', 'PUT')).statusCode).toBe(204);
    expect((await ask('clean_tombstones', 'GET')).statusCode).toBe(404);
  });

  it('says what is wrong with parameters', async () => {
    const { ask } = await server();
    const errorOf = async (path: string) => {
      const answer = await ask(path);
      expect(answer.statusCode).toBe(400);
      return answer.json().error;
    };
    expect(await errorOf('delete_series')).toBe('no match[] parameter provided');
    expect(await errorOf('delete_series?match[]=up&start=x')).toBe(
      `invalid parameter "start": Invalid time value for 'start': cannot parse "x" to a valid ` +
        'timestamp',
    );
    expect(await errorOf('snapshot?skip_head=maybe')).toBe(
      'invalid parameter "skip_head": strconv.ParseBool: parsing "maybe": invalid syntax',
    );
  });

  it('takes snapshots and gives their names', async () => {
    const { ask, directory } = await server();
    for (const path of ['snapshot', 'snapshot?skip_head=true']) {
      const answer = await ask(path);
      expect(answer.statusCode).toBe(200);
      const { status, data } = answer.json();
      expect(status).toBe('success');
      expect(existsSync(join(directory, 'snapshots', data.name))).toBe(true);
    }
  });
});
