import { ManualClock, systemClock, TytoError } from '@tyto/base';
import {
  Labels,
  type LogAggregate,
  type LogEntry,
  type LogRead,
  type LogSelect,
  MemoryLogStore,
} from '@tyto/model';
import { describe, expect, it } from 'vitest';
import { LogqlEngine, type LogqlLimits } from '@tyto/logql';

const SECOND_NS = 1_000_000_000n;

function entry(second: number, line: string, metadata: Record<string, string> = {}): LogEntry {
  return { timestampNs: BigInt(second) * SECOND_NS, line, metadata: Labels.of(metadata) };
}

/** Remembers what it was asked for. */
class WatchedStore extends MemoryLogStore {
  readonly reads: LogRead[] = [];
  readonly aggregates: LogAggregate[] = [];
  readonly estimates: LogSelect[] = [];

  override read(request: LogRead) {
    this.reads.push(request);
    return super.read(request);
  }

  async aggregate(request: LogAggregate) {
    this.aggregates.push(request);
    return undefined;
  }

  override estimate(request: LogSelect) {
    this.estimates.push(request);
    return super.estimate(request);
  }
}

async function engineOver(limits: Partial<LogqlLimits> = {}) {
  const store = new WatchedStore();
  await store.append('t', [
    {
      labels: Labels.of({ app: 'a', pod: '1' }),
      entries: [
        entry(1, '{"level":"info","n":1}', { trace: 'x' }),
        entry(2, '{"level":"error","n":2}'),
      ],
    },
    { labels: Labels.of({ app: 'a', pod: '2' }), entries: [entry(3, 'level=info')] },
  ]);
  return { store, engine: new LogqlEngine({ store, clock: new ManualClock(), limits }) };
}

const request = {
  tenant: 't',
  limit: 100,
  direction: 'forward',
  startNs: 0n,
  endNs: 60n * SECOND_NS,
  stepNs: 60n * SECOND_NS,
  intervalNs: 0n,
} as const;

async function problemOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no problem';
  } catch (error) {
    if (!(error instanceof TytoError)) throw error;
    return `${error.kind}: ${error.message}`;
  }
}

describe('a log query', () => {
  it('tells labels of streams, structured metadata and parsed labels apart', async () => {
    const { engine } = await engineOver();
    const { value, entries, read } = await engine.range({
      ...request,
      query: '{app="a"} | json | n="1" or pod="2" | label_format new="{{.pod}}"',
    });
    expect(value).toEqual({
      type: 'streams',
      streams: [
        {
          labels: Labels.of({ app: 'a', pod: '1' }),
          entries: [
            {
              timestampNs: SECOND_NS,
              line: '{"level":"info","n":1}',
              metadata: Labels.of({ trace: 'x' }),
              parsed: Labels.of({ level: 'info', n: '1', new: '1' }),
            },
          ],
        },
        {
          labels: Labels.of({ app: 'a', pod: '2' }),
          entries: [
            {
              timestampNs: 3n * SECOND_NS,
              line: 'level=info',
              metadata: Labels.empty,
              parsed: Labels.of({
                __error__: 'JSONParserErr',
                __error_details__: "Value looks like object, but can't find closing '}' symbol",
                new: '2',
              }),
            },
          ],
        },
      ],
    });
    expect({ entries, read }).toEqual({ entries: 2, read: { entries: 3, bytes: 55 } });
  });

  it('tells the store what it may leave out, and only what is certain', async () => {
    const { engine, store } = await engineOver();
    const query =
      '{app="a"} |= "x" or "y" !~ "z" | trace="x" | json | level!="info", n>1, a_b="c" ' +
      '| line_format "q" |= "q"';
    await engine.range({ ...request, query });
    expect(store.reads.map(({ filters, wanted }) => ({ filters, wanted }))).toEqual([
      {
        wanted: 100,
        filters: [
          { on: 'line', type: 'contains', negated: false, values: ['x', 'y'] },
          { on: 'line', type: 'regexp', negated: true, values: ['z'] },
          {
            on: 'field',
            places: [
              { from: 'label', name: 'trace' },
              { from: 'metadata', name: 'trace' },
            ],
            type: '=',
            value: 'x',
          },
          {
            on: 'field',
            places: [
              { from: 'label', name: 'level' },
              { from: 'metadata', name: 'level' },
              { from: 'json', path: ['level'] },
            ],
            type: '!=',
            value: 'info',
          },
          {
            on: 'field',
            places: [
              { from: 'label', name: 'a_b' },
              { from: 'metadata', name: 'a_b' },
              { from: 'json_label', name: 'a_b' },
            ],
            type: '=',
            value: 'c',
          },
        ],
      },
    ]);
  });

  it('says what it would read, before it does', async () => {
    const { engine, store } = await engineOver();
    const sum = 'sum(rate({app="a"}[10s] offset 5s)) / sum(rate({app=~".+"} |= "level=info" [1s]))';
    expect(await engine.estimate({ ...request, query: '{app=~".+"}' })).toEqual({
      entries: 3,
      bytes: 55,
    });
    await engine.estimate({ ...request, query: sum });
    expect(store.estimates.slice(1).map(({ startNs, endNs }) => [startNs, endNs])).toEqual([
      [-15n * SECOND_NS, 55n * SECOND_NS],
      [-1n * SECOND_NS, 60n * SECOND_NS],
    ]);
  });

  it('is followed: entries that arrive are shown as the query shows them', async () => {
    const { engine } = await engineOver();
    const follow = engine.follow('{app="a"} |= "x" | line_format "{{.app}}: {{__line__}}"');
    const labels = Labels.of({ app: 'a' });
    expect(follow(labels, entry(1, 'has x'))?.entry.line).toBe('a: has x');
    expect(follow(labels, entry(1, 'has not'))).toBeUndefined();
    expect(follow(Labels.of({ app: 'b' }), entry(1, 'has x'))).toBeUndefined();
    expect(() => engine.follow('rate({app="a"}[1m])')).toThrow('only log selector is supported');
  });
});

describe('a query', () => {
  it('is checked without being run', async () => {
    const { engine } = await engineOver();
    expect(engine.check('sum(rate({app="a"} | json [5m]))').kind).toBe('aggregation');
    expect(() => engine.check('rate({app="a"} | line_format "{{" [5m])')).toThrow(
      'invalid line template',
    );
    expect(() => engine.check('{app="a"} |= ip("x")')).toThrow('ip: invalid pattern');
    expect(() => engine.check('{app=')).toThrow('parse error at line 1, col 6');
  });
});

describe('a metric query', () => {
  it('asks the store for the whole aggregation, where that says all', async () => {
    const { engine, store } = await engineOver();
    const query = 'sum by (level) (count_over_time({app="a"} | json | __error__="" [5m]))';
    await engine.range({ ...request, query });
    expect(store.aggregates).toMatchObject([
      {
        of: 'count',
        parse: 'json',
        by: [
          {
            name: 'level',
            places: [
              { from: 'label', name: 'level' },
              { from: 'metadata', name: 'level' },
              { from: 'json', path: ['level'] },
            ],
          },
        ],
        windows: { firstEndNs: 0n, stepNs: 60n * SECOND_NS, rangeNs: 300n * SECOND_NS, count: 2 },
        select: { startNs: -300n * SECOND_NS + 1n, endNs: 60n * SECOND_NS + 1n },
      },
    ]);
    // It had no answer, so entries were read.
    expect(store.reads).toHaveLength(1);
  });

  it('does not ask where a pipeline does more than filter and extract', async () => {
    const { engine, store } = await engineOver();
    for (const query of [
      'sum by (level) (count_over_time({app="a"} | json | line_format "x" | __error__="" [5m]))',
      'sum without (level) (count_over_time({app="a"} [5m]))',
      'avg_over_time({app="a"} | logfmt | unwrap n [5m])',
      'sum(count_over_time({app="a"} | n > 5 or n < 2 [5m]))',
    ]) {
      await engine.range({ ...request, query });
    }
    expect(store.aggregates).toEqual([]);
  });

  it('ends at its limits, in words that say what to do', async () => {
    const { engine } = await engineOver({ seriesMax: 1, pointsMax: 10_000 });
    const range = (query: string) => problemOf(engine.range({ ...request, query }));
    expect(await range('count_over_time({app="a"}[1m])')).toContain(
      'bad_data: maximum number of series (1) reached for a single query; consider reducing',
    );
    expect(await range('sum(count_over_time({app="a"}[1m]))')).toBe('no problem');
    const fine = { ...request, query: 'quantile_over_time(0.5,{app="a"}|json|unwrap n[700h])' };
    expect(await problemOf(engine.range({ ...fine, stepNs: SECOND_NS }))).toBe(
      'execution: query processing would load too many samples into memory in query execution',
    );
  });

  it('ends when its time is over, and when whoever asked is gone', async () => {
    const store = new MemoryLogStore();
    const entries = Array.from({ length: 20_000 }, (_, i) => entry(i, `line ${i}`));
    await store.append('t', [{ labels: Labels.of({ app: 'a' }), entries }]);
    const slow = new LogqlEngine({ store, clock: systemClock, limits: { timeoutMs: 5 } });
    const template = '{{ range $i := fromJson "[1,2,3,4,5,6,7,8,9]" }}{{ repeat 50 "x" }}{{ end }}';
    const query = `{app="a"} | line_format \`${template}\` |= "never"`;
    const whole = { ...request, endNs: 20_000n * SECOND_NS };
    expect(await problemOf(slow.range({ ...whole, query }))).toContain('timeout: query timed out');
    const { engine } = await engineOver();
    const ended = AbortSignal.abort();
    expect(
      await problemOf(engine.range({ ...request, query: '{app="a"}', signal: ended })),
    ).toContain('canceled: ');
  });
});
