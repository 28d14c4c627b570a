import { describe, expect, it } from 'vitest';
import {
  appendSamples,
  createMatcher,
  Labels,
  MemoryMetricStore,
  SampleColumns,
} from '@tyto/model';

describe('MemoryMetricStore', () => {
  it('gives back what was committed, stale markers included', async () => {
    const store = new MemoryMetricStore();
    const labels = Labels.of({ __name__: 'up', job: 'node' });
    await appendSamples(store, labels, [
      [1000, 1],
      [2000, 0],
    ]);
    const appender = store.appender();
    appender.appendStale(appender.series(labels), 3000);
    await appender.commit();
    const matchers = [createMatcher('=', '__name__', 'up')];
    const selection = await store.select({ matchers, minTimeMs: 2000, maxTimeMs: 9000 });
    const columns = new SampleColumns(1);
    selection.readInto(0, columns);
    expect(selection.labels(0).toString()).toBe('up{job="node"}');
    expect([...columns.timestamps.subarray(0, columns.length)]).toEqual([2000, 3000]);
    expect(columns.isStale(0)).toBe(false);
    expect(columns.isStale(1)).toBe(true);
  });
});
