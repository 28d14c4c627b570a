import { Labels, type LogAggregate, type LogField, type LogFilter } from '@tyto/model';
import { LOG_SUITE_NOW_NS, matchersOf, someLogs } from '@tyto/model/testing/logs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Columnar } from './columnar.ts';
import { OpenedStores } from './testing/opened.ts';

const NOW_NS = LOG_SUITE_NOW_NS;
const SECOND_NS = 1_000_000_000n;
const DAY_NS = 86_400n * SECOND_NS;

let stores: OpenedStores;
let store: Columnar;
beforeAll(() => {
  stores = new OpenedStores();
  store = stores.open();
});
afterAll(() => stores.close());

const json = (name: string): LogField[] => [{ from: 'json', path: [name] }];

function request(changes: Partial<LogAggregate>, filters: readonly LogFilter[] = []): LogAggregate {
  return {
    select: {
      tenant: 'one',
      matchers: matchersOf([['app', '=~', '.+']]),
      filters,
      startNs: NOW_NS - DAY_NS,
      endNs: NOW_NS + DAY_NS,
    },
    windows: {
      firstEndNs: NOW_NS + 10n * SECOND_NS,
      stepNs: 5n * SECOND_NS,
      rangeNs: 10n * SECOND_NS,
      count: 3,
    },
    of: 'count',
    by: [{ name: 'level', places: json('level') }],
    groupsMax: 100,
    ...changes,
  };
}

async function aggregate(tenant: string, given: LogAggregate) {
  const asked = { ...given, select: { ...given.select, tenant } };
  const answer = await store.logs.aggregate?.(asked);
  if (answer === undefined) return undefined;
  return {
    unparsed: answer.unparsed,
    groups: Object.fromEntries(
      answer.groups.map(({ labels, values }) => [labels.toString(), [...values]]).sort(),
    ),
  };
}

describe('aggregation in the store', () => {
  it('counts by a field in windows that do not hold their start', async () => {
    await store.logs.append('count', [
      someLogs(
        { app: 'a' },
        [0, '{"level":"info"}'],
        [1, '{"level":"info"}'],
        [10, '{"level":"warn"}'],
        [11, '{"level":"info","more":{"x":"\\n"}}'],
        [20, 'no json'],
        [20.000000001, '{"level":"late"}'],
      ),
    ]);
    expect(await aggregate('count', request({ parse: 'json' }))).toEqual({
      unparsed: 1,
      groups: {
        '{level="info"}': [1, 1, 1],
        '{level="warn"}': [1, 1, Number.NaN],
        '{}': [Number.NaN, Number.NaN, 1],
      },
    });
  });

  it('adds up numbers of any field, and says when a line can not be relied on', async () => {
    await store.logs.append('sum', [
      someLogs(
        { app: 'a' },
        [1, '{"ms":1.5,"user":"a b","level":"x"}'],
        [2, '{"ms":"2","user":"a b"}'],
        [3, '{"other":1}'],
      ),
      someLogs({ app: 'b' }, [4, '{"ms":-1e2,"user":"ü"}']),
    ]);
    const value = { places: json('ms'), unit: 'number' } as const;
    const by = [
      { name: 'user', places: json('user') },
      { name: 'app', places: [{ from: 'label', name: 'app' } as const] },
    ];
    const one = {
      firstEndNs: NOW_NS + 10n * SECOND_NS,
      stepNs: 1n,
      rangeNs: 10n * SECOND_NS,
      count: 1,
    };
    expect(await aggregate('sum', request({ of: 'sum', value, by, windows: one }))).toEqual({
      unparsed: 0,
      groups: { '{app="a", user="a b"}': [3.5], '{app="b", user="ü"}': [-100] },
    });
    await store.logs.append('sum', [someLogs({ app: 'a' }, [5, '{"ms":"2s"}'])]);
    expect(await aggregate('sum', request({ of: 'sum', value, by, windows: one }))).toBeUndefined();
    await store.logs.append('sum', [someLogs({ app: 'c' }, [5, '{"user":"\\u0061"}'])]);
    expect(await aggregate('sum', request({ of: 'count', by, windows: one }))).toBeUndefined();
  });

  it('refuses more groups than are wanted', async () => {
    const lines = Array.from({ length: 20 }, (_, i): [number, string] => [1, `{"level":"l${i}"}`]);
    await store.logs.append('groups', [someLogs({ app: 'a' }, ...lines)]);
    await expect(aggregate('groups', request({ groupsMax: 10 }))).rejects.toMatchObject({
      kind: 'too_large',
    });
  });

  it('gives what reading all entries and counting them gives', async () => {
    const word = fc.constantFrom('info', 'warn', 'ünï', '', 'a b', '5', '7.25');
    const line = fc.oneof(
      fc
        .record({ level: word, n: fc.integer(), other: word })
        .map((record) => JSON.stringify(record)),
      word.map((text) => `level=${text} plain`),
      fc.constantFrom('{"level":"in\\u0066o"}', '{"level":null,"x":{"level":"y"}}', 'text'),
    );
    const entries = fc.array(fc.tuple(fc.integer({ min: -30, max: 60 }), line), { maxLength: 40 });
    const filters = fc.constantFrom<LogFilter[]>(
      [],
      [{ on: 'line', type: 'contains', negated: true, values: ['warn', 'text'] }],
      [{ on: 'line', type: 'regexp', negated: false, values: ['l.v'] }],
      [{ on: 'field', places: json('level'), type: '!=', value: 'warn' }],
      [{ on: 'field', places: json('level'), type: '=~', value: 'in.*|' }],
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        entries,
        entries,
        filters,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 6 }),
        async (a, b, own, step, range, count) => {
          run++;
          const tenant = `property ${run}`;
          await store.logs.append(tenant, [
            someLogs({ app: 'a' }, ...a),
            someLogs({ app: 'b' }, ...b),
          ]);
          const windows = {
            firstEndNs: NOW_NS,
            stepNs: BigInt(step) * SECOND_NS,
            rangeNs: BigInt(range) * SECOND_NS,
            count,
          };
          const got = await aggregate(tenant, request({ windows, parse: 'json' }, own));
          expect(got).toEqual(counted([...a, ...b], own, step, range, count));
        },
      ),
      { numRuns: 40, seed: 5 },
    );
  });
});

describe('patterns of lines', () => {
  it('find what they mean, also where they are looked for as texts', async () => {
    const lines = [
      'an Error',
      'TASK done',
      'ta\u212a done',
      'gue\u017fts',
      'a|b',
      'über',
      '{}',
      '',
    ];
    await store.logs.append('patterns', [
      someLogs({ app: 'a' }, ...lines.map((line, i): [number, string] => [i + 1, line])),
    ]);
    const expected: [string, string[]][] = [
      ['Error|done', ['an Error', 'TASK done', 'ta\u212a done']],
      ['an Error', ['an Error']],
      ['(?i)ERROR|GUESTS', ['an Error', 'gue\u017fts']],
      ['(?i)tak DONE', ['ta\u212a done']],
      ['(?i)task|ÜBER', ['TASK done', 'über']],
      ['a\\|b', ['a|b']],
      ['Error|', lines],
    ];
    for (const [pattern, found] of expected) {
      const filter = { on: 'line', type: 'regexp', negated: false, values: [pattern] } as const;
      const filters = [filter];
      const got: string[] = [];
      const range = { startNs: NOW_NS, endNs: NOW_NS + 100n * SECOND_NS };
      const select = { tenant: 'patterns', matchers: matchersOf([['app', '=', 'a']]), filters };
      const reading = { ...select, ...range, direction: 'forward', wanted: 100 } as const;
      for await (const chunk of store.logs.read(reading)) got.push(...chunk.lines);
      expect([pattern, got]).toEqual([pattern, found]);
    }
  });
});

describe('labels whose names have underscores', () => {
  const one = {
    firstEndNs: NOW_NS + 10n * SECOND_NS,
    stepNs: 1n,
    rangeNs: 20n * SECOND_NS,
    count: 1,
  };
  const by = (from: 'json_label' | 'logfmt_label', name: string) => ({
    windows: one,
    by: [{ name, places: [{ from, name } as const] }],
  });

  it('are counted where keys are written so, whatever the text of the line says', async () => {
    await store.logs.append('underscores', [
      someLogs(
        { app: 'a' },
        [1, '{"status_code":500,"message":"status code: status.code"}'],
        [2, '{"status_code":"500"}'],
        [3, '{"user_status_code":7,"status_code_x":8}'],
        [4, '{"more":{"status":1}}'],
      ),
    ]);
    expect(await aggregate('underscores', request(by('json_label', 'status_code')))).toEqual({
      unparsed: 0,
      groups: { '{status_code="500"}': [2], '{}': [2] },
    });
    await store.logs.append('underscores2', [
      someLogs({ app: 'a' }, [1, 'status_code=500 m="status.code"'], [2, 'x_status_code=1 b=2']),
    ]);
    expect(await aggregate('underscores2', request(by('logfmt_label', 'status_code')))).toEqual({
      unparsed: 0,
      groups: { '{status_code="500"}': [1], '{}': [1] },
    });
  });

  it('are left to the engine where another key gets the name', async () => {
    const others = [
      '{"status.code":1}',
      '{"status_code":1,"status code":2}',
      '{" status_code":1}',
      '{"status_code ":1}',
      '{"status€code":1}',
      '{"status":{"code":1}}',
      '{"a":{},"st\\u0061tus_code":1}',
    ];
    for (const [i, line] of others.entries()) {
      await store.logs.append(`other ${i}`, [someLogs({ app: 'a' }, [1, line])]);
      const got = await aggregate(`other ${i}`, request(by('json_label', 'status_code')));
      expect([line, got]).toEqual([line, undefined]);
    }
    await store.logs.append('other', [someLogs({ app: 'a' }, [1, 'a_b.c=1 d=2'])]);
    expect(await aggregate('other', request(by('logfmt_label', 'a_b_c')))).toBeUndefined();
  });
});

/** The slow twin: JSON.parse and a loop. */
function counted(
  entries: readonly (readonly [number, string])[],
  filters: readonly LogFilter[],
  step: number,
  range: number,
  count: number,
) {
  const groups: Record<string, number[]> = {};
  let unparsed = 0;
  for (const [seconds, line] of entries) {
    let level = '';
    let isParsed = true;
    try {
      level = String((JSON.parse(line) as { level: string | null }).level ?? '');
    } catch {
      isParsed = false;
    }
    const isWithin = (i: number) => seconds <= i * step && seconds > i * step - range;
    if (!Array.from({ length: count }, (_, i) => i).some(isWithin)) continue;
    if (!filters.every((filter) => passes(filter, line, level))) continue;
    if (!isParsed) unparsed++;
    const key = Labels.of({ level }).toString();
    for (let i = 0; i < count; i++) {
      if (!isWithin(i)) continue;
      groups[key] ??= new Array(count).fill(Number.NaN);
      groups[key][i] = (Number.isNaN(groups[key][i]) ? 0 : groups[key][i]) + 1;
    }
  }
  return { unparsed, groups };
}

function passes(filter: LogFilter, line: string, level: string): boolean {
  if (filter.on === 'number') return true;
  if (filter.on === 'field') {
    return filter.type === '!=' ? level !== filter.value : /^(?:in.*|)$/s.test(level);
  }
  const isIn = filter.values.some((value) =>
    filter.type === 'contains' ? line.includes(value) : /l.v/.test(line),
  );
  return isIn !== filter.negated;
}
