import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TytoError } from '@tyto/base';
import { ProtobufReader, ProtobufWriter } from '@tyto/wire';

/** Written by one call, read by the other, of one field. */
function roundTrip<T>(
  write: (writer: ProtobufWriter) => void,
  read: (reader: ProtobufReader) => T,
): T {
  const writer = new ProtobufWriter(1);
  write(writer);
  const reader = new ProtobufReader(writer.finish());
  expect(reader.next()).toBe(true);
  const value = read(reader);
  expect(reader.next()).toBe(false);
  return value;
}

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint32 = fc.nat({ max: 2 ** 32 - 1 });
const wide = fc.maxSafeInteger();

describe('protobuf', () => {
  it('writes the bytes of the encoding guide', () => {
    const writer = new ProtobufWriter();
    writer.uint32(1, 150);
    writer.string(2, 'testing');
    writer.sint32(3, -2);
    expect([...writer.finish()]).toEqual([
      0x08, 0x96, 0x01, 0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67, 0x18, 0x03,
    ]);
  });

  it('gives back every number', () => {
    fc.assert(
      fc.property(int32, uint32, wide, fc.double(), (a, b, c, d) => {
        expect(
          roundTrip(
            (w) => w.sint32(1, a),
            (r) => r.sint32(),
          ),
        ).toBe(a);
        expect(
          roundTrip(
            (w) => w.int64(1, a),
            (r) => r.int32(),
          ),
        ).toBe(a);
        expect(
          roundTrip(
            (w) => w.uint32(1, b),
            (r) => r.uint32(),
          ),
        ).toBe(b);
        expect(
          roundTrip(
            (w) => w.int64(1, c),
            (r) => r.int64(),
          ),
        ).toBe(c);
        expect(
          roundTrip(
            (w) => w.fixed64(1, c),
            (r) => r.sfixed64(),
          ),
        ).toBe(c);
        expect(
          roundTrip(
            (w) => w.double(1, d),
            (r) => r.double(),
          ),
        ).toBe(d);
      }),
    );
  });

  it('gives back repeated numbers, packed or one by one', () => {
    fc.assert(
      fc.property(
        fc.array(
          wide.map((n) => Math.trunc(n / 2)),
          { minLength: 1 },
        ),
        (values) => {
          const into =
            (read: (reader: ProtobufReader, target: number[]) => void) =>
            (reader: ProtobufReader) => {
              const target: number[] = [];
              read(reader, target);
              return target;
            };
          const plain = values.map((value) => value + 0);
          const read = into((reader, target) => reader.sint64s(target));
          expect(roundTrip((w) => w.sint64s(5, plain), read)).toEqual(plain);
          const doubles = into((reader, target) => reader.doubles(target));
          expect(roundTrip((w) => w.doubles(6, plain), doubles)).toEqual(plain);
          expect(roundTrip((w) => w.double(6, plain[0]), doubles)).toEqual([plain[0]]);
          const small = plain.map((value) => value >>> 0);
          const uint32s = into((reader, target) => reader.uint32s(target));
          expect(roundTrip((w) => w.uint32s(7, small), uint32s)).toEqual(small);
        },
      ),
    );
  });

  it('nests messages of any length', () => {
    for (const length of [0, 1, 127, 128, 16_383, 16_384, 70_000]) {
      const contents = new Uint8Array(length).fill(7);
      const found = roundTrip(
        (writer) => {
          const outer = writer.begin(1);
          const inner = writer.begin(2);
          writer.bytes(3, contents);
          writer.end(inner);
          writer.uint32(4, 9);
          writer.end(outer);
        },
        (reader) => {
          const outer = reader.message();
          outer.next();
          const inner = outer.message();
          inner.next();
          outer.next();
          return { last: outer.uint32(), bytes: inner.view() };
        },
      );
      expect(found.last).toBe(9);
      expect(Buffer.from(found.bytes).equals(contents)).toBe(true);
    }
  });

  it('refuses what is malformed or of another type, and nothing else happens', () => {
    const bad = [[0x08], [0x00, 1], [0x0a, 5, 1], [0x09, 1], [0x0b], [0x0d, 1], [0x07]];
    for (const bytes of bad) {
      expect(() => new ProtobufReader(Uint8Array.from(bytes)).next()).toThrow(TytoError);
    }
    const text = new ProtobufReader(Uint8Array.of(0x0a, 1, 0xff));
    text.next();
    expect(() => text.string()).toThrow('UTF-8');
    expect(() => text.double()).toThrow('wire type 2, not 1');
    expect(() => text.doubles([])).toThrow('cut short');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const reader = new ProtobufReader(bytes);
        try {
          while (reader.next()) if (reader.wireType === 2) reader.sint64s([]);
        } catch (error) {
          expect(error).toBeInstanceOf(TytoError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
