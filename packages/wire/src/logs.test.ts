import type { Labels } from '@tyto/model';
import {
  documentTimeNs,
  type LogVisitor,
  type OtlpLogVisitor,
  parseStreamLabels,
  parseSyslog,
  parseTimeNs,
  ProtobufWriter,
  readElasticBulk,
  utf8Bytes,
  walkLegacyPushJson,
  walkLokiPush,
  walkLokiPushJson,
  walkOtlpLogsJson,
} from '@tyto/wire';
import { describe, expect, it } from 'vitest';

/** Notes what a decoder tells, a line each. */
class Notes implements LogVisitor {
  readonly told: string[] = [];
  readonly metadata: Labels[] = [];

  streamText(text: string): void {
    this.told.push(text);
  }

  stream(labels: Labels): void {
    this.told.push(String(labels));
  }

  entry(timestampNs: bigint, line: string, lineBytes: number, metadata: Labels): void {
    this.metadata.push(metadata);
    this.told.push(`${timestampNs} ${line} (${lineBytes}) ${metadata}`);
  }
}

function json(text: string, walk = walkLokiPushJson): string[] {
  const notes = new Notes();
  walk(text, notes);
  return notes.told;
}

describe('the labels of a stream', () => {
  it.each([
    ['{app="shop"}', { app: 'shop' }],
    ['{ a = "1" ,\tb="2", }', { a: '1', b: '2' }],
    ['{a="say \\"hi\\"\\n\\x41\\u00e9\\101"}', { a: 'say "hi"\nAéA' }],
    ['{a=`raw \\n`}', { a: 'raw \\n' }],
    ['{}', {}],
    ['{__proto__="x"}', Object.fromEntries([['__proto__', 'x']])],
  ])('%s', (text, expected) => {
    expect(parseStreamLabels(text).toRecord()).toEqual(expected);
  });

  it.each(['', '{', '{a}', '{a="1"', '{a="1"} x', '{a!="1"}', '{a="1" b="2"}', '{a="\\q"}'])(
    'are refused: %s',
    (text) => expect(() => parseStreamLabels(text)).toThrow(),
  );

  it('say which name is there twice', () => {
    expect(() => parseStreamLabels('{a="1",a="2"}')).toThrow('the label "a" is there twice');
  });
});

describe('a push in JSON', () => {
  it('tells streams, entries and structured metadata', () => {
    const text = JSON.stringify({
      streams: [
        {
          stream: { b: '2', a: '1' },
          values: [
            ['12', 'grün', { trace: 'x' }],
            ['13', 'y'],
          ],
        },
        { stream: { n: 123, o: { a: 'b' } }, values: [] },
      ],
    });
    expect(json(text)).toEqual([
      '{a="1", b="2"}',
      '12 grün (5) {trace="x"}',
      '13 y (1) {}',
      '{n="123", o="{\\"a\\":\\"b\\"}"}',
    ]);
  });

  it('in the older notation has labels as text and times of RFC 3339', () => {
    const entries = [{ ts: '2009-11-10T23:00:00.000000001Z', line: 'x' }];
    const text = JSON.stringify({ streams: [{ labels: '{a="1"}', entries }] });
    expect(json(text, walkLegacyPushJson)).toEqual(['{a="1"}', '1257894000000000001 x (1) {}']);
  });

  it.each([
    ['{', 'malformed JSON'],
    ['[]', 'the request is no object'],
    ['{"streams":[{"values":[[1,"x"]]}]}', 'no text of nanoseconds'],
    ['{"streams":[{"values":[["1",{}]]}]}', 'the line of a value is no text'],
    ['{"streams":[{"values":[["1","x",{"a":1}]]}]}', 'the structured metadata "a" is no text'],
  ])('is refused: %s', (text, message) => expect(() => json(text)).toThrow(message));
});

describe('a push in protobuf', () => {
  function encode(line: Uint8Array, pairs: readonly (readonly [string, string])[], count = 1) {
    const writer = new ProtobufWriter();
    const stream = writer.begin(1);
    writer.string(1, '{a="1"}');
    for (let i = 0; i < count; i++) {
      const entry = writer.begin(2);
      const time = writer.begin(1);
      writer.int64(1, 1_700_000_000);
      writer.int64(2, 123_456_789);
      writer.end(time);
      writer.bytes(2, line);
      for (const [name, value] of pairs) {
        const pair = writer.begin(3);
        writer.string(1, name);
        writer.string(2, value);
        writer.end(pair);
      }
      writer.end(entry);
    }
    writer.end(stream);
    return writer.finish();
  }

  it('tells the same', () => {
    const notes = new Notes();
    walkLokiPush(encode(new TextEncoder().encode('grün'), [['trace', 'x']]), notes);
    expect(notes.told).toEqual(['{a="1"}', '1700000000123456789 grün (5) {trace="x"}']);
  });

  it('shares metadata that comes again', () => {
    const notes = new Notes();
    walkLokiPush(encode(new Uint8Array(), [['trace', 'x']], 3), notes);
    expect(new Set(notes.metadata).size).toBe(1);
  });

  it('keeps lines that are no UTF-8', () => {
    const notes = new Notes();
    walkLokiPush(encode(Uint8Array.of(0x61, 0xff, 0x62), []), notes);
    expect(notes.told[1]).toBe('1700000000123456789 a\ufffdb (3) {}');
  });

  it('that is cut short is refused', () => {
    const whole = encode(new TextEncoder().encode('line'), []);
    expect(() => walkLokiPush(whole.subarray(0, whole.length - 2), new Notes())).toThrow(
      'malformed protobuf message',
    );
  });
});

describe("OpenTelemetry's logs in JSON", () => {
  it('tell resources, scopes and records', () => {
    const told: unknown[] = [];
    const visitor: OtlpLogVisitor = {
      resource: (attributes) => told.push(attributes),
      scope: (scope) => told.push(scope.name),
      record: (record) => told.push(record),
    };
    const kvlistValue = { values: [{ key: 'a', value: { intValue: '1' } }] };
    const logRecord = {
      timeUnixNano: '1544712660300000000',
      severityNumber: 'SEVERITY_NUMBER_WARN2',
      severityText: 'Warning',
      body: { kvlistValue },
      attributes: [{ key: 'http', value: { kvlistValue } }],
      traceId: '5B8EFFF798038103D269B633813FC60C',
      spanId: '0000000000000000',
    };
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
    const scopeLogs = [{ scope: { name: 'lib' }, logRecords: [logRecord] }];
    walkOtlpLogsJson(JSON.stringify({ resourceLogs: [{ resource, scopeLogs }] }), visitor);
    expect(told).toEqual([
      [['service.name', 'shop']],
      'lib',
      {
        timeNs: 1544712660300000000n,
        observedNs: 0n,
        severityNumber: 14,
        severityText: 'Warning',
        body: '{"a":"1"}',
        attributes: [['http', { a: 1n }]],
        flags: 0,
        traceId: '5b8efff798038103d269b633813fc60c',
        spanId: '',
      },
    ]);
  });
});

describe('syslog', () => {
  const nowMs = Date.parse('2026-01-02T00:00:00Z');

  it('of RFC 5424 tells its header and structured data', () => {
    const text =
      '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog 77 ID47 ' +
      '[exampleSDID@32473 iut="3" eventSource="App\\"x"][b a="1"] \ufeffAn application event';
    expect(parseSyslog(text, nowMs)).toEqual({
      timestampNs: 1065910455003000000n,
      facility: 'local4',
      severity: 'notice',
      hostname: 'mymachine.example.com',
      app: 'evntslog',
      process: '77',
      messageId: 'ID47',
      data: [
        ['exampleSDID@32473_iut', '3'],
        ['exampleSDID@32473_eventSource', 'App"x'],
        ['b_a', '1'],
      ],
      text: 'An application event',
    });
  });

  it('of RFC 3164 has the year that is nearest', () => {
    const message = parseSyslog("<34>Dec 31 22:14:15 mymachine su[12]: 'su root' failed", nowMs);
    expect(message).toMatchObject({
      timestampNs: BigInt(Date.parse('2025-12-31T22:14:15Z')) * 1_000_000n,
      facility: 'auth',
      severity: 'critical',
      hostname: 'mymachine',
      app: 'su',
      process: '12',
      text: "'su root' failed",
    });
  });

  it.each(['', 'hello', '<999>x', '<13>', '<13>1 x'])('keeps what is neither: %s', (text) => {
    expect(parseSyslog(text, nowMs).timestampNs).toBeUndefined();
  });
});

describe("Elasticsearch's bulk requests", () => {
  it('are pairs of lines', () => {
    const text = '{"create":{"_index":"logs"}}\n{"message":"x"}\n\n{"index":{}}\nno json\n';
    expect(readElasticBulk(text, 'fallback')).toEqual([
      {
        action: 'create',
        index: 'logs',
        id: '',
        source: '{"message":"x"}',
        document: { message: 'x' },
      },
      { action: 'index', index: 'fallback', id: '', source: 'no json', document: undefined },
    ]);
    expect(() => readElasticBulk('{"message":"x"}\n', '')).toThrow(
      'Malformed action/metadata line [1]',
    );
  });

  it.each([
    [{ '@timestamp': '2024-05-01T10:00:00.123Z' }, 1714557600123000000n],
    [{ timestamp: '2024-05-01 10:00:00+00:00' }, 1714557600000000000n],
    [{ time: 1714557600123 }, 1714557600123000000n],
    [{ ts: 1714557600.5 }, 1714557600500000000n],
    [{ ts: '1714557600123000000' }, 1714557600123000000n],
    [{ ts: 'yesterday' }, undefined],
  ])('have a time: %o', (document, expected) => {
    expect(documentTimeNs(document)).toBe(expected);
  });
});

it('times of RFC 3339 are exact to the nanosecond', () => {
  expect(parseTimeNs('2009-11-10T23:00:00.123456789+01:00')).toBe(1257890400123456789n);
  expect(parseTimeNs('1969-12-31T23:59:59.999999999Z')).toBe(-1n);
  expect(parseTimeNs('yesterday')).toBeUndefined();
});

it('the bytes of a text are those of UTF-8', () => {
  for (const text of ['', 'a', 'grün', '한국어', '👍x']) {
    expect(utf8Bytes(text)).toBe(new TextEncoder().encode(text).length);
  }
});
