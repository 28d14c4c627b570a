/**
 * The small state, as a journal: what is put is appended, and what was put before under the same
 * key is garbage until the file is written anew. Only keys and places are in memory. See
 * docs/formats/state-journal.md for the bytes.
 *
 * A promise of `put` resolves when the disk has the record: everything that waits goes out in one
 * write and one sync. A disk that refuses makes the promises reject; what was there before stays.
 */
import { join } from 'node:path';
import type { StateStore } from '@tyto/alerting';
import { errorMessage, type Logger, must, TytoError } from '@tyto/base';
import type { AppendFile, Disk, ReadFile } from '@tyto/tsdb';
import {
  decodeRecord,
  encodeRecords,
  FRAME_BYTES,
  frameLength,
  isSound,
  JOURNAL_MAGIC,
  type JournalEntry,
  nextMarker,
  RECORD_BYTES_MAX,
  type Records,
} from './journalRecord.ts';

const NAME = 'journal';
const NEW_NAME = 'journal.new';
/** Below this a file is never written anew for its garbage. */
const GARBAGE_BYTES_MIN = 8 * 1024 * 1024;
/** A file is written anew when it is so many times as large as what counts in it. */
const SIZE_FACTOR = 3;
/** Read or copied between two turns of the event loop. */
const PIECE_BYTES = 1024 * 1024;
/** What may wait for a slow disk. */
const PENDING_BYTES_MAX = 64 * 1024 * 1024;

interface Place {
  readonly at: number;
  /** Of the whole record. */
  readonly length: number;
}

/** Records that are put by one call. */
interface Pending {
  readonly entries: readonly JournalEntry[];
  readonly records: Records;
  resolve(): void;
  reject(error: unknown): void;
}

export interface JournalOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly logger: Logger;
  readonly garbageBytesMin?: number;
}

export class JournalStateStore implements StateStore {
  readonly #options: JournalOptions;
  readonly #places = new Map<string, Place>();
  #liveBytes = 0;
  #size = 0;
  #file: AppendFile | undefined;
  #reader: ReadFile | undefined;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  #committing: Promise<void> | undefined;
  /** The end of the file is not known to be sound: it is written anew before anything else. */
  #isDoubtful = false;
  #isClosed = false;

  private constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Rejects with TytoError `io` where the directory cannot be read or written. */
  static async open(options: JournalOptions): Promise<JournalStateStore> {
    const store = new JournalStateStore(options);
    try {
      await store.#open();
    } catch (error) {
      throw ioError('cannot open the state', error);
    }
    return store;
  }

  /** Bytes of the file, those that no longer count among them. */
  get bytes(): number {
    return this.#size;
  }

  *entries(prefix: string): IterableIterator<readonly [string, unknown]> {
    for (const [key, place] of [...this.#places]) {
      if (!key.startsWith(prefix)) continue;
      const { value } = decodeRecord(this.#read(place));
      if (value !== undefined) yield [key, JSON.parse(value)];
    }
  }

  put(key: string, value: unknown): Promise<void> {
    return this.#append([{ key, value: JSON.stringify(value) }]);
  }

  async putAll(entries: readonly (readonly [key: string, value: unknown])[]): Promise<void> {
    if (entries.length === 0) return;
    await this.#append(entries.map(([key, value]) => ({ key, value: JSON.stringify(value) })));
  }

  async remove(key: string): Promise<void> {
    if (!this.#places.has(key) && this.#committing === undefined) return;
    await this.#append([{ key, value: undefined }]);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#committing;
    await this.#closeFiles();
  }

  #append(entries: readonly JournalEntry[]): Promise<void> {
    if (this.#isClosed) {
      return Promise.reject(new TytoError('unavailable', 'the state is closed already'));
    }
    const records = encodeRecords(entries);
    const large = records.lengths.findIndex((length) => length > RECORD_BYTES_MAX);
    if (large >= 0) {
      const key = entries[large].key.slice(0, 60);
      const size = `${key} is too large to be kept: ${records.lengths[large]} bytes`;
      return Promise.reject(new TytoError('too_large', size));
    }
    if (this.#pendingBytes + records.bytes.length > PENDING_BYTES_MAX) {
      const reason = 'the disk is too slow for the state that is to be kept';
      return Promise.reject(new TytoError('unavailable', reason));
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ entries, records, resolve, reject });
      this.#pendingBytes += records.bytes.length;
      this.#committing ??= this.#commitAll();
    });
  }

  async #commitAll(): Promise<void> {
    while (this.#pending.length > 0) {
      // Let the other puts of this turn join.
      await Promise.resolve();
      const batch = this.#pending;
      this.#pending = [];
      this.#pendingBytes = 0;
      try {
        if (this.#isDoubtful) await this.#rewrite();
        await this.#commit(batch);
      } catch (error) {
        const refusal = ioError('cannot write the state', error);
        for (const { reject } of batch) reject(refusal);
        continue;
      }
      for (const { resolve } of batch) resolve();
      if (this.#hasMuchGarbage()) await this.#tidy();
    }
    this.#committing = undefined;
  }

  async #commit(batch: readonly Pending[]): Promise<void> {
    const all = batch.map(({ records }) => records.bytes);
    const bytes = all.length === 1 ? all[0] : Buffer.concat(all);
    const file = must(this.#file, 'the journal is open');
    try {
      await file.write(bytes);
      await file.sync();
    } catch (error) {
      // What a disk did of a write or sync that it refused, nobody knows.
      this.#isDoubtful = true;
      throw error;
    }
    for (const { entries, records } of batch) {
      entries.forEach(({ key, value }, i) => {
        const length = records.lengths[i];
        this.#note(key, value === undefined ? undefined : { at: this.#size, length });
        this.#size += length;
      });
    }
  }

  #note(key: string, place: Place | undefined): void {
    this.#liveBytes += (place?.length ?? 0) - (this.#places.get(key)?.length ?? 0);
    if (place === undefined) this.#places.delete(key);
    else this.#places.set(key, place);
  }

  #hasMuchGarbage(): boolean {
    const { garbageBytesMin = GARBAGE_BYTES_MIN } = this.#options;
    return this.#size > garbageBytesMin && this.#size > SIZE_FACTOR * this.#liveBytes;
  }

  /** A file that cannot be written anew now goes on growing. */
  async #tidy(): Promise<void> {
    try {
      await this.#rewrite();
    } catch (error) {
      const { logger, directory } = this.#options;
      logger.warn('the state cannot be tidied up', { directory, error: errorMessage(error) });
    }
  }

  async #open(): Promise<void> {
    const { disk, directory } = this.#options;
    await disk.makeDirectory(directory);
    const names = await disk.list(directory);
    // A file that was not finished; the old one is there.
    if (names.includes(NEW_NAME)) await disk.remove(join(directory, NEW_NAME));
    if (!names.includes(NAME)) return await this.#rewrite();
    const size = await disk.size(join(directory, NAME));
    this.#reader = disk.openRead(join(directory, NAME));
    const damagedBytes = await this.#scan(this.#reader, size);
    this.#size = size;
    // What is no journal at all counts for a byte more than it has.
    if (damagedBytes > 0) await this.#keepDamaged(Math.min(damagedBytes, size));
    // Nothing may follow a torn record.
    if (damagedBytes !== 0 || this.#hasMuchGarbage()) await this.#rewrite();
    else this.#file = await disk.openAppend(join(directory, NAME));
  }

  /** Notes all sound records. Returns the bytes that are none; -1 for a torn end only. */
  async #scan(reader: ReadFile, size: number): Promise<number> {
    const head = new Uint8Array(JOURNAL_MAGIC.length);
    const isJournal =
      reader.readSync(head, 0) === head.length &&
      JOURNAL_MAGIC.every((byte, i) => head[i] === byte);
    let at = isJournal ? head.length : 0;
    let damaged = isJournal ? 0 : 1;
    let piece: Uint8Array = new Uint8Array(0);
    let pieceAt = at;
    /** The bytes from `from` on, at least `count` of them where the file has them. */
    const bytesAt = async (from: number, count: number): Promise<Uint8Array> => {
      if (from < pieceAt || from + count > pieceAt + piece.length) {
        await new Promise((resolve) => setImmediate(resolve));
        piece = new Uint8Array(Math.min(Math.max(PIECE_BYTES, count), size - from));
        pieceAt = from;
        piece = piece.subarray(0, reader.readSync(piece, from));
      }
      return piece.subarray(from - pieceAt);
    };
    while (at < size) {
      const length = frameLength(await bytesAt(at, FRAME_BYTES));
      const record = length === 0 ? undefined : await bytesAt(at, length);
      if (record !== undefined && record.length >= length && isSound(record, length)) {
        const { key, value } = decodeRecord(record.subarray(0, length));
        this.#note(key, value === undefined ? undefined : { at, length });
        at += length;
        continue;
      }
      const found = await this.#findRecord(bytesAt, at + 1, size);
      if (found === size && damaged === 0) return -1;
      damaged += found - at;
      at = found;
    }
    return damaged;
  }

  /** Where the next sound record begins; the file's size where there is none. */
  async #findRecord(
    bytesAt: (from: number, count: number) => Promise<Uint8Array>,
    from: number,
    size: number,
  ): Promise<number> {
    let at = from;
    while (at < size) {
      const piece = await bytesAt(at, Math.min(FRAME_BYTES, size - at));
      const marker = nextMarker(piece);
      if (marker < 0) {
        at += Math.max(1, piece.length - FRAME_BYTES + 1);
        continue;
      }
      at += marker;
      const length = frameLength(await bytesAt(at, FRAME_BYTES));
      if (length > 0 && at + length <= size && isSound(await bytesAt(at, length), length))
        return at;
      at++;
    }
    return size;
  }

  /** The file as it is, under another name, for whoever wants to look into it. */
  async #keepDamaged(bytes: number): Promise<void> {
    const { disk, directory, logger } = this.#options;
    const names = new Set(await disk.list(directory));
    let number = 1;
    while (names.has(`damaged-${number}`)) number++;
    const kept = join(directory, `damaged-${number}`);
    await disk.link(join(directory, NAME), kept);
    logger.error('the state was damaged; the rest of it is used', { bytes, kept });
  }

  /** Writes what counts to a new file, which then takes the place of the old one. */
  async #rewrite(): Promise<void> {
    const { disk, directory } = this.#options;
    const path = join(directory, NEW_NAME);
    await disk.remove(path);
    const file = await disk.openAppend(path);
    const places: [string, Place][] = [];
    let size = JOURNAL_MAGIC.length;
    try {
      await file.write(JOURNAL_MAGIC);
      let parts: Uint8Array[] = [];
      let bytes = 0;
      const flush = async () => {
        await file.write(Buffer.concat(parts));
        parts = [];
        bytes = 0;
      };
      for (const [key, place] of this.#places) {
        parts.push(this.#read(place));
        bytes += place.length;
        places.push([key, { at: size, length: place.length }]);
        size += place.length;
        if (bytes >= PIECE_BYTES) await flush();
      }
      await flush();
      await file.sync();
      await disk.rename(path, join(directory, NAME));
      await disk.syncDirectory(directory);
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    await this.#closeFiles();
    this.#file = file;
    this.#reader = disk.openRead(join(directory, NAME));
    for (const [key, place] of places) this.#places.set(key, place);
    this.#size = size;
    this.#isDoubtful = false;
  }

  #read({ at, length }: Place): Uint8Array {
    const { disk, directory } = this.#options;
    this.#reader ??= disk.openRead(join(directory, NAME));
    const record = new Uint8Array(length);
    const count = this.#reader.readSync(record, at);
    if (count < length || !isSound(record, length)) {
      throw new TytoError('io', `the state in ${directory} is damaged at byte ${at}`);
    }
    return record;
  }

  async #closeFiles(): Promise<void> {
    this.#reader?.close();
    this.#reader = undefined;
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

function ioError(what: string, cause: unknown): TytoError {
  if (cause instanceof TytoError) return cause;
  return new TytoError('io', `${what}: ${errorMessage(cause)}`, { cause });
}
