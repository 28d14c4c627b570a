import { ManualClock, silentLogger } from '@tyto/base';
import { ScrapeManager } from '@tyto/collect';
import { MemoryMetricStore } from '@tyto/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dumpStore } from '../testing.ts';

const seed = Number(process.env.TYTO_FUZZ_SEED ?? Date.now() % 2 ** 31);

/** How one of the series is written; all spellings of a number are the same series. */
function spell(series: number, spelling: number): string {
  return [
    `m{n="${series}",o="p"}`,
    `m{o="p",n="${series}"}`,
    `m { n = "${series}" , o="p", }`,
    `{"m",n="${series}",o="p"}`,
  ][spelling];
}

test(`samples and stale markers are those of a plain model (seed ${seed})`, async () => {
  const line = fc.record({ series: fc.nat(12), spelling: fc.nat(3) });
  const lines = fc.uniqueArray(line, { maxLength: 10, selector: ({ series }) => series });
  const scrape = fc.record({ lines, broken: fc.boolean(), again: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(scrape, { minLength: 1, maxLength: 12 }), async (scrapes) => {
      const clock = new ManualClock(1_700_000_000_000);
      const store = new MemoryMetricStore();
      const manager = new ScrapeManager({ store, clock, logger: silentLogger, version: '0' });
      let body = '';
      manager.addInternal({ jobName: 'j', instance: 'i', read: () => body });
      const expected = new Map<number, string[]>();
      let value = 0;
      for (const { lines, broken, again } of scrapes) {
        value++;
        const text = lines.map(({ series, spelling }) => `${spell(series, spelling)} ${value}\n`);
        // A sample that is there twice counts once.
        body = text.join('') + (again ? (text[0] ?? '') : '') + (broken ? 'm{ 1\n' : '');
        const present = new Set(broken ? [] : lines.map(({ series }) => series));
        for (const series of present) {
          expected.set(series, [...(expected.get(series) ?? []), String(value)]);
        }
        for (const [series, values] of expected) {
          if (!present.has(series) && values.at(-1) !== 'stale') values.push('stale');
        }
        await clock.advance(60_000);
      }
      await manager.stop();
      const found = (await dumpStore(store, 'm')).map((text) => text.replace(/@\d+/g, ''));
      const wanted = [...expected].map(
        ([series, values]) => `m{instance="i", job="j", n="${series}", o="p"} ${values.join(' ')}`,
      );
      // Series of broken scrapes exist without samples.
      expect(found.filter((text) => !text.endsWith('} ')).sort()).toEqual(wanted.sort());
    }),
    { seed, numRuns: 150 },
  );
});
