/** Debian's amtool against Debian's Alertmanager and against Tyto: it says the same of both. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { programPath, run, runTyto, temporaryDirectory } from '../harness.ts';
import { type Pair, startPair } from './pair.ts';

const CONFIG = `
route:
  receiver: ops
  group_by: [alertname]
  routes:
  - {matchers: ['team="db"'], receiver: db, continue: true}
  - {matchers: ['team=~"db|web"'], receiver: pager}
receivers:
- name: ops
- name: db
- name: pager
  webhook_configs: [{url: 'http://127.0.0.1:1/hook'}]
`;

const there = programPath('amtool') !== undefined;

describe.skipIf(!there || programPath('prometheus-alertmanager') === undefined)('amtool', () => {
  let pair: Pair;
  const directory = temporaryDirectory();

  async function amtool(base: string, args: readonly string[]) {
    const global = [`--alertmanager.url=${base}`, '--no-version-check'];
    const { code, stdout, stderr } = await run('amtool', [...global, ...args]);
    return { code, stdout, stderr };
  }

  /** The output of both, with ids and times made the same. */
  async function both(...args: string[]) {
    const [theirs, ours] = await Promise.all([amtool(pair.theirs, args), amtool(pair.ours, args)]);
    const same = ({ code, stdout, stderr }: typeof theirs) => ({
      code,
      stdout: stdout
        .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<id>')
        .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^ "]*( UTC)?/g, '<time>'),
      stderr,
    });
    return { theirs: same(theirs), ours: same(ours) };
  }

  beforeAll(async () => {
    pair = await startPair(CONFIG);
  }, 30_000);

  it('adds alerts and finds them', async () => {
    const added = await both('alert', 'add', 'Slow', 'team=db', '--annotation=summary="is slow"');
    expect(added.ours).toEqual(added.theirs);
    expect(added.theirs.code).toBe(0);
    await both('alert', 'add', 'alertname=Full', 'team=web', 'pod=a b');
    for (const args of [
      ['alert'],
      ['alert', 'query', '-o', 'extended'],
      ['alert', 'query', 'team=db', '-o', 'simple'],
      ['alert', 'query', 'alertname=~"S.*"'],
      ['alert', 'query', '--receiver=pager'],
      ['alert', 'query', '--silenced'],
      ['alert', 'query', '-o', 'json', 'team="none"'],
    ]) {
      const { theirs, ours } = await both(...args);
      expect(ours, args.join(' ')).toEqual(theirs);
      expect(theirs.code).toBe(0);
    }
  });

  it('adds silences, finds, updates, imports and ends them', async () => {
    const silence = ['silence', 'add', 'alertname=Slow', '-d', '2h', '-a', 'kim', '-c', 'because'];
    expect((await both(...silence)).ours).toEqual({ code: 0, stdout: '<id>\n', stderr: '' });
    const listed = await both('silence', 'query', '-o', 'extended');
    expect(listed.ours).toEqual(listed.theirs);
    const quiet = await both('silence', 'query', '-q');
    expect(quiet.ours).toEqual(quiet.theirs);
    const muted = await both('alert', 'query', '--silenced', '-o', 'simple');
    expect(muted.ours).toEqual(muted.theirs);
    expect(muted.ours.stdout).toContain('Slow');
    for (const base of [pair.theirs, pair.ours]) {
      const id = (await amtool(base, ['silence', 'query', '-q'])).stdout.trim();
      const updated = await amtool(base, ['silence', 'update', '-c', 'still', '-d', '3h', id]);
      expect(updated).toMatchObject({ code: 0, stderr: '' });
      const exported = await amtool(base, ['silence', 'query', '-o', 'json']);
      expect(JSON.parse(exported.stdout)[0].comment).toBe('still');
      const path = join(directory, 'silences.json');
      writeFileSync(path, exported.stdout);
      expect(await amtool(base, ['silence', 'import', '--force', path])).toMatchObject({ code: 0 });
      const ids = (await amtool(base, ['silence', 'query', '-q'])).stdout.trim().split('\n');
      expect(ids).toHaveLength(2);
      expect(await amtool(base, ['silence', 'expire', ...ids])).toMatchObject({ code: 0 });
      expect(await amtool(base, ['silence', 'query', '-q'])).toMatchObject({ stdout: '' });
    }
    const expired = await both('silence', 'query', '--expired', '-o', 'simple');
    expect(expired.ours.code).toBe(0);
    expect(expired.ours.stdout.split('\n').length).toBe(expired.theirs.stdout.split('\n').length);
  });

  it('says the same of mistakes', async () => {
    for (const args of [
      ['silence', 'expire', 'x'],
      ['alert', 'query', 'alertname=~"("'],
    ]) {
      const { theirs, ours } = await both(...args);
      expect(ours, args.join(' ')).toEqual(theirs);
      expect(theirs.code).toBe(1);
    }
  });

  it('shows and tests the routes of the running configuration', async () => {
    for (const args of [
      ['config', 'routes', 'show'],
      ['config', 'routes', 'test', 'team=db'],
      ['config', 'routes', 'test', '--tree', '--verify.receivers=ops', 'team=none'],
      ['config', 'routes', 'test', '--verify.receivers=ops', 'team=web'],
    ]) {
      const { theirs, ours } = await both(...args);
      expect(ours, args.join(' ')).toEqual(theirs);
    }
    expect((await both('config', 'show')).ours).toMatchObject({ code: 0, stderr: '' });
    expect((await both('cluster', 'show')).ours.code).toBe(0);
  });

  it('and tyto check config agree on what is wrong with a file', async () => {
    const good = join(directory, 'good.yml');
    const bad = join(directory, 'bad.yml');
    writeFileSync(good, CONFIG);
    writeFileSync(bad, CONFIG.replace('receiver: db', 'receiver: nobody'));
    for (const [path, code] of [
      [good, 0],
      [bad, 1],
    ] as const) {
      const theirs = await run('amtool', ['check-config', path]);
      const ours = await runTyto(['check', 'config', path]);
      expect([theirs.code, ours.code]).toEqual([code, code]);
      if (code === 0) continue;
      expect(theirs.stdout + theirs.stderr).toContain('undefined receiver "nobody" used in route');
      expect(ours.stdout + ours.stderr).toContain(
        'bad.yml:6:41: undefined receiver "nobody" used in route',
      );
    }
  });
});
