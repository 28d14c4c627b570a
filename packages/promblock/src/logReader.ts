/**
 * Segments of Prometheus' logs `wal`, `wbl` and checkpoints (wal.md of the format's description):
 * pages of 32 KiB with fragments of records. Behind damage the next page is looked at.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode, errorMessage, TytoError } from '@tyto/base';
import { decodeSnappy } from '@tyto/kernels';
import { ByteCursor } from './byteCursor.ts';
import { crc32c } from './crc32c.ts';
import { damaged, type ReportDamage } from './damage.ts';
import { LOG_RECORD_BYTES_MAX } from './limits.ts';
import { WindowFile } from './windowFile.ts';
import { decodeZstd } from './zstd.ts';

const PAGE_BYTES = 32 * 1024;
const HEADER_BYTES = 7;

const TYPE_MASK = 0b111;
const SNAPPY = 0b1000;
const ZSTD = 0b10000;

const PAGE_END = 0;
const FULL = 1;
const FIRST = 2;
const LAST = 4;

export interface LogRecord {
  readonly file: string;
  /** Where its first fragment begins. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** All good records of a head's log: the newest checkpoint and the segments behind it. */
export function* readLogs(directory: string, report: ReportDamage): Generator<LogRecord> {
  const names = listDirectory(directory);
  const checkpoint = names
    .filter((name) => /^checkpoint\.\d+$/.test(name))
    .sort(byNumber)
    .at(-1);
  if (checkpoint !== undefined) yield* readSegments(join(directory, checkpoint), -1, report);
  yield* readSegments(directory, checkpoint === undefined ? -1 : numberOf(checkpoint), report);
}

function* readSegments(
  directory: string,
  after: number,
  report: ReportDamage,
): Generator<LogRecord> {
  const names = listDirectory(directory)
    .filter((name) => /^\d+$/.test(name) && Number(name) > after)
    .sort(byNumber);
  let expected = after + 1;
  for (const name of names) {
    const path = join(directory, name);
    if (after >= 0 && Number(name) !== expected) {
      report({ file: path, offset: 0, what: `segment ${expected} before it is missing` });
    }
    expected = Number(name) + 1;
    yield* readSegment(path, report);
  }
}

/** Names in a directory; none where there is no such directory. */
export function listDirectory(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw new TytoError('io', `cannot read the directory ${directory}`, { cause: error });
  }
}

function numberOf(name: string): number {
  return Number(name.slice(name.lastIndexOf('.') + 1));
}

function byNumber(a: string, b: string): number {
  return numberOf(a) - numberOf(b);
}

interface Fragment {
  readonly flags: number;
  readonly bytes: Uint8Array;
  readonly end: number;
}

/** The good records of one segment. */
function* readSegment(path: string, report: ReportDamage): Generator<LogRecord> {
  const file = new WindowFile(path);
  try {
    let parts: Uint8Array[] = [];
    let start = 0;
    let at = 0;
    // Behind damage, until a record begins: its rest is no record.
    let isLost = false;
    while (at < file.size) {
      try {
        const fragment = readFragment(file, at);
        if (fragment === undefined) {
          at = nextPage(at);
          continue;
        }
        const type = fragment.flags & TYPE_MASK;
        const begins = type === FULL || type === FIRST;
        if (begins) {
          const torn = parts.length > 0;
          parts = [];
          if (torn) report({ file: path, offset: start, what: 'a record has no end' });
          start = at;
          isLost = false;
        } else if (parts.length === 0 && !isLost) {
          report({ file: path, offset: at, what: 'a record has no beginning' });
          isLost = true;
        }
        at = fragment.end;
        if (isLost) continue;
        parts.push(fragment.bytes.slice());
        if (type !== FULL && type !== LAST) continue;
        const packed = parts.length === 1 ? parts[0] : Buffer.concat(parts);
        parts = [];
        yield { file: path, offset: start, bytes: unpack(packed, fragment.flags) };
      } catch (error) {
        if (!(error instanceof TytoError)) throw error;
        report({ file: path, offset: at, what: error.message });
        // A record that was framed well is the only one lost; otherwise the page is.
        if (parts.length > 0 || !(error.kind === 'not_acceptable')) at = nextPage(at);
        parts = [];
        isLost = true;
      }
    }
    if (parts.length > 0) report({ file: path, offset: start, what: 'the last record has no end' });
  } finally {
    file.close();
  }
}

function nextPage(at: number): number {
  return (Math.floor(at / PAGE_BYTES) + 1) * PAGE_BYTES;
}

/** The fragment at a place; undefined where the rest of the page is empty. */
function readFragment(file: WindowFile, at: number): Fragment | undefined {
  const left = Math.min(nextPage(at), file.size) - at;
  const page = file.bytes(at, left);
  const flags = page[0];
  const type = flags & TYPE_MASK;
  if (type === PAGE_END) {
    if (page.some((byte) => byte !== 0)) throw damaged('the end of a page is not empty');
    return undefined;
  }
  if (type > LAST || flags > (SNAPPY | ZSTD | TYPE_MASK)) {
    throw damaged(`${flags} is no type of a fragment`);
  }
  const cursor = new ByteCursor(page, 1);
  const length = cursor.uint16();
  const checksum = cursor.uint32();
  if (HEADER_BYTES + length > left) throw damaged('a fragment is longer than its page');
  const bytes = page.subarray(HEADER_BYTES, HEADER_BYTES + length);
  if (crc32c(bytes) !== checksum) throw damaged('the checksum of a fragment is wrong');
  return { flags, bytes, end: at + HEADER_BYTES + length };
}

/** Throws TytoError `not_acceptable`: the fragments were good, so that the next record is known. */
function unpack(bytes: Uint8Array, flags: number): Uint8Array {
  try {
    if ((flags & ZSTD) !== 0) return decodeZstd(bytes, LOG_RECORD_BYTES_MAX);
    return (flags & SNAPPY) === 0 ? bytes : decodeSnappy(bytes, LOG_RECORD_BYTES_MAX);
  } catch (error) {
    throw new TytoError('not_acceptable', `packed bytes are damaged: ${errorMessage(error)}`);
  }
}
