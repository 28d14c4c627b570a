import { LogqlEngine, minePatterns, PatternMiner } from '@tyto/logql';
import { Labels, MemoryLogStore } from '@tyto/model';
import { ManualClock } from '@tyto/base';
import { describe, expect, it } from 'vitest';

const SHAPES = [
  (n: number) =>
    `level=info ts=2024-05-01T12:00:${n % 60}Z caller=http.go:81 msg="request done" took=${n}ms`,
  (n: number) =>
    `level=warn msg="slow query" table=${['users', 'orders', 'items'][n % 3]} rows=${n}`,
  (n: number) => `user ${['ann', 'bob', 'eve'][n % 3]} logged in from 10.0.${n % 256}.7`,
  (n: number) => `{"level":"error","status":${500 + (n % 4)},"path":"/api/v1/items/${n}"}`,
];

function lines(count: number): string[] {
  return Array.from({ length: count }, (_, n) => SHAPES[n % SHAPES.length](n));
}

describe('patterns', () => {
  it('are what lines have in common, with how many lines have it in each step', () => {
    const miner = new PatternMiner({ stepMs: 10_000 });
    for (const [n, line] of lines(40).entries()) miner.add(line, n * 500);
    expect(miner.patterns()).toEqual(
      [
        'level=info ts=<_>:<_>:<_> caller=http.go:<_> msg="request done" took=<_>',
        'level=warn msg="slow query" table=<_> rows=<_>',
        'user <_> logged in from <_>',
        '{"level":"error","status":<_>,"path":"<_>"}',
      ].map((pattern) => ({
        pattern,
        count: 10,
        samples: [
          { timestampMs: 0, count: 5 },
          { timestampMs: 10_000, count: 5 },
        ],
      })),
    );
  });

  it('find the lines that they were made of', async () => {
    const store = new MemoryLogStore();
    const stream = Labels.of({ app: 'a' });
    const entries = lines(200).map((line, n) => ({
      timestampNs: BigInt(n) * 1_000_000_000n,
      line,
      metadata: Labels.empty,
    }));
    await store.append('t', [{ labels: stream, entries }]);
    const range = { tenant: 't', startNs: 0n, endNs: 1_000_000_000_000n };
    const chunks = store.read({
      ...range,
      matchers: [],
      filters: [],
      direction: 'forward',
      wanted: 1000,
    });
    const mined = await minePatterns(chunks, { stepMs: 60_000 });
    expect(mined.reduce((sum, { count }) => sum + count, 0)).toBe(200);
    const engine = new LogqlEngine({ store, clock: new ManualClock() });
    for (const { pattern, count } of mined) {
      const query = `{app="a"} |> ${JSON.stringify(pattern)}`;
      const request = { ...range, query, limit: 1000, direction: 'forward' as const };
      const { entries: found } = await engine.range({ ...request, stepNs: 1n, intervalNs: 0n });
      expect([pattern, found]).toEqual([pattern, count]);
    }
  });

  it('are bounded, whatever the lines are', () => {
    const miner = new PatternMiner({ stepMs: 1000, patternsMax: 50 });
    for (let n = 0; n < 5000; n++) {
      const word = String.fromCharCode(97 + (n % 26), 97 + ((n * 7) % 26), 97 + ((n * 3) % 26));
      miner.add(`${word}${';'.repeat(n % 40)} ${word} x`, n);
    }
    miner.add('long '.repeat(100_000), 0);
    miner.add('', 0);
    miner.add('???', 0);
    expect(miner.patterns()).toHaveLength(50);
    expect(Math.max(...miner.patterns().map(({ pattern }) => pattern.length))).toBeLessThan(4000);
  });
});
