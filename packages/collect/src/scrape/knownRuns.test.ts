/** Scrapes after the first one: lines that are where they were are read in runs. */
import { ManualClock, silentLogger } from '@tyto/base';
import { ScrapeManager } from '@tyto/collect';
import {
  APPENDED,
  type MetricAppender,
  type MetricStore,
  MemoryMetricStore,
  UNKNOWN_SERIES,
} from '@tyto/model';
import { describe, expect, test } from 'vitest';
import { dumpStore } from '../testing.ts';

/** Scrapes the bodies, one a minute; what is stored of `metric`, without times. */
async function scraped(
  bodies: readonly string[],
  metric: string,
  store = new MemoryMetricStore(),
  port: MetricStore = store,
): Promise<string[]> {
  const clock = new ManualClock(1_700_000_000_000);
  const manager = new ScrapeManager({ store: port, clock, logger: silentLogger, version: '0' });
  let body = '';
  const read = () => body;
  manager.addInternal({ jobName: 'j', instance: 'i', labels: {}, read });
  for (const next of bodies) {
    body = next;
    await clock.advance(60_000);
  }
  await manager.stop();
  const lines = await dumpStore(store, metric);
  return lines.map((line) => line.replace(/@\d+/g, '').replace('instance="i", job="j"', '*'));
}

const numbers = ['17', '0.1', '1e-7', '1.7976931348623157e+308', '0.30000000000000004'];

describe('a body in the order of the last one', () => {
  test('has its numbers read to the last bit, the odd ones too', async () => {
    const values = [...numbers, '12345678901234567890123', 'NaN', '+Inf', '-Inf', '4.9e-324'];
    const body = (shift: number) =>
      values.map((_, i) => `m{n="${i}"} ${values[(i + shift) % values.length]}\n`).join('');
    const found = await scraped([body(0), body(1), body(2)], 'm');
    const shown = (text: string) => String(Number(text.replace('Inf', 'Infinity')));
    const wanted = values.map((_, i) => {
      const three = [0, 1, 2].map((shift) => values[(i + shift) % values.length]);
      return `m{*, n="${i}"} ${three.map(shown).join(' ')}`;
    });
    expect(found.sort()).toEqual(wanted.sort());
  });

  test('may have comments, timestamps and new lines anywhere, and lose lines', async () => {
    const first = '# TYPE m counter\nm{n="1"} 1\nm{n="2"} 1\nm{n="3"} 1\nm{n="4"} 1\n';
    const second =
      'm{n="1"} 2\n# HELP m Something.\nm{n="2"} 2 1700000060000\nm{n="9"} 2\nm{n="4"} 2\n';
    const third = '\n m{n="1"} 3\nm{n="2"}  3\nm{n="9"} 3 \nm{n="4"} 3\n';
    const found = await scraped([first, second, third], 'm');
    expect(found.map((line) => line.replace(/ stale$/, ''))).toEqual([
      'm{*, n="1"} 1 2 3',
      // As in Prometheus, a sample with a time of its own ends what is watched for staleness.
      'm{*, n="2"} 1 2 stale 3',
      'm{*, n="3"} 1',
      'm{*, n="4"} 1 2 3',
      'm{*, n="9"} 2 3',
    ]);
  });

  test('of more lines than a run', async () => {
    const body = (value: number) =>
      Array.from({ length: 3000 }, (_, i) => `m{n="${i}"} ${value + i}\n`).join('');
    const found = await scraped([body(0), body(5), body(1)], 'm');
    expect(found).toHaveLength(3000);
    expect(found).toContain('m{*, n="2999"} 2999 3004 3000');
  });
});

test('a series that the store has forgotten is resolved anew, within a run too', async () => {
  const inner = new MemoryMetricStore();
  let scrapes = 0;
  const appender = (): MetricAppender => {
    const batch = inner.appender();
    scrapes++;
    return {
      ...batch,
      appendRow(timestampMs, refs, values, count, results) {
        // Every second one is not known any more.
        let refused = 0;
        for (let i = 0; i < count; i++) {
          const result =
            i % 2 === 0 ? UNKNOWN_SERIES : batch.append(refs[i], timestampMs, values[i]);
          results[i] = result;
          if (result !== APPENDED) refused++;
        }
        return refused;
      },
    };
  };
  const store: MetricStore = Object.assign(Object.create(inner), { appender });
  const body = (value: number) => `m{n="1"} ${value}\nm{n="2"} ${value}\nm{n="3"} ${value}\n`;
  const found = await scraped([body(1), body(2), body(3)], 'm', inner, store);
  expect(scrapes).toBeGreaterThanOrEqual(3);
  expect(found).toEqual(['m{*, n="1"} 1 2 3', 'm{*, n="2"} 1 2 3', 'm{*, n="3"} 1 2 3']);
});
