/** A data directory with more series than anybody should ask for at once, made by the engine. */
import { Labels, type MetricAppender } from '@tyto/model';
import { Tsdb } from '@tyto/tsdb';
import { atEnd } from './harness.ts';

const BATCH_SERIES = 5000;

/** Series `big{i, g, host}`, with a sample every `stepMs` up to `endMs`, at most 1,000 of them. */
export async function fillStore(
  directory: string,
  seriesCount: number,
  sampleCount: number,
  stepMs: number,
  endMs: number,
): Promise<void> {
  const db = await Tsdb.open({ directory, maintenanceIntervalMs: 0 });
  let isOpen = true;
  atEnd(() => (isOpen ? db.close() : undefined));
  const times = Float64Array.from({ length: sampleCount }, (_, i) => {
    return endMs - (sampleCount - 1 - i) * stepMs;
  });
  const values = new Float64Array(sampleCount);
  for (let first = 0; first < seriesCount; first += BATCH_SERIES) {
    const appender = db.appender();
    const end = Math.min(first + BATCH_SERIES, seriesCount);
    for (let i = first; i < end; i++) appendSeries(appender, i, times, values);
    await appender.commit();
    if ((first / BATCH_SERIES) % 8 === 7) await db.maintain();
  }
  await db.maintain();
  isOpen = false;
  await db.close();
}

function appendSeries(
  appender: MetricAppender,
  i: number,
  times: Float64Array,
  values: Float64Array,
): void {
  const labels = Labels.of({
    __name__: 'big',
    g: `g${i % 50}`,
    host: `host-${i % 1000}.example.com:9100`,
    i: `series-${i}`,
  });
  for (let at = 0; at < values.length; at++) values[at] = i + at;
  appender.appendRun(appender.series(labels), times, values, 0, values.length);
}
