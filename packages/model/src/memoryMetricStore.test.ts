import { MemoryMetricStore } from '@tyto/model';
import { metricStoreSuite } from '@tyto/model/testing';

metricStoreSuite('in memory', async () => new MemoryMetricStore());
