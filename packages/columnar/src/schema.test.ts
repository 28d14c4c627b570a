import { silentLogger, systemClock } from '@tyto/base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClickHouse } from './clickhouse.ts';
import { EngineProcess } from './engineProcess.ts';
import { migrate } from './schema.ts';
import { OpenedStores } from './testing/opened.ts';

let stores: OpenedStores;
beforeAll(() => {
  stores = new OpenedStores();
});
afterAll(() => stores.close());

describe('the tables', () => {
  it('come to the newest step from every earlier one, and keep what they have', async () => {
    const newest = await stepsFrom(undefined);
    for (let step = 1; step < newest; step++) expect(await stepsFrom(step)).toBe(newest);
  });
});

/** The step that a database is at which was made at `step`, written to and opened twice. */
async function stepsFrom(step: number | undefined): Promise<number> {
  const engine = new EngineProcess({
    directory: stores.directory(),
    script: stores.script,
    memoryBytes: 1e9,
    clock: systemClock,
    logger: silentLogger,
  });
  await engine.ready();
  const clickhouse = new ClickHouse({ url: 'http://engine', socketPath: engine.socketPath });
  try {
    await migrate(clickhouse, step);
    await clickhouse.command("INSERT INTO log_entries (tenant, line) VALUES ('one', 'kept')");
    await migrate(clickhouse);
    await migrate(clickhouse);
    const rows = await clickhouse.rows<[string, number]>(
      'SELECT line, (SELECT max(step) FROM tyto_schema_steps) FROM logs',
    );
    expect(rows.map(([line]) => line)).toEqual(['kept']);
    return rows[0][1];
  } finally {
    await clickhouse.close();
    await engine.close();
  }
}
