/** Pushes: any path, body and file is taken or refused, and what is kept can be scraped. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ManualClock, TytoError } from '@tyto/base';
import { decodePushed, encodePushed, groupingKey, PushGateway } from '@tyto/collect';
import { ENTRY_END, FamilyParser } from '@tyto/wire';

const seed = Number(process.env.TYTO_FUZZ_SEED ?? Date.now() % 2 ** 31);
const options = { seed, numRuns: 300 };

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    return undefined;
  }
}

/** Reads the exposition as a scrape would; the series, sorted. */
function scrape(gateway: PushGateway): string[] {
  const reader = new FamilyParser({
    readsNative: true,
    keepsClassic: true,
    convertsClassic: false,
  });
  const series: string[] = [];
  reader.start(gateway.exposition());
  for (let entry = reader.next(); entry !== ENTRY_END; entry = reader.next()) {
    if (reader.seriesEnd > 0) series.push(`${reader.labels()} ${reader.value}`);
  }
  return series.sort();
}

const line = fc.constantFrom(
  '# TYPE a histogram',
  '# TYPE a summary',
  '# TYPE a counter',
  'a_bucket{le="1"} 2',
  'a_bucket{le="x"} 2',
  'a_bucket{le="+Inf"} NaN',
  'a_sum -1',
  'a_count 1.5',
  'a_count -3',
  'a{quantile="0.5"} 1',
  'a 1',
  'a_count{le="1"} 1',
  'a_sum{quantile="1"} 1',
  'b{job="x"} 1e300',
  'push_time_seconds 1',
  'a{',
);
const body = fc.array(line, { maxLength: 6 }).map((lines) => lines.join('\n'));
const path = fc.constantFrom('job/a', 'job/b', 'job/a/x/y', 'job@base64/YQ==', 'job/a/le/1', 'x/y');
const push = fc.tuple(path, body, fc.boolean());

test(`what is kept can be scraped and saved (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.array(push, { maxLength: 6 }), (pushes) => {
      const gateway = new PushGateway(new ManualClock(1000));
      for (const [where, text, replaces] of pushes) {
        attempt(() => gateway.push(groupingKey(where), Buffer.from(text), 'text', replaces));
      }
      const series = scrape(gateway);
      const again = new PushGateway(new ManualClock(1000));
      again.restore(decodePushed(encodePushed(gateway.save())));
      expect(scrape(again)).toEqual(series);
    }),
    options,
  );
});

test(`any path and any file is read or refused (seed ${seed})`, () => {
  const gateway = new PushGateway(new ManualClock(1000));
  gateway.push(groupingKey('job/a'), Buffer.from('# TYPE a counter\na{b="c"} 1\n'), 'text', true);
  const file = encodePushed(gateway.save());
  fc.assert(
    fc.property(fc.string(), fc.uint8Array(), fc.nat(), fc.nat(255), (text, bytes, at, byte) => {
      attempt(() => groupingKey(text));
      attempt(() => groupingKey(`job@base64/${text}`));
      attempt(() => gateway.push(groupingKey('job/a'), bytes, 'protobuf', true));
      attempt(() => decodePushed(bytes));
      const damaged = Uint8Array.from(file);
      damaged[at % file.length] = byte;
      attempt(() => decodePushed(damaged));
    }),
    options,
  );
});
