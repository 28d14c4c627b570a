/**
 * The LogQL suite over the store that people have: the same answers from ClickHouse as from the
 * twin in memory. One engine serves all scripts at once; each store of a script is a tenant of its
 * own.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { runLogqlScript } from '@tyto/logql';
import type { LogStore } from '@tyto/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OpenedStores } from '../packages/columnar/src/testing/opened.ts';

const FOLDER = new URL('../packages/logql/suite/', import.meta.url);
const scripts = readdirSync(FOLDER).filter((name) => name.endsWith('.logql'));

let stores: OpenedStores;
let shared: LogStore;
let tenants = 0;

beforeAll(() => {
  stores = new OpenedStores();
  shared = stores.open().logs;
});
afterAll(() => stores.close());

/** An empty store for a script: whatever the script names its tenant, here it is a new one. */
function emptyStore(): LogStore {
  const tenant = `tenant-${tenants++}`;
  return {
    append: (_, streams) => shared.append(tenant, streams),
    read: (request) => shared.read({ ...request, tenant }),
    aggregate: async (request) =>
      shared.aggregate?.({ ...request, select: { ...request.select, tenant } }),
    estimate: (request) => shared.estimate({ ...request, tenant }),
    streams: (request) => shared.streams({ ...request, tenant }),
    sizes: (request) => shared.sizes({ ...request, tenant }),
    delete: (request) => shared.delete({ ...request, tenant }),
  };
}

describe('the LogQL suite over ClickHouse', () => {
  for (const name of scripts) {
    it.concurrent(`${name} is answered as it says`, { timeout: 120_000 }, async () => {
      const text = readFileSync(new URL(name, FOLDER), 'utf8');
      const outcomes = await runLogqlScript(text, async () => emptyStore());
      const failed = outcomes.flatMap(({ line, query, problem }) =>
        problem === undefined ? [] : [`${name}:${line}: ${query}\n${problem}`],
      );
      expect(outcomes.length).toBeGreaterThan(0);
      expect(failed.join('\n\n')).toBe('');
    });
  }
});
