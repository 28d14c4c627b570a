/**
 * What is computed in one way is the same in another: sums of a store and sums of what is read,
 * windows that slide and windows one by one, what is filtered by a store and here.
 */
import { ManualClock } from '@tyto/base';
import { Labels, type LogStore, MemoryLogStore } from '@tyto/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogqlEngine, type LogqlValue } from '@tyto/logql';
import { AggregatingStore } from './testing/aggregatingStore.ts';

const RUNS = Number(process.env.TYTO_FUZZ_RUNS ?? 150);
const SECOND_NS = 1_000_000_000n;

interface Entry {
  readonly second: number;
  readonly stream: number;
  readonly level: string;
  readonly size: number;
  readonly user: string;
  readonly json: boolean;
}

const entries = fc.array(
  fc.record<Entry>({
    second: fc.integer({ min: 0, max: 300 }),
    stream: fc.integer({ min: 0, max: 2 }),
    level: fc.constantFrom('info', 'warn', 'error', ''),
    size: fc.integer({ min: -5, max: 50 }),
    user: fc.constantFrom('', 'ann', 'bob'),
    json: fc.constant(true),
  }),
  { maxLength: 60 },
);

async function fill(store: LogStore, data: readonly Entry[], isJson: boolean): Promise<void> {
  for (const { second, stream, level, size, user } of data) {
    const labels: Record<string, string> = { app: 'x', pod: String(stream) };
    // A label of the stream hides what the line and the metadata say.
    if (stream === 2) labels.level = 'fixed';
    const line = isJson
      ? JSON.stringify({ ...(level === '' ? {} : { level }), size, took: `${size + 6}ms` })
      : `${level === '' ? '' : `level=${level} `}size=${size} took=${size + 6}ms`;
    const metadata = Labels.of({ user, ...(size % 7 === 0 ? { level: 'meta' } : {}) });
    const timestampNs = BigInt(second) * SECOND_NS;
    await store.append('t', [
      { labels: Labels.of(labels), entries: [{ timestampNs, line, metadata }] },
    ]);
  }
}

const window = fc.record({
  range: fc.integer({ min: 1, max: 120 }),
  step: fc.integer({ min: 1, max: 90 }),
  start: fc.integer({ min: 0, max: 200 }),
  offset: fc.constantFrom('', ' offset 30s', ' offset -1m'),
});

/** `P` is the parser, `W` the window. */
const STORED = [
  'count_over_time({app="x"}[W])',
  'sum(rate({app="x"} |= "level" [W]))',
  'sum by (pod) (count_over_time({app="x"} |~ "info|warn" != "7" [W]))',
  'sum by (level) (count_over_time({app="x"} | P [W]))',
  'sum by (level, user) (bytes_over_time({app="x"} | P | level!="warn" [W]))',
  'sum by (pod) (bytes_rate({app="x"} | P | size>=10, level=~"i.*|w.*" [W]))',
  'sum by (user) (sum_over_time({app="x"} | P | unwrap size [W]))',
  'min by (level) (min_over_time({app="x"} | P | unwrap duration(took) | __error__="" [W]))',
  'max_over_time({app="x"} | P | user="ann" | unwrap size [W]) by (level)',
  'sum(rate({app="x", pod!="1"} | P | unwrap size | size < 20 [W]))',
];

const READ = [
  ...STORED,
  'avg_over_time({app="x"} | P | unwrap size [W]) by (level)',
  'stdvar_over_time({app="x"} | P | unwrap size [W]) by (pod)',
  'quantile_over_time(0.7, {app="x"} | P | unwrap size [W]) by (level)',
  'first_over_time({app="x", pod="0"} | P | unwrap size [W]) by (pod)',
  'rate_counter({app="x", pod="1"} | P | unwrap size [W])',
  'absent_over_time({app="x"} | level="meta" [W])',
  'topk(2, sum by (level) (count_over_time({app="x"} | P [W]))) / 2 > 1 or vector(0)',
];

type Window = { range: number; step: number; start: number; offset: string };

function queryOf(template: string, parser: string, { range, offset }: Window): string {
  return template.replace('P', parser).replace('[W]', `[${range}s]${offset}`);
}

const common = { tenant: 't', limit: 100, direction: 'backward', intervalNs: 0n } as const;

function times({ start, step }: Window) {
  return {
    startNs: BigInt(start) * SECOND_NS,
    endNs: 300n * SECOND_NS,
    stepNs: BigInt(step) * SECOND_NS,
  };
}

/** Values by labels and time, to a precision that the order of additions does not change. */
function shown(value: LogqlValue): Map<string, string> {
  const found = new Map<string, string>();
  const put = (labels: Labels, at: number, number: number) =>
    found.set(`${labels} ${at}`, number.toPrecision(9));
  if (value.type === 'vector') {
    for (const { labels, timestampMs, value: number } of value.samples) {
      put(labels, timestampMs, number);
    }
  }
  if (value.type === 'matrix') {
    for (const { labels, samples } of value.series) {
      for (const { timestampMs, value: number } of samples) put(labels, timestampMs, number);
    }
  }
  return found;
}

const cases = { data: entries, window, parser: fc.constantFrom('json', 'logfmt') };

const FILTERED = [
  '{app="x"} |= "info" or "warn" | P | level="info"',
  '{app="x"} | level="meta" or user="ann" | P | level_extracted!=""',
  '{app="x"} | user!="bob", level!="meta" | P | size!="7" and (took="9ms" or took=~"1.*")',
  '{app="x"} | P | level=~"info|meta|fixed" | size>3 | user=""',
  '{app="x"} | P | label_format level=took | level="9ms"',
  '{app="x"} | line_format "{{.user}}" |= "ann" | P | __error__!="x"',
  '{app="x"} | P | drop level | level="" | P | took!~"1.ms" | P',
  '{app="x"} | logfmt | json | level!="warn" | unpack | user=~"a.*|"',
  '{app="x"} != "7" !~ "[89]ms" | P | __error__="" | level!~"e.*"',
];

describe('a log query', () => {
  it('finds the same over a store that leaves out what it may', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ data: entries, parser: cases.parser, isJson: fc.boolean() }),
        fc.constantFrom(...FILTERED),
        async ({ data, parser, isJson }, template) => {
          const query = template.replaceAll('| P', `| ${parser}`);
          const found: LogqlValue[] = [];
          for (const store of [new MemoryLogStore(), new AggregatingStore()]) {
            await fill(store, data, isJson);
            const engine = new LogqlEngine({ store, clock: new ManualClock() });
            const range = { startNs: 0n, endNs: 400n * SECOND_NS, stepNs: 1n };
            found.push((await engine.range({ ...common, ...range, query })).value);
          }
          expect(found[1], query).toEqual(found[0]);
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe('an aggregation', () => {
  it('by the store is that of what is read', async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.record({ ...cases, template: fc.constantFrom(...STORED) }),
        async ({ data, window: over, parser, template }) => {
          const query = queryOf(template, parser, over);
          const request = { ...common, ...times(over), query };
          const [reading, storing] = [new MemoryLogStore(), new AggregatingStore()];
          const results: Map<string, string>[] = [];
          for (const store of [reading, storing]) {
            await fill(store, data, parser === 'json');
            const engine = new LogqlEngine({ store, clock: new ManualClock() });
            results.push(shown((await engine.range(request)).value));
          }
          expect(results[1], query).toEqual(results[0]);
          answered += storing.aggregations;
        },
      ),
      { numRuns: RUNS },
    );
    expect(answered).toBeGreaterThan(RUNS / 2);
  });

  it('over sliding windows is that of each window', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ ...cases, template: fc.constantFrom(...READ) }),
        async ({ data, window: over, parser, template }) => {
          const query = queryOf(template, parser, over);
          const store = new MemoryLogStore();
          // Of entries of one time any may be the first.
          const once = [...new Map(data.map((entry) => [entry.second, entry])).values()];
          await fill(store, once, parser === 'json');
          const engine = new LogqlEngine({ store, clock: new ManualClock() });
          const range = times(over);
          const sliding = shown((await engine.range({ ...common, ...range, query })).value);
          const single = new Map<string, string>();
          for (let timeNs = range.startNs; timeNs <= range.endNs; timeNs += range.stepNs) {
            const { value } = await engine.instant({ ...common, query, timeNs });
            for (const [key, number] of shown(value)) single.set(key, number);
          }
          expect(sliding, query).toEqual(single);
        },
      ),
      { numRuns: RUNS },
    );
  });
});
