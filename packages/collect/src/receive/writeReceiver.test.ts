import { describe, expect, it } from 'vitest';
import { ManualClock, TytoError } from '@tyto/base';
import { WriteReceiver } from '@tyto/collect';
import { encodeSnappy } from '@tyto/kernels';
import {
  bitsOf,
  type FloatHistogram,
  Labels,
  type MetricAppender,
  MemoryMetricStore,
  NO_SERIES,
  SampleColumns,
  createMatcher,
  UNKNOWN_SERIES,
  writeStaleBits,
} from '@tyto/model';
import {
  encodeWriteRequest,
  ProtobufWriter,
  type RemoteWriteVersion,
  type WriteRequest,
  type WriteSeries,
} from '@tyto/wire';
import { dumpStore } from '../testing.ts';

const KEY = new Uint8Array(16).fill(3);
const NOW = 1_700_000_000_000;

function series(labels: Record<string, string>, samples: [number, number][]): WriteSeries {
  return {
    labels: Labels.of(labels),
    timestamps: Float64Array.from(samples, ([timestamp]) => timestamp),
    values: Float64Array.from(samples, ([, value]) => value),
  };
}

function body(request: WriteRequest, version: RemoteWriteVersion): Uint8Array[] {
  return [encodeSnappy(encodeWriteRequest(request, version))];
}

function receiverOver(store: { appender(): MetricAppender } = new MemoryMetricStore()) {
  return new WriteReceiver({ store, clock: new ManualClock(NOW), key: KEY });
}

const UP = { __name__: 'up', job: 'a' };

for (const version of [1, 2] as const) {
  describe(`remote write ${version}.0`, () => {
    it('stores samples, first of new series and then of known ones', async () => {
      const store = new MemoryMetricStore();
      const receiver = receiverOver(store);
      for (const start of [1000, 4000]) {
        const request = {
          series: [
            series(UP, [
              [start, 1],
              [start + 1000, 2],
            ]),
            series({ __name__: 'up', job: 'b' }, [[start, 5]]),
          ],
        };
        const outcome = await receiver.receive(body(request, version), version);
        const written = { samples: 3, histograms: 0, exemplars: 0, refused: undefined };
        expect(outcome).toEqual(written);
      }
      expect(await dumpStore(store)).toEqual([
        'up{job="a"} 1@1000 2@2000 1@4000 2@5000',
        'up{job="b"} 5@1000 5@4000',
      ]);
      expect(receiver.knownSeries).toBe(2);
    });

    it('keeps stale markers', async () => {
      const store = new MemoryMetricStore();
      const stale = series(UP, [
        [1000, 1],
        [2000, 0],
      ]);
      writeStaleBits(bitsOf(stale.values), 1);
      await receiverOver(store).receive(body({ series: [stale] }, version), version);
      expect(await dumpStore(store)).toEqual(['up{job="a"} 1@1000 stale@2000']);
    });

    it('keeps the rest where samples are refused, and says what and how many', async () => {
      const store = new MemoryMetricStore();
      const receiver = receiverOver(store);
      const send = (...all: WriteSeries[]) =>
        receiver.receive(body({ series: all }, version), version);
      await send(series(UP, [[5000, 1]]));
      const outcome = await send(
        series(UP, [
          [3000, 1],
          [5000, 1],
          [6000, 2],
          [7000, 3],
        ]),
        series({ __name__: 'other' }, [[NOW + 700_000, 1]]),
        series({ __name__: 'third' }, [
          [9000, 1],
          [8000, 2],
          [9000, 3],
          [10_000, 4],
        ]),
      );
      // The sample at 5000 was there already with the same value: that is no mistake.
      expect(outcome.samples).toBe(3 + 0 + 2);
      expect(outcome.refused).toBe(
        'out of order sample for series {__name__="up", job="a"}\n' +
          'samples that were refused: 2 out of order sample, 1 out of bounds, ' +
          '1 duplicate sample for timestamp',
      );
      const future = await send(series({ __name__: 'other' }, [[NOW + 700_000, 1]]));
      expect(future.refused).toMatch(/^out of bounds: timestamp is too far in the future for ser/);
      const duplicate = await send(series(UP, [[7000, 9]]));
      expect(duplicate.refused).toMatch(
        /^duplicate sample for timestamp for series \{__name__="up/,
      );
      expect(await dumpStore(store)).toEqual([
        'third 1@9000 4@10000',
        'up{job="a"} 1@5000 2@6000 3@7000',
      ]);
      expect(receiver.totals).toMatchObject({ samples: 6, refused: { out_of_order: 2 } });
    });

    it('refuses series without a name and keeps the others', async () => {
      const store = new MemoryMetricStore();
      const request = { series: [series({ job: 'x' }, [[1, 1]]), series(UP, [[1, 1]])] };
      const outcome = await receiverOver(store).receive(body(request, version), version);
      expect(outcome.samples).toBe(1);
      expect(outcome.refused).toContain('invalid metric name or labels, got {job="x"}');
    });

    it('stores histograms, exemplars and metadata', async () => {
      const store = new MemoryMetricStore();
      const receiver = receiverOver(store);
      const histogram: FloatHistogram = {
        isInteger: true,
        counterResetHint: 'unknown',
        schema: 0,
        zeroThreshold: 0,
        zeroCount: 1,
        count: 3,
        sum: 4,
        positiveSpans: [{ offset: 0, length: 1 }],
        negativeSpans: [],
        positiveBuckets: [2],
        negativeBuckets: [],
        customValues: [],
      };
      const metadata = { type: 'histogram', help: 'How long.', unit: 'seconds' } as const;
      const latency = {
        ...series({ __name__: 'latency' }, []),
        histograms: [
          { timestampMs: 1000, histogram },
          { timestampMs: 2000, histogram: undefined },
        ],
        exemplars: [{ labels: Labels.of({ trace_id: 'x' }), value: 2, timestampMs: 900 }],
        metadata,
      };
      const request = { series: [latency], metadata: [{ family: 'latency', ...metadata }] };
      const outcome = await receiver.receive(body(request, version), version);
      expect(outcome).toEqual({ samples: 0, histograms: 2, exemplars: 1, refused: undefined });
      const matchers = [createMatcher('=', '__name__', 'latency')];
      const range = { minTimeMs: 0, maxTimeMs: 5000 };
      const selection = await store.select({ matchers, ...range });
      const columns = new SampleColumns();
      selection.readInto(0, columns);
      expect(columns.histograms?.[0]).toEqual(histogram);
      expect(columns.isStale(1)).toBe(true);
      const [found] = await store.exemplars({ matcherSets: [matchers], ...range });
      expect(found.exemplars).toEqual(latency.exemplars);
      expect(receiver.metadata.get('latency')).toEqual(metadata);
    });

    it('resolves a series anew that the store has forgotten', async () => {
      const store = new MemoryMetricStore();
      let generation = 0;
      const forgetful = {
        appender(): MetricAppender {
          const inner = store.appender();
          const shift = generation * 1000;
          return {
            ...inner,
            series: (labels) => inner.series(labels) + shift,
            appendRun: (ref, timestamps, values, from, count) =>
              ref >= shift
                ? inner.appendRun(ref - shift, timestamps, values, from, count)
                : UNKNOWN_SERIES,
          };
        },
      };
      const receiver = receiverOver(forgetful);
      for (const time of [1000, 2000, 3000]) {
        const request = { series: [series(UP, [[time, 1]])] };
        const outcome = await receiver.receive(body(request, version), version);
        expect(outcome).toMatchObject({ samples: 1, refused: undefined });
        generation++;
      }
      expect(await dumpStore(store)).toEqual(['up{job="a"} 1@1000 1@2000 1@3000']);
    });

    it('says that the store takes no more series', async () => {
      const store = new MemoryMetricStore();
      const full = { appender: () => ({ ...store.appender(), series: () => NO_SERIES }) };
      const request = { series: [series(UP, [[1, 1]])] };
      const outcome = await receiverOver(full).receive(body(request, version), version);
      expect(outcome.refused).toContain('the store takes no more series, such as up{job="a"}');
    });

    it('refuses a request as a whole that is malformed anywhere', async () => {
      const store = new MemoryMetricStore();
      const receiver = receiverOver(store);
      const good = encodeWriteRequest({ series: [series(UP, [[1, 1]])] }, version);
      const cut = encodeSnappy(Uint8Array.from([...good, 0x0a]));
      await expect(receiver.receive([cut], version)).rejects.toThrow('malformed');
      await expect(receiver.receive([good], version)).rejects.toThrow(TytoError);
      expect(await dumpStore(store)).toEqual([]);
      const huge = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f);
      await expect(receiver.receive([huge], version)).rejects.toThrow('at most 67108864');
    });

    it('passes on that a commit failed', async () => {
      const store = new MemoryMetricStore();
      const commit = async () => {
        throw new TytoError('io', 'no space left on device');
      };
      const broken = { appender: () => ({ ...store.appender(), commit }) };
      const request = { series: [series(UP, [[1, 1]])] };
      const receiver = receiverOver(broken);
      await expect(receiver.receive(body(request, version), version)).rejects.toThrow('no space');
      expect(receiver.totals.samples).toBe(0);
    });
  });
}

describe('labels of remote write', () => {
  const raw = (...pairs: [string | Uint8Array, string][]) => {
    const writer = new ProtobufWriter();
    const message = writer.begin(1);
    for (const [name, value] of pairs) {
      const label = writer.begin(1);
      if (typeof name === 'string') writer.string(1, name);
      else writer.bytes(1, name);
      writer.string(2, value);
      writer.end(label);
    }
    const sample = writer.begin(2);
    writer.double(1, 1);
    writer.int64(2, 1000);
    writer.end(sample);
    writer.end(message);
    return [encodeSnappy(writer.finish())];
  };

  it('are sorted, and the same series in any order', async () => {
    const store = new MemoryMetricStore();
    const receiver = receiverOver(store);
    await receiver.receive(raw(['job', 'a'], ['__name__', 'up'], ['empty', '']), 1);
    await receiver.receive(raw(['__name__', 'up'], ['job', 'a']), 1);
    expect(await dumpStore(store)).toEqual(['up{job="a"} 1@1000']);
  });

  it('are refused where a name is there twice, or is no UTF-8', async () => {
    const receiver = receiverOver();
    const twice = await receiver.receive(raw(['__name__', 'up'], ['a', '1'], ['a', '2']), 1);
    expect(twice.refused).toContain(
      'invalid labels for series, labels {__name__="up", a="1", a="2"}, duplicated label a',
    );
    const bytes = await receiver.receive(raw(['__name__', 'up'], [Uint8Array.of(255), '1']), 1);
    expect(bytes.refused).toContain('UTF-8');
    expect(receiver.totals.refused.invalid_labels).toBe(2);
  });
});
