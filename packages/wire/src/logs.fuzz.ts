/** Logs: what is encoded is told again; whatever comes is read or refused, and nothing else. */
import { TytoError } from '@tyto/base';
import { Labels } from '@tyto/model';
import {
  type LogVisitor,
  parseStreamLabels,
  parseSyslog,
  ProtobufWriter,
  readElasticBulk,
  walkLegacyPushJson,
  walkLokiPush,
  walkLokiPushJson,
  walkOtlpLogs,
  walkOtlpLogsJson,
} from '@tyto/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const seed = Number(process.env.TYTO_FUZZ_SEED ?? Date.now() % 2 ** 31);
const options = { seed, numRuns: 300 };

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const pairs = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), text), {
  selector: ([name]) => name,
});
const entry = fc.record({
  seconds: fc.nat(2 ** 33),
  nanos: fc.nat(999_999_999),
  line: text,
  pairs,
});
const streams = fc.array(fc.record({ labels: pairs, entries: fc.array(entry, { maxLength: 4 }) }), {
  maxLength: 3,
});
type Streams = typeof streams extends fc.Arbitrary<infer T> ? T : never;

class Notes implements LogVisitor {
  readonly told: unknown[] = [];
  streamText(given: string): void {
    this.stream(parseStreamLabels(given));
  }
  stream(labels: Labels): void {
    this.told.push(labels.pairs);
  }
  entry(timestampNs: bigint, line: string, lineBytes: number, metadata: Labels): void {
    this.told.push([timestampNs, line, lineBytes, metadata.pairs]);
  }
}

function expected(all: Streams): unknown[] {
  return all.flatMap(({ labels, entries }) => [
    Labels.fromEntries(labels).pairs,
    ...entries.map((each) => [
      BigInt(each.seconds) * 1_000_000_000n + BigInt(each.nanos),
      each.line,
      new TextEncoder().encode(each.line).length,
      Labels.fromEntries(each.pairs).pairs,
    ]),
  ]);
}

function encode(all: Streams): Uint8Array {
  const writer = new ProtobufWriter();
  for (const { labels, entries } of all) {
    const stream = writer.begin(1);
    writer.string(1, `{${labels.map(([name, value]) => `${name}=${quote(value)}`).join()}}`);
    for (const each of entries) {
      const mark = writer.begin(2);
      const time = writer.begin(1);
      writer.int64(1, each.seconds);
      writer.int64(2, each.nanos);
      writer.end(time);
      writer.string(2, each.line);
      for (const [name, value] of each.pairs) {
        const pair = writer.begin(3);
        writer.string(1, name);
        writer.string(2, value);
        writer.end(pair);
      }
      writer.end(mark);
    }
    writer.end(stream);
  }
  return writer.finish();
}

/** As Go quotes: JSON's escapes are among its own. */
function quote(value: string): string {
  return JSON.stringify(value);
}

function readsOrRefuses(read: () => void): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(TytoError);
  }
}

test('protobuf and JSON tell what was sent', () => {
  fc.assert(
    fc.property(streams, (all) => {
      const fromProtobuf = new Notes();
      walkLokiPush(encode(all), fromProtobuf);
      expect(fromProtobuf.told).toEqual(expected(all));
      const fromJson = new Notes();
      const body = all.map(({ labels, entries }) => ({
        stream: Object.fromEntries(labels),
        values: entries.map((each) => [
          String(BigInt(each.seconds) * 1_000_000_000n + BigInt(each.nanos)),
          each.line,
          Object.fromEntries(each.pairs),
        ]),
      }));
      walkLokiPushJson(JSON.stringify({ streams: body }), fromJson);
      expect(fromJson.told).toEqual(expected(all));
    }),
    options,
  );
});

test('damaged protobuf is read or refused', () => {
  const none = { resource: () => {}, scope: () => {}, record: () => {} };
  fc.assert(
    fc.property(
      streams,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1 }),
      (all, hits) => {
        const bytes = encode(all).slice();
        for (const [at, byte] of hits) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        readsOrRefuses(() => walkLokiPush(bytes, new Notes()));
        readsOrRefuses(() => walkOtlpLogs(bytes, none));
      },
    ),
    options,
  );
});

test('any text is read or refused', () => {
  const none = { resource: () => {}, scope: () => {}, record: () => {} };
  const json = fc.json({ maxDepth: 5 });
  const keyed = fc
    .record({ streams: fc.array(fc.record({ values: fc.jsonValue(), stream: fc.jsonValue() })) })
    .map((value) => JSON.stringify(value));
  const otlp = fc
    .jsonValue()
    .map((value) => JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [value] }] }] }));
  const any = fc.oneof(fc.string({ unit: 'binary' }), json, keyed, otlp);
  fc.assert(
    fc.property(any, (given) => {
      readsOrRefuses(() => walkLokiPushJson(given, new Notes()));
      readsOrRefuses(() => walkLegacyPushJson(given, new Notes()));
      readsOrRefuses(() => walkOtlpLogsJson(given, none));
      readsOrRefuses(() => readElasticBulk(given, 'x'));
      readsOrRefuses(() => parseStreamLabels(given));
      parseSyslog(`<13>${given}`, 0);
      parseSyslog(given, 0);
    }),
    options,
  );
});
