import { TytoError } from '@tyto/base';
import {
  ENTRY_END,
  ENTRY_HELP,
  ENTRY_SAMPLE,
  ENTRY_TYPE,
  ENTRY_UNIT,
  type ExpositionFormat,
  ExpositionParser,
} from '@tyto/wire';
import { describe, expect, test } from 'vitest';

const encoder = new TextEncoder();

interface Read {
  readonly samples: (readonly [series: string, value: number, ms?: number])[];
  readonly metadata: string[];
  readonly exemplars: string[];
}

function read(text: string | Uint8Array, format: ExpositionFormat = 'text'): Read {
  const parser = new ExpositionParser(format);
  parser.start(typeof text === 'string' ? encoder.encode(text) : text);
  const out: Read = { samples: [], metadata: [], exemplars: [] };
  for (;;) {
    const entry = parser.next();
    if (entry === ENTRY_END) return out;
    if (entry === ENTRY_SAMPLE) {
      const series = parser.labels().toString();
      const { value } = parser;
      out.samples.push(parser.hasTimestamp ? [series, value, parser.timestampMs] : [series, value]);
      const exemplar = parser.exemplar();
      if (exemplar !== undefined) {
        out.exemplars.push(`${exemplar.labels} ${exemplar.value} ${exemplar.timestampMs}`);
      }
    }
    if (entry === ENTRY_HELP) {
      out.metadata.push(`${parser.metadataName()} help ${parser.metadataText()}`);
    }
    if (entry === ENTRY_TYPE) {
      out.metadata.push(`${parser.metadataName()} type ${parser.metadataType()}`);
    }
    if (entry === ENTRY_UNIT) {
      out.metadata.push(`${parser.metadataName()} unit ${parser.metadataText()}`);
    }
  }
}

function refusal(text: string, format: ExpositionFormat = 'text'): string {
  try {
    read(text, format);
  } catch (error) {
    if (error instanceof TytoError && error.kind === 'bad_data') return error.message;
    throw error;
  }
  return 'was accepted';
}

describe('text format', () => {
  test('samples with labels, timestamps, blanks and trailing commas', () => {
    const { samples } = read(
      [
        'up 1',
        'http_requests_total{method="post",code="200"} 1027 1395066363000',
        'msdos_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="a\\n\\"b\\""} 1.458255915e9',
        'something_weird{problem="division by zero"} +Inf -3982045',
        'spaces  { quantile = "0.9" , a = "b" , }\t7\t10  ',
        '',
        '# a comment',
        '#nothing',
        'a:b{} -0.5',
        'nan NaN',
      ].join('\n'),
    );
    expect(samples).toEqual([
      ['up', 1],
      ['http_requests_total{code="200", method="post"}', 1027, 1395066363000],
      ['msdos_time_seconds{error="a\\n\\"b\\"", path="C:\\\\DIR\\\\FILE.TXT"}', 1458255915],
      ['something_weird{problem="division by zero"}', Infinity, -3982045],
      ['spaces{a="b", quantile="0.9"}', 7, 10],
      ['a:b', -0.5],
      ['nan', Number.NaN],
    ]);
  });

  test('quoted UTF-8 names of metrics and labels (version 1.0.0)', () => {
    const { samples, metadata } = read(
      '# TYPE "http.요청" counter\n{"http.요청","a.b"="c",d="e"} 2\n{"x"} 1\n{q="1","y"} 3\n',
    );
    expect(metadata).toEqual(['http.요청 type counter']);
    expect(samples.map(([series]) => series)).toEqual([
      '{"http.요청", "a.b"="c", d="e"}',
      'x',
      'y{q="1"}',
    ]);
  });

  test('metadata: types, escapes in the help, a help without text', () => {
    const { metadata } = read(
      '# HELP a line\\nnext \\\\ back\n# TYPE a untyped\n#  HELP  b two  blanks \n# HELP c\n',
    );
    expect(metadata).toEqual([
      'a help line\nnext \\ back',
      'a type unknown',
      'b help two  blanks ',
      'c help ',
    ]);
  });

  test('the last line needs no newline, and nothing at all is an exposition', () => {
    expect(read('a 1').samples).toEqual([['a', 1]]);
    expect(read('').samples).toEqual([]);
  });

  test.each([
    ['a{b="c"} ', 'expected a value after the metric'],
    ["a{b='c'} 1", 'expected a label value in double quotes'],
    ['a 0x1p-3', 'expected a number'],
    ['a 0x10', 'expected a number'],
    ['a 1_000', 'expected a number'],
    ['a 1e999', 'out of range'],
    ['a 1\r\n', 'expected a number'],
    ['a 1 2 3', 'expected the end of the line after the timestamp'],
    ['a 1 1.5', 'expected a timestamp in milliseconds'],
    ['9a 1', 'expected a metric name'],
    ['{a="b"} 1', 'expected a metric name'],
    ['{"a","b"} 1', 'expected "="'],
    ['a{b="c" 1', 'expected a label name'],
    ['a{b="c', 'expected the label value to end'],
    ['a{9="c"} 1', 'expected a label name'],
    ['a{b="c",b="d"} 1', 'the label "b" is there twice'],
    ['# TYPE a meter', 'invalid metric type "meter"'],
    ['# TYPE a counter\r', 'invalid metric type'],
    ['<!doctype html>', 'expected a metric name'],
  ])('refuses %j', (text, message) => {
    expect(refusal(`ok 1\n${text}`)).toContain(message);
    expect(refusal(`ok 1\n${text}`)).toMatch(/^line 2: /);
  });

  test('text that is no UTF-8 is refused when it is decoded', () => {
    const bytes = encoder.encode('a{b="??"} 1\n');
    bytes[5] = 0xff;
    expect(() => read(bytes)).toThrow('line 1: the text is not valid UTF-8');
  });

  test('limits: labels of a sample', () => {
    const labels = Array.from({ length: 1025 }, (_, i) => `l${i}="v"`).join(',');
    expect(refusal(`a{${labels}} 1`)).toContain('expected at most 1024 labels');
  });
});

describe('OpenMetrics', () => {
  test('samples, units, exemplars, times in seconds', () => {
    const { samples, metadata, exemplars } = read(
      '# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n# HELP a_seconds q \\"x\\"\n' +
        'a_seconds_bucket{le="1"} 2 1.5 # {trace_id="x"} 0.5 1520879607.789\n' +
        'a_seconds_bucket{le="+Inf"} 2 # {} 3\n# EOF\n',
      'openmetrics',
    );
    expect(samples[0]).toEqual(['a_seconds_bucket{le="1"}', 2, 1500]);
    expect(samples[1]).toEqual(['a_seconds_bucket{le="+Inf"}', 2]);
    expect(exemplars).toEqual(['{trace_id="x"} 0.5 1520879607789', '{} 3 undefined']);
    expect(metadata).toEqual([
      'a_seconds type histogram',
      'a_seconds unit seconds',
      'a_seconds help q "x"',
    ]);
  });

  test('without "# EOF" the text is cut short', () => {
    expect(refusal('a 1\n', 'openmetrics')).toContain('expected "# EOF" at the end');
    expect(refusal('a 1\n# EOF\nb 1\n', 'openmetrics')).toContain('nothing after "# EOF"');
    expect(read('a 1\n# EOF', 'openmetrics').samples).toHaveLength(1);
  });

  test('a unit must be the end of the name', () => {
    expect(refusal('# UNIT a_seconds bytes\n# EOF\n', 'openmetrics')).toContain(
      'unit "bytes" is not a suffix of metric "a_seconds"',
    );
  });
});

describe('a guessed series', () => {
  const guessing = (known: string, text: string) => {
    const parser = new ExpositionParser('text');
    parser.guessBytes = encoder.encode(known);
    parser.guessEnd = parser.guessBytes.length;
    parser.start(encoder.encode(text));
    parser.next();
    return [parser.guessed, parser.labels().toString(), parser.value];
  };

  test('is recognised and changes nothing', () => {
    expect(guessing('a{b="c"}', 'a{b="c"} 4\n')).toEqual([true, 'a{b="c"}', 4]);
    expect(guessing('a', 'a 4\n')).toEqual([true, 'a', 4]);
  });

  test('is not mistaken for one that begins alike', () => {
    expect(guessing('a', 'ab 4\n')).toEqual([false, 'ab', 4]);
    expect(guessing('a', 'a {b="c"} 4\n')).toEqual([false, 'a{b="c"}', 4]);
    expect(guessing('a', 'a  {b="c"} 4\n')).toEqual([false, 'a{b="c"}', 4]);
    expect(guessing('a{b="c"}', 'a{b="d"} 4\n')).toEqual([false, 'a{b="d"}', 4]);
  });
});
