import { MemoryLogStore } from '@tyto/model';
import { logStoreSuite } from '@tyto/model/testing/logs';

logStoreSuite('MemoryLogStore', async () => new MemoryLogStore());
