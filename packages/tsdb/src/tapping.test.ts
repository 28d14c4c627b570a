import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '@tyto/base';
import {
  bitsOf,
  type CommitTap,
  type FloatHistogram,
  isStaleBits,
  Labels,
  type SeriesRef,
} from '@tyto/model';
import { Tsdb } from '@tyto/tsdb';

const NOW = 1_700_000_000_000;
const HISTOGRAM: FloatHistogram = {
  counterResetHint: 'unknown',
  schema: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  count: 1,
  sum: 1,
  positiveSpans: [{ offset: 0, length: 1 }],
  negativeSpans: [],
  positiveBuckets: [1],
  negativeBuckets: [],
  customValues: [],
};

class Listener implements CommitTap {
  isTapped = true;
  readonly heard: string[] = [];
  /** Settles what `committed` returned. */
  release: () => void = () => {};
  holds = false;

  committed(
    samples: Parameters<CommitTap['committed']>[0],
    labelsOf: (ref: SeriesRef) => Labels,
  ): Promise<void> {
    const bits = bitsOf(samples.values);
    const late = samples.late ? 'late ' : '';
    const say = (ref: SeriesRef, what: string) =>
      this.heard.push(`${late}${labelsOf(ref).get('__name__')} ${what}`);
    for (let i = samples.from; i < samples.end; i++) {
      const value = isStaleBits(bits, i) ? 'stale' : samples.values[i];
      say(samples.refs[i], `${samples.timestamps[i] - NOW} ${value}`);
    }
    for (const { ref, timestampMs, histogram } of samples.histograms) {
      say(ref, `${timestampMs - NOW} count ${histogram.count}`);
    }
    for (const { series, exemplar } of samples.exemplars) {
      this.heard.push(`${series.get('__name__')} exemplar ${exemplar.value}`);
    }
    if (!this.holds) return Promise.resolve();
    return new Promise((resolve) => {
      this.release = resolve;
    });
  }
}

let directory: string;
let tsdb: Tsdb;
let tap: Listener;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tyto-tap-'));
  tap = new Listener();
  tsdb = await Tsdb.open({
    directory,
    tap,
    clock: new ManualClock(NOW),
    maintenanceIntervalMs: 0,
    outOfOrderWindowMs: 60_000,
  });
});
afterEach(async () => {
  await tsdb.close();
  rmSync(directory, { recursive: true });
});

describe('a tap', () => {
  it('sees what a commit put into the store, and nothing else', async () => {
    const first = tsdb.appender();
    const a = first.series(Labels.of({ __name__: 'a' }));
    const b = first.series(Labels.of({ __name__: 'b' }));
    first.append(a, NOW, 1);
    first.append(b, NOW, 2);
    first.append(a, NOW, 7);
    first.appendRun(a, Float64Array.of(NOW + 1, NOW + 2), Float64Array.of(3, 4), 0, 2);
    first.appendStale(b, NOW + 1);
    first.appendExemplar(a, { labels: Labels.empty, value: 5, timestampMs: NOW });
    const second = tsdb.appender();
    second.append(a, NOW, 1);
    second.append(b, NOW, 3);
    await first.commit();
    expect(tap.heard.splice(0)).toEqual([
      'a 0 1',
      'b 0 2',
      'a 1 3',
      'a 2 4',
      'b 1 stale',
      'a exemplar 5',
    ]);
    await second.commit();
    expect(tap.heard).toEqual([]);
  });

  it('sees histograms in their place, and late samples as such', async () => {
    const appender = tsdb.appender();
    const a = appender.series(Labels.of({ __name__: 'a' }));
    appender.append(a, NOW, 1);
    appender.appendHistogram(a, NOW + 1, HISTOGRAM);
    appender.append(a, NOW + 2, 2);
    await appender.commit();
    expect(tap.heard.splice(0)).toEqual(['a 0 1', 'a 1 count 1', 'a 2 2']);
    const late = tsdb.appender();
    late.append(a, NOW - 500, 9);
    late.append(a, NOW + 3, 3);
    await late.commit();
    expect(tap.heard).toEqual(['a 3 3', 'late a -500 9']);
  });

  it('is waited for, and not called while it does not listen', async () => {
    tap.holds = true;
    const appender = tsdb.appender();
    appender.append(appender.series(Labels.of({ __name__: 'a' })), NOW, 1);
    let isDone = false;
    const done = appender.commit().then(() => {
      isDone = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(isDone).toBe(false);
    tap.release();
    await done;
    tap.isTapped = false;
    const deaf = tsdb.appender();
    deaf.append(deaf.series(Labels.of({ __name__: 'a' })), NOW + 1, 1);
    await deaf.commit();
    expect(tap.heard).toEqual(['a 0 1']);
  });
});
