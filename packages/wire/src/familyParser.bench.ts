/** Walking a target's exposition whose series are known: protobuf beside text. */
import { bench, describe } from 'vitest';
import { ENTRY_END, ExpositionParser, type ExpositionReader, FamilyParser } from '@tyto/wire';
import { encodeFamilies } from './testing.ts';

const SERIES = 10_000;
const labels = (i: number) => ({ handler: `/api/v1/resource/${i % 100}`, code: String(i) });
const protobuf = encodeFamilies([
  {
    name: 'http_requests_total',
    type: 'counter',
    metrics: Array.from({ length: SERIES }, (_, i) => ({
      labels: labels(i),
      write: (writer) => writer.double(1, i),
    })),
  },
]);
const lines = Array.from({ length: SERIES }, (_, i) => {
  const { handler, code } = labels(i);
  return `http_requests_total{handler="${handler}",code="${code}"} ${i}\n`;
});
const text = new TextEncoder().encode(`# TYPE http_requests_total counter\n${lines.join('')}`);

function walk(reader: ExpositionReader, bytes: Uint8Array): void {
  reader.start(bytes);
  while (reader.next() !== ENTRY_END);
}

describe(`${SERIES} samples`, () => {
  const options = { readsNative: true, keepsClassic: false, convertsClassic: false };
  const family = new FamilyParser(options);
  const plain = new ExpositionParser('text');
  bench('protobuf', () => walk(family, protobuf));
  bench('text', () => walk(plain, text));
});
