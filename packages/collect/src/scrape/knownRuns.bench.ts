/**
 * Reading a body of 2,000 known series of 110 bytes: the kernel against the parser, which is told
 * what to expect, too. `npm run bench`; the committed results are in bench/results.md.
 */
import { bench, describe } from 'vitest';
import { LineMatcher } from '@tyto/kernels';
import { ENTRY_END, ExpositionParser } from '@tyto/wire';

const SERIES = 2000;
const encoder = new TextEncoder();

function text(i: number): string {
  const labels = `service="shop",handler="/api/v1/resource${i % 250}",method="GET",status="200"`;
  return `app_requests_${i % 8}_total{${labels},region="eu-central-1",version="1.4.2"}`;
}

function value(i: number): string {
  return i % 8 === 7 ? String(i / 7) : String(i * 31);
}

const series = Array.from({ length: SERIES }, (_, i) => text(i));
const body = encoder.encode(series.map((name, i) => `${name} ${value(i)}\n`).join(''));
const arena = encoder.encode(series.join(''));
const ends = new Uint32Array(SERIES);
let end = 0;
series.forEach((name, i) => {
  end += name.length;
  ends[i] = end;
});
const starts = Uint32Array.from(ends, (_, i) => (i === 0 ? 0 : ends[i - 1]));
const next = Int32Array.from(starts, (_, i) => (i + 1 < SERIES ? i + 1 : -1));
const lines = { size: SERIES, arena, arenaLength: arena.length, starts, ends, next };

let sum = 0;

describe(`${SERIES} lines, ${body.length} bytes`, () => {
  const matcher = new LineMatcher();
  bench('kernel', () => {
    matcher.open(body, lines);
    let position = 0;
    let expected = 0;
    while (expected >= 0) {
      const count = matcher.match(position, expected);
      for (let i = 0; i < count; i++) sum += matcher.values[i];
      position = matcher.end;
      expected = matcher.next;
    }
  });

  const parser = new ExpositionParser('text');
  bench('parser', () => {
    parser.start(body);
    parser.guessBytes = arena;
    for (let i = 0; ; i++) {
      parser.guessStart = i < SERIES ? starts[i] : 0;
      parser.guessEnd = i < SERIES ? ends[i] : 0;
      if (parser.next() === ENTRY_END) break;
      sum += parser.value;
    }
  });
});

if (!Number.isFinite(sum)) throw new Error('the sum of the values is a number');
