/**
 * Decompressing and parsing remote write 1.0, and for the first body the two steps by themselves.
 * `npm run bench`; a run of `kernel` is one whole body.
 */
import { bench, describe } from 'vitest';
import { decodeSnappy, encodeSnappy, WriteRequestReader } from '@tyto/kernels';
import { KEY, label, message, sample } from './testing.ts';

function requestOf(seriesCount: number, labelCount: number, sampleCount: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  const parts: number[] = [];
  for (let s = 0; s < seriesCount; s++) {
    const contents = label('__name__', `http_request_duration_seconds_${s % 40}`);
    for (let l = 1; l < labelCount; l++) {
      contents.push(...label(`label_name_${l}`, `some_value_${(s * 31 + l * 7) % (l * 40)}`));
    }
    for (let i = 0; i < sampleCount; i++) {
      view.setFloat64(0, s * 1000 + i * 17);
      contents.push(...message(2, sample(1_700_000_000_000 + i * 15_000, view.getBigUint64(0))));
    }
    for (const byte of message(1, contents)) parts.push(byte);
  }
  return Uint8Array.from(parts);
}

for (const [seriesCount, labelCount, sampleCount] of [
  [2000, 12, 1],
  [500, 6, 20],
]) {
  const body = requestOf(seriesCount, labelCount, sampleCount);
  const block = encodeSnappy(body);
  const reader = new WriteRequestReader(KEY);
  const name = `${seriesCount} series, ${labelCount} labels, ${sampleCount} samples`;
  describe(`${name}: ${body.length} bytes in ${block.length}`, () => {
    bench('snappy', () => {
      decodeSnappy(block, 1 << 26);
    });
    bench('snappy and protobuf', () => {
      reader.open([block], 1, 1 << 26);
      while (reader.next() > 0);
      reader.close();
    });
    bench('encode snappy', () => {
      encodeSnappy(body);
    });
  });
}
