import { logStoreSuite } from '@tyto/model/testing/logs';
import { afterAll, beforeAll } from 'vitest';
import { OpenedStores } from './testing/opened.ts';

let stores: OpenedStores;
beforeAll(() => {
  stores = new OpenedStores();
});
afterAll(() => stores.close());

logStoreSuite('ClickHouse', async () => stores.open().logs);
