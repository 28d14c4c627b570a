/** The contract of LogStore as tests, which every implementation runs. */
import { describe, expect, it } from 'vitest';
import {
  createMatcher,
  Labels,
  type LogFilter,
  type LogRead,
  type LogStore,
  type LogStreamEntries,
  type MatchType,
} from '@tyto/model';

const SECOND_NS = 1_000_000_000n;
const HOUR_NS = 3600n * SECOND_NS;
export const LOG_SUITE_NOW_NS = BigInt(Date.UTC(2026, 0, 2, 12)) * 1_000_000n;
const NOW_NS = LOG_SUITE_NOW_NS;
const DAY = { startNs: NOW_NS - 24n * HOUR_NS, endNs: NOW_NS + HOUR_NS };

type MatcherText = readonly [name: string, type: MatchType, value: string];

/** A stream whose entries are a time in seconds from the suite's, a line and metadata. */
export function someLogs(
  labels: Record<string, string>,
  ...entries: readonly [seconds: number, line: string, metadata?: Record<string, string>][]
): LogStreamEntries {
  return {
    labels: Labels.of(labels),
    entries: entries.map(([seconds, line, metadata]) => ({
      timestampNs: NOW_NS + BigInt(Math.round(seconds * 1e9)),
      line,
      metadata: Labels.of(metadata ?? {}),
    })),
  };
}

/** What a reading gives, at most `most`: labels, seconds, line, metadata. */
export async function readLogs(
  store: LogStore,
  matchers: readonly MatcherText[],
  request: Partial<LogRead> = {},
  most = Number.POSITIVE_INFINITY,
): Promise<[labels: string, seconds: number, line: string, metadata: string][]> {
  const found: [string, number, string, string][] = [];
  const reading = store.read({
    tenant: 'one',
    matchers: matchersOf(matchers),
    filters: [],
    direction: 'forward',
    wanted: 100,
    ...DAY,
    ...request,
  });
  for await (const chunk of reading) {
    for (let i = 0; i < chunk.lines.length && found.length < most; i++) {
      found.push([
        chunk.streams[chunk.streamOf[i]].toString(),
        Number(chunk.timestampsNs[i] - NOW_NS) / 1e9,
        chunk.lines[i],
        chunk.metadata[i].toString(),
      ]);
    }
    if (found.length >= most) break;
  }
  return found;
}

export function matchersOf(matchers: readonly MatcherText[]) {
  return matchers.map(([name, type, value]) => createMatcher(type, name, value));
}

const linesOf = (found: readonly (readonly [unknown, unknown, string, unknown])[]) =>
  found.map(([, , line]) => line);
const contains = (text: string): LogFilter => ({
  on: 'line',
  type: 'contains',
  negated: false,
  values: [text],
});

/** `open` gives an empty store; the suite does not close it. */
export function logStoreSuite(name: string, open: () => Promise<LogStore>): void {
  describe(`${name}: writing and reading`, () => {
    it('gives back what was appended, in order of time over all streams', async () => {
      const store = await open();
      await store.append('one', [
        someLogs({ app: 'a' }, [3, 'third', { trace: 't1' }], [1, 'first']),
        someLogs({ app: 'b', env: 'prod' }, [2, 'second'], [-3000, 'long ago']),
      ]);
      expect(await readLogs(store, [['app', '=~', '.+']])).toEqual([
        ['{app="b", env="prod"}', -3000, 'long ago', '{}'],
        ['{app="a"}', 1, 'first', '{}'],
        ['{app="b", env="prod"}', 2, 'second', '{}'],
        ['{app="a"}', 3, 'third', '{trace="t1"}'],
      ]);
      const backward = await readLogs(store, [['app', '=~', '.+']], { direction: 'backward' });
      expect(linesOf(backward)).toEqual(['third', 'second', 'first', 'long ago']);
    });

    it('keeps the range: its start belongs to it, its end does not', async () => {
      const store = await open();
      await store.append('one', [someLogs({ app: 'a' }, [0, 'start'], [1, 'middle'], [2, 'end'])]);
      const range = { startNs: NOW_NS, endNs: NOW_NS + 2n * SECOND_NS };
      expect(linesOf(await readLogs(store, [['app', '=', 'a']], range))).toEqual([
        'start',
        'middle',
      ]);
    });

    it('finds streams by all kinds of matchers', async () => {
      const store = await open();
      await store.append('one', [
        someLogs({ app: 'web', env: 'prod' }, [0, 'w']),
        someLogs({ app: 'worker' }, [1, 'k']),
        someLogs({ app: 'db', env: "it's \\ odd" }, [2, 'd']),
      ]);
      const find = async (...matchers: MatcherText[]) => linesOf(await readLogs(store, matchers));
      expect(await find(['app', '=', 'web'])).toEqual(['w']);
      expect(await find(['app', '=~', 'w.*'])).toEqual(['w', 'k']);
      expect(await find(['app', '=~', 'web|db'])).toEqual(['w', 'd']);
      expect(await find(['app', '!=', 'web'])).toEqual(['k', 'd']);
      expect(await find(['app', '!~', 'w.+'], ['app', '=~', '.+'])).toEqual(['d']);
      expect(await find(['app', '=~', '.+'], ['env', '=', ''])).toEqual(['k']);
      expect(await find(['env', '=', "it's \\ odd"])).toEqual(['d']);
      expect(await find(['app', '=', 'none'])).toEqual([]);
    });

    it('keeps tenants apart', async () => {
      const store = await open();
      await store.append('one', [someLogs({ app: 'a' }, [0, 'of one'])]);
      await store.append("o'ther", [someLogs({ app: 'a' }, [0, 'of the other'])]);
      expect(linesOf(await readLogs(store, [['app', '=', 'a']]))).toEqual(['of one']);
      const other = await readLogs(store, [['app', '=', 'a']], { tenant: "o'ther" });
      expect(linesOf(other)).toEqual(['of the other']);
      expect(await readLogs(store, [['app', '=', 'a']], { tenant: 'none' })).toEqual([]);
    });

    it('keeps lines and labels of every kind as they are', async () => {
      const store = await open();
      const lines = [
        '',
        'quote \' and \\ and " and `',
        'tab\tnew\nline\r\nend',
        'nul \0 in the middle',
        '한국어 로그 😀 and ß',
        'x'.repeat(1_000_000),
        '{"broken": ',
        '\u2028 \ufeff \ufffd',
      ];
      const odd = { 'na"me\n': "va'l\\ue\t", 한국: '어', app: 'odd' };
      await store.append('one', [
        someLogs(
          odd,
          ...lines.map((line, i): [number, string, Record<string, string>] => [i, line, odd]),
        ),
      ]);
      const found = await readLogs(store, [['app', '=', 'odd']]);
      expect(linesOf(found)).toEqual(lines);
      const text = Labels.of(odd).toString();
      expect(found.map(([labels, , , metadata]) => [labels, metadata])).toEqual(
        lines.map(() => [text, text]),
      );
    });

    it('stops when the reader has enough, and when it is told to', async () => {
      const store = await open();
      const many = Array.from({ length: 5000 }, (_, i): [number, string] => [i / 10, `line ${i}`]);
      await store.append('one', [someLogs({ app: 'a' }, ...many)]);
      const some = await readLogs(store, [['app', '=', 'a']], { wanted: 10 }, 10);
      expect(linesOf(some)).toEqual(many.slice(0, 10).map(([, line]) => line));
      const aborted = AbortSignal.abort();
      await expect(readLogs(store, [['app', '=', 'a']], { signal: aborted })).rejects.toMatchObject(
        { kind: 'canceled' },
      );
    });

    it('gives every entry once, also many of one time', async () => {
      const store = await open();
      const same = Array.from({ length: 3000 }, (_, i): [number, string] => [
        i < 2500 ? 5 : i,
        `line ${i}`,
      ]);
      await store.append('one', [someLogs({ app: 'a' }, ...same), someLogs({ app: 'b' }, ...same)]);
      for (const direction of ['forward', 'backward'] as const) {
        const found = await readLogs(store, [['app', '=~', 'a|b']], { direction, wanted: 7 });
        expect(found.length).toBe(6000);
        expect(new Set(found.map(([labels, , line]) => labels + line)).size).toBe(6000);
        const times = found.map(([, seconds]) => seconds);
        const sorted = [...times].sort((a, b) => (direction === 'forward' ? a - b : b - a));
        expect(times).toEqual(sorted);
      }
    });

    it('leaves out only what a filter refuses', async () => {
      const store = await open();
      await store.append('one', [
        someLogs(
          { app: 'a' },
          [0, 'user=7 failed to login'],
          [1, '{"user":"seven","a":"\\u0073even"}'],
          [2, 'nothing'],
          [3, 'two\nlines'],
          [4, 'm', { user: 'seven' }],
        ),
      ]);
      const read = async (filter: LogFilter) =>
        linesOf(await readLogs(store, [['app', '=', 'a']], { filters: [filter] }));
      expect(await read(contains('=7 failed to'))).toContain('user=7 failed to login');
      expect(await read(contains('othin'))).toContain('nothing');
      const regexp = { on: 'line', type: 'regexp', negated: false } as const;
      expect(await read({ ...regexp, values: ['^no.*g$', 'x'] })).toContain('nothing');
      expect(await read({ ...regexp, negated: true, values: ['two.lines'] })).toContain(
        'two\nlines',
      );
      const pattern = { on: 'line', type: 'pattern', negated: false } as const;
      expect(await read({ ...pattern, values: ['user=<_> failed<_>'] })).toContain(
        'user=7 failed to login',
      );
      const places = [
        { from: 'metadata', name: 'user' },
        { from: 'json', path: ['a'] },
      ] as const;
      const field = await read({ on: 'field', places, type: '=', value: 'seven' });
      expect(field).toContain('{"user":"seven","a":"\\u0073even"}');
      expect(field).toContain('m');
    });
  });

  describe(`${name}: streams, sizes and deletion`, () => {
    it('lists streams of a range and tells their sizes', async () => {
      const store = await open();
      await store.append('one', [
        someLogs({ app: 'b' }, [1, '12345'], [3599, 'ß']),
        someLogs({ app: 'a' }, [0, 'abc'], [3600 * 2, 'abcdef']),
        someLogs({ app: 'old' }, [-3600 * 24 * 9, 'x']),
      ]);
      const request = { tenant: 'one', matcherSets: [], ...DAY, endNs: NOW_NS + 4n * HOUR_NS };
      const streams = await store.streams(request);
      expect(streams.map(String)).toEqual(['{app="a"}', '{app="b"}']);
      const sets = [matchersOf([['app', '=', 'old']]), matchersOf([['app', '=', 'b']])];
      const both = await store.streams({ ...request, matcherSets: sets });
      expect(both.map(String)).toEqual(['{app="b"}']);
      expect((await store.sizes(request)).map(textOfSize)).toEqual([
        ['{app="a"}', 14400, 2, 9],
        ['{app="b"}', 14400, 2, 7],
      ]);
      const parts = await store.sizes({ ...request, stepNs: HOUR_NS });
      expect(parts.map(textOfSize)).toEqual([
        ['{app="a"}', 3600, 1, 3],
        ['{app="a"}', 10800, 1, 6],
        ['{app="b"}', 3600, 2, 7],
      ]);
      const estimate = { tenant: 'one', matchers: matchersOf([['app', '=', 'b']]), filters: [] };
      expect(await store.estimate({ ...estimate, ...DAY })).toEqual({ entries: 2, bytes: 7 });
    });

    it('deletes for good what is asked for, and nothing else', async () => {
      const store = await open();
      await store.append('one', [
        someLogs({ app: 'a' }, [0, 'keep'], [1, 'secret 1'], [2, 'secret 2'], [3, 'secret 3']),
        someLogs({ app: 'b' }, [1, 'secret of b']),
      ]);
      await store.append('two', [someLogs({ app: 'a' }, [1, 'secret of two'])]);
      const request = {
        tenant: 'one',
        matchers: matchersOf([['app', '=', 'a']]),
        filters: [contains('secret')],
        startNs: NOW_NS,
        endNs: NOW_NS + 3n * SECOND_NS,
      };
      expect(await store.delete(request)).toBe(2);
      expect(await store.delete(request)).toBe(0);
      const left = linesOf(await readLogs(store, [['app', '=~', '.+']]));
      expect(left).toEqual(['keep', 'secret of b', 'secret 3']);
      const two = await readLogs(store, [['app', '=', 'a']], { tenant: 'two' });
      expect(linesOf(two)).toEqual(['secret of two']);
      const all = { ...request, filters: [], startNs: DAY.startNs, endNs: DAY.endNs };
      expect(await store.delete(all)).toBe(2);
      const streams = await store.streams({ tenant: 'one', matcherSets: [], ...DAY });
      expect(streams.map(String)).toEqual(['{app="b"}']);
      await store.append('one', [someLogs({ app: 'a' }, [0, 'again'])]);
      expect(linesOf(await readLogs(store, [['app', '=', 'a']]))).toEqual(['again']);
      const pattern = { on: 'line', type: 'pattern', negated: false, values: ['<_>'] } as const;
      await expect(store.delete({ ...request, filters: [pattern] })).rejects.toMatchObject({
        kind: 'bad_data',
      });
    });
  });
}

function textOfSize(size: {
  readonly labels: Labels;
  readonly endNs: bigint;
  readonly entries: number;
  readonly bytes: number;
}) {
  const seconds = Number(size.endNs - NOW_NS) / 1e9;
  return [size.labels.toString(), seconds, size.entries, size.bytes];
}
