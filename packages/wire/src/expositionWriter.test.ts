import { writeExposition } from '@tyto/wire';
import { expect, test } from 'vitest';

test('families are written with help, type, escapes and suffixes', () => {
  const text = writeExposition([
    {
      name: 'a_seconds',
      type: 'histogram',
      help: 'back \\ and\nline',
      samples: [
        { suffix: '_bucket', labels: [['le', '+Inf']], value: 3 },
        { suffix: '_sum', labels: [], value: Infinity },
        { suffix: '_count', labels: [['p', 'say "hi"\n']], value: 1e21, timestampMs: 1500 },
      ],
    },
    { name: 'empty', type: 'gauge', help: 'is left out', samples: [] },
    { name: 'b.c', type: 'unknown', help: '', samples: [{ labels: [['d.e', 'f']], value: -0.5 }] },
  ]);
  expect(text).toBe(
    '# HELP a_seconds back \\\\ and\\nline\n# TYPE a_seconds histogram\n' +
      'a_seconds_bucket{le="+Inf"} 3\na_seconds_sum +Inf\n' +
      'a_seconds_count{p="say \\"hi\\"\\n"} 1e+21 1500\n' +
      '# TYPE "b.c" untyped\n{"b.c","d.e"="f"} -0.5\n',
  );
});
