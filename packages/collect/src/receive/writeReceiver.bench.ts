/** Whole requests of known series into a store that does nothing: what receiving itself costs. */
import { bench, describe } from 'vitest';
import { ManualClock } from '@tyto/base';
import { WriteReceiver } from '@tyto/collect';
import { encodeSnappy } from '@tyto/kernels';
import { APPENDED, Labels, type MetricAppender } from '@tyto/model';
import { encodeWriteRequest, type RemoteWriteVersion } from '@tyto/wire';

let refs = 0;
const appender: MetricAppender = {
  series: () => refs++,
  append: () => APPENDED,
  appendRun: () => APPENDED,
  appendRow: () => 0,
  appendStale: () => APPENDED,
  appendHistogram: () => APPENDED,
  appendExemplar: () => APPENDED,
  commit: async () => {},
  rollback() {},
};
const REQUESTS = 100;

/** Bodies of different series, so that all of them do not fit into the processor's cache. */
function bodiesOf(
  seriesCount: number,
  labelCount: number,
  sampleCount: number,
  version: RemoteWriteVersion,
): Uint8Array[] {
  return Array.from({ length: REQUESTS }, (_, request) => {
    const series = Array.from({ length: seriesCount }, (_, s) => {
      const labels: Record<string, string> = { __name__: `http_request_duration_${s % 40}` };
      for (let l = 1; l < labelCount; l++)
        labels[`label_name_${l}`] = `value_${(s * l) % (l * 40)}`;
      labels.instance = `instance-${request}-${s}:9100`;
      return {
        labels: Labels.of(labels),
        timestamps: Float64Array.from({ length: sampleCount }, (_, i) => 1.7e12 + i * 15_000),
        values: Float64Array.from({ length: sampleCount }, (_, i) => s * 1000 + i * 17),
      };
    });
    return encodeSnappy(encodeWriteRequest({ series }, version));
  });
}

for (const version of [1, 2] as const) {
  for (const [series, labels, samples] of [
    [2000, 12, 1],
    [500, 6, 20],
  ]) {
    const bodies = bodiesOf(series, labels, samples, version);
    const receiver = new WriteReceiver({
      store: { appender: () => appender },
      clock: new ManualClock(1.7e12),
      key: new Uint8Array(16).fill(5),
    });
    for (const body of bodies) await receiver.receive([body], version);
    let next = 0;
    const name = `${series} series, ${labels} labels, ${samples} samples`;
    describe(`remote write ${version}.0: ${name}`, () => {
      bench('receive', async () => {
        await receiver.receive([bodies[next++ % REQUESTS]], version);
      });
    });
  }
}
