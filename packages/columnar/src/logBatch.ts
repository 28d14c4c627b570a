/** Entries on their way to the store, as the columns of an insert, straight from what was sent. */
import type { LogEntry } from '@tyto/model';
import { HOT_FIELDS, type LineScanner } from './lineFormat.ts';
import {
  ByteColumn,
  DictionaryColumn,
  LongColumn,
  type NativeColumn,
  nativeBlock,
} from './native.ts';
import { LEVEL, OTHER_METADATA } from './schema.ts';

const DAY_NS = 86_400_000_000_000n;
/** What an entry costs beside its line: numbers, and indexes of dictionaries. */
const ENTRY_BYTES = 48;

export class LogBatch {
  readonly #tenants = new DictionaryColumn();
  readonly #streams = new LongColumn();
  readonly #times = new LongColumn();
  readonly #lines = new ByteColumn(65_536);
  readonly #levels = new DictionaryColumn();
  readonly #metadataEnds = new LongColumn();
  readonly #metadataNames = new ByteColumn();
  readonly #metadataValues = new ByteColumn();
  #metadataCount = 0;
  readonly #kinds = new ByteColumn();
  readonly #hot = HOT_FIELDS.map(() => new DictionaryColumn());
  readonly #scanner: LineScanner;
  readonly #days = new Set<bigint>();
  #lastDayNs = -1n;

  /** The scanner is shared by batches, because it learns what lines look like. */
  constructor(scanner: LineScanner) {
    this.#scanner = scanner;
  }

  get rows(): number {
    return this.#times.length;
  }

  /** About what it takes in memory. */
  get bytes(): number {
    return (
      this.#lines.size +
      this.#metadataNames.size +
      this.#metadataValues.size +
      this.rows * ENTRY_BYTES
    );
  }

  /** Days that have entries in it; each becomes a part. */
  get days(): number {
    return this.#days.size;
  }

  add(tenant: string, stream: bigint, { timestampNs, line, metadata }: LogEntry): void {
    this.#tenants.push(tenant);
    this.#streams.push(stream);
    this.#times.push(timestampNs);
    if (timestampNs < this.#lastDayNs || timestampNs >= this.#lastDayNs + DAY_NS) {
      this.#lastDayNs = timestampNs - (timestampNs % DAY_NS);
      this.#days.add(this.#lastDayNs);
    }
    this.#lines.writeText(line);
    const { pairs } = metadata;
    let level = '';
    for (let i = 0; i < pairs.length; i += 2) {
      if (pairs[i] === LEVEL) {
        level = pairs[i + 1];
        continue;
      }
      this.#metadataNames.writeText(pairs[i]);
      this.#metadataValues.writeText(pairs[i + 1]);
      this.#metadataCount++;
    }
    this.#levels.push(level);
    this.#metadataEnds.pushNumber(this.#metadataCount);
    this.#kinds.writeUint8(this.#scanner.scan(line));
    for (let i = 0; i < HOT_FIELDS.length; i++) this.#hot[i].push(this.#scanner.hot[i]);
  }

  /** Names of the columns, in the order of `encode`. */
  static readonly columns = [
    ...['tenant', 'stream', 'time', 'line', LEVEL, OTHER_METADATA, 'kind'],
    ...HOT_FIELDS,
  ];

  encode(): Buffer[] {
    const columns: NativeColumn[] = [
      { name: 'tenant', type: 'LowCardinality(String)', pieces: this.#tenants.pieces() },
      { name: 'stream', type: 'UInt64', pieces: [this.#streams.bytes()] },
      { name: 'time', type: "DateTime64(9, 'UTC')", pieces: [this.#times.bytes()] },
      { name: 'line', type: 'String', pieces: [this.#lines.bytes()] },
      { name: LEVEL, type: 'LowCardinality(String)', pieces: this.#levels.pieces() },
      {
        name: OTHER_METADATA,
        type: 'Map(String, String)',
        pieces: [
          this.#metadataEnds.bytes(),
          this.#metadataNames.bytes(),
          this.#metadataValues.bytes(),
        ],
      },
      { name: 'kind', type: 'Int8', pieces: [this.#kinds.bytes()] },
      ...HOT_FIELDS.map((name, i) => ({
        name,
        type: 'LowCardinality(String)',
        pieces: this.#hot[i].pieces(),
      })),
    ];
    return nativeBlock(this.rows, columns);
  }
}
