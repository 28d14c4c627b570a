import { text } from 'node:stream/consumers';
import { someLogs } from '@tyto/model/testing/logs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Columnar } from './columnar.ts';
import { OpenedStores } from './testing/opened.ts';

let stores: OpenedStores;
let store: Columnar;
beforeAll(async () => {
  stores = new OpenedStores();
  store = stores.open();
  await store.logs.append('one', [
    someLogs({ app: 'a' }, [0, '{"level":"info","n":1}', { trace: 't' }], [1, 'hello, "you"']),
  ]);
  await store.logs.append('two', [someLogs({ app: 'b' }, [0, 'secret of two'])]);
});
afterAll(() => stores.close());

const ask = async (query: string, format: 'json' | 'csv' | 'ndjson' = 'csv', tenant = 'one') =>
  text(await store.sql({ tenant, query, format }));

describe("people's own SQL", () => {
  it('reads the logs of their tenant, with the labels of the streams', async () => {
    const query = "SELECT labels['app'] AS app, level, line FROM logs ORDER BY time";
    expect(await ask(query)).toBe(
      '"app","level","line"\n"a","info","{""level"":""info"",""n"":1}"\n"a","","hello, ""you"""\n',
    );
    expect(await ask('SELECT count() AS n FROM log_entries', 'ndjson', 'two')).toBe('{"n":1}\n');
    const json = await ask('SELECT level, count() FROM logs GROUP BY level ORDER BY level', 'json');
    expect(JSON.parse(json)).toMatchObject({ rows: 2 });
    const bytes = await store.sql({ tenant: 'one', query: 'SELECT 1', format: 'parquet' });
    expect((await text(bytes)).startsWith('PAR1')).toBe(true);
  });

  it('gives whole answers, also long ones', async () => {
    const query = 'SELECT number FROM numbers(300000)';
    expect((await ask(query)).split('\n')).toHaveLength(300_002);
    expect((await ask(query, 'ndjson')).split('\n')).toHaveLength(300_001);
    expect(JSON.parse(await ask(query, 'json'))).toMatchObject({ rows: 300_000 });
  });

  it('shows nobody anything else', async () => {
    const secrets = [
      'SELECT * FROM logs',
      'SELECT * FROM log_entries',
      "SELECT 'secret of two' IN (SELECT line FROM log_entries)",
      'WITH x AS (SELECT * FROM log_entries) SELECT * FROM x UNION ALL SELECT * FROM x',
      'SELECT max(line), any(labels) FROM logs, log_streams',
      'SELECT * FROM tyto_schema_steps',
    ];
    for (const query of secrets) {
      const answer = await ask(query, 'ndjson').catch(String);
      expect([query, answer.includes('secret of two')]).toEqual([
        query,
        query.includes("'secret") ? answer.includes('secret of two') : false,
      ]);
    }
    expect(
      await ask("SELECT 'secret of two' IN (SELECT line FROM log_entries) AS x", 'ndjson'),
    ).toBe('{"x":0}\n');
  });

  it('refuses what is no reading of logs, and says why', async () => {
    const refused = [
      "SELECT * FROM merge('default', 'log_entries')",
      "SELECT * FROM `merge`(currentDatabase(), 'log_entries')",
      "SELECT * FROM file('/etc/passwd', 'LineAsString')",
      "SELECT file('/etc/passwd')",
      "SELECT FILE /* x */ ('/etc/passwd')",
      "SELECT * FROM url('http://127.0.0.1/', 'LineAsString')",
      'SELECT * FROM mergeTreeIndex(currentDatabase(), log_entries)',
      'SELECT * FROM system.processes',
      'SELECT * FROM `system`.`tables`',
      'SELECT 1 IN (SELECT name FROM system.tables)',
      'SELECT * FROM information_schema.tables',
      'SELECT * FROM default.log_entries',
      "SELECT * FROM log_entries INTO OUTFILE '/tmp/x'",
      'SELECT * FROM log_entries SETTINGS additional_table_filters = {}',
      'SELECT 1; SELECT 2',
      'DROP TABLE log_entries',
      "INSERT INTO log_entries (line) VALUES ('x')",
      'SHOW TABLES',
      'SET readonly = 0',
      '',
      'SELECT $x$ a $x$',
      "SELECT ‘'’, file(‘/etc/passwd’), ‘'’",
      "SELECT 'open",
      'SELECT `a\\`b`',
      'SELECT nothing_of_the_kind FROM logs',
      "SELECT toUInt64('x') FROM logs",
    ];
    for (const query of refused) {
      const answer = await ask(query).catch((error: { kind?: string }) => error.kind);
      expect([query, answer]).toEqual([query, 'bad_data']);
    }
    expect(await ask('SELECT count() AS n FROM log_entries', 'ndjson')).toBe('{"n":2}\n');
    await expect(ask('SELECT unknown FROM logs')).rejects.toThrow(/unknown/i);
  });

  it('ends what takes too much', async () => {
    await expect(ask('SELECT number FROM numbers(5000000)')).rejects.toMatchObject({
      kind: 'too_large',
    });
    const ended = new AbortController();
    const query = 'SELECT sum(sipHash64(number)) FROM numbers(1000000000000)';
    const running = store.sql({ tenant: 'one', query, format: 'csv', signal: ended.signal });
    setTimeout(() => ended.abort(), 200);
    await expect(running).rejects.toMatchObject({ kind: 'canceled' });
  });
});
