// Remote write requests, 1.0 (prometheus.WriteRequest) and 2.0 (io.prometheus.write.v2.Request), as
// columns. One request at a time, in batches: `openRequest`, for 2.0 `readSymbols`, then `readBatch`
// until it gives 0. A negative answer says that the request is malformed.
//
// A record of 48 bytes describes a series, or a part of one whose samples do not fit into a batch:
//   0 hash, 16 bytes · 16 start, 20 end of its message · 24 start, 28 end of its labels' fields
//   32 first sample, 36 count of samples · 40 flags
// Positions are relative to the body. The hash covers the fields of labels as they were sent in 1.0,
// and the hashes of the referenced symbols in 2.0, so that it does not depend on their numbers.
import { hashHigh, hashLow, sipHash } from './sipHash';

export const RECORD_BYTES: usize = 48;
const SYMBOL_BYTES: usize = 24;

/** The record goes on with the series of the one before. */
const CONTINUED: u32 = 1;
/** There are histograms or exemplars in the message. */
const EXTRAS: u32 = 2;
/** 1.0: no series but a MetricMetadata. 2.0: there is a Metadata in the message. */
const METADATA: u32 = 4;
/** The timestamps of the record's samples do not strictly rise. */
const UNORDERED: u32 = 8;

const MALFORMED: i32 = -1;
const TOO_MANY_LABELS: i32 = -2;
const LATE_LABELS: i32 = -3;

let body: usize = 0;
let bodyEnd: usize = 0;
let isV2: bool = false;
let key0: u64 = 0;
let key1: u64 = 0;
/** Where the next field of the request begins. */
let nextField: usize = 0;

let symbols: usize = 0;
let symbolCount: u32 = 0;
/** The hashes of a series' symbols, one behind the other, to be hashed again. */
let scratch: usize = 0;
let refsMax: u32 = 0;

/** The position behind the last read varint, or 0 when there was none. */
let cursor: usize = 0;

// The series that is being read; kept when a batch ends within it.
let isOpen: bool = false;
let seriesStart: usize = 0;
let seriesEnd: usize = 0;
let seriesAt: usize = 0;
let labelsStart: usize = 0;
let labelsEnd: usize = 0;
let refCount: u32 = 0;
let flags: u32 = 0;
/** Where the labels that lie side by side began. */
let runStart: usize = 0;
let lastTime: f64 = 0;
let isFirstSample: bool = true;
let seriesHashLow: u64 = 0;
let seriesHashHigh: u64 = 0;

/** Begins a request that lies in [start, start + length); 16 bytes behind it may be loaded. */
export function openRequest(start: usize, length: i32, version: i32, key: usize): void {
  body = start;
  bodyEnd = start + length;
  nextField = start;
  isV2 = version == 2;
  key0 = load<u64>(key) ^ <u64>version;
  key1 = load<u64>(key + 8);
  isOpen = false;
  symbolCount = 0;
}

/** How many symbols a 2.0 request has. */
export function countSymbols(): i32 {
  let count: i32 = 0;
  let at = body;
  while (at < bodyEnd) {
    const tag = varint(at, bodyEnd);
    if (cursor == 0) return MALFORMED;
    if (tag == 0x22) count++;
    at = skipField(tag, cursor, bodyEnd);
    if (at == 0) return MALFORMED;
  }
  return count;
}

/**
 * Notes start, end and hash of all symbols, 24 bytes each, in a table with room for them. `buffer`
 * has room for 16 bytes for each of at most `references` references of one series.
 */
export function readSymbols(table: usize, buffer: usize, references: u32): void {
  symbols = table;
  scratch = buffer;
  refsMax = references;
  symbolCount = 0;
  let at = body;
  while (at < bodyEnd) {
    const tag = varint(at, bodyEnd);
    const next = skipField(tag, cursor, bodyEnd);
    if (tag == 0x22) {
      varint(cursor, bodyEnd);
      const symbol = table + <usize>symbolCount * SYMBOL_BYTES;
      store<u32>(symbol, <u32>(cursor - body));
      store<u32>(symbol + 4, <u32>(next - body));
      sipHash(key0, key1, cursor, next);
      store<u64>(symbol + 8, hashLow);
      store<u64>(symbol + 16, hashHigh);
      symbolCount++;
    }
    at = next;
  }
}

/** Reads series until records or samples are full. Returns the records; 0 at the end. */
export function readBatch(
  records: usize,
  recordsMax: i32,
  timestamps: usize,
  values: usize,
  samplesMax: i32,
): i32 {
  let count = 0;
  let samples = 0;
  while (count < recordsMax && samples < samplesMax) {
    const record = records + <usize>count * RECORD_BYTES;
    if (isOpen) {
      flags = (flags & ~UNORDERED) | CONTINUED;
    } else {
      const kind = nextMessage();
      if (kind < 0) return kind;
      if (kind == 0) break;
      if (kind == 2) {
        writeRecord(record, 0, 0, METADATA);
        count++;
        continue;
      }
    }
    const read = readSeries(timestamps, values, samples, samplesMax);
    if (read < 0) return read;
    // What is to be read once for a series is told with its last part.
    writeRecord(record, samples, read, isOpen ? flags & (CONTINUED | UNORDERED) : flags);
    samples += read;
    count++;
  }
  return count;
}

function writeRecord(record: usize, firstSample: i32, samples: i32, shown: u32): void {
  store<u64>(record, seriesHashLow, 0);
  store<u64>(record, seriesHashHigh, 8);
  store<u32>(record, <u32>(seriesStart - body), 16);
  store<u32>(record, <u32>(seriesEnd - body), 20);
  store<u32>(record, <u32>(labelsStart - body), 24);
  store<u32>(record, <u32>(labelsEnd - body), 28);
  store<u32>(record, firstSample, 32);
  store<u32>(record, samples, 36);
  store<u32>(record, shown, 40);
}

/** Steps to the next message: 1 for a series, 2 for a MetricMetadata, 0 at the end. */
function nextMessage(): i32 {
  const seriesTag: u64 = isV2 ? 0x2a : 0x0a;
  while (nextField < bodyEnd) {
    const tag = varint(nextField, bodyEnd);
    if (cursor == 0) return MALFORMED;
    const from = cursor;
    const next = skipField(tag, from, bodyEnd);
    if (next == 0) return MALFORMED;
    nextField = next;
    if (tag != seriesTag && (isV2 || tag != 0x1a)) continue;
    varint(from, next);
    seriesStart = seriesAt = labelsStart = labelsEnd = cursor;
    seriesEnd = next;
    refCount = 0;
    flags = 0;
    isFirstSample = true;
    seriesHashLow = seriesHashHigh = 0;
    return tag == seriesTag ? 1 : 2;
  }
  return 0;
}

/** Reads on in the open series; returns its samples, and leaves it open when they are too many. */
function readSeries(timestamps: usize, values: usize, from: i32, samplesMax: i32): i32 {
  const end = seriesEnd;
  const wasOpen = isOpen;
  let at = seriesAt;
  let samples = from;
  isOpen = false;
  while (at < end) {
    const tag = <u64>load<u8>(at);
    if (tag == 0x12) {
      const claimed = varint(at + 1, end);
      const sample = cursor;
      if (sample == 0 || claimed > <u64>(end - sample)) return MALFORMED;
      const length = <usize>claimed;
      if (samples == samplesMax) {
        isOpen = true;
        seriesAt = at;
        break;
      }
      const index = <usize>samples << 3;
      if (!readSample(sample, sample + length, timestamps + index, values + index)) return MALFORMED;
      samples++;
      at = sample + length;
      continue;
    }
    const full = varint(at, end);
    const next = skipField(full, cursor, end);
    // A tag in a longer form than it needs would be labels that the hash does not cover.
    if (next == 0 || (tag >= 0x80 && full < 0x80)) return MALFORMED;
    if (tag == 0x0a || (isV2 && tag == 0x08)) {
      if (wasOpen) return LATE_LABELS;
      const status = isV2 ? readRefs(at, next) : noteLabels(at, next);
      if (status < 0) return status;
    } else if (tag == 0x1a || tag == 0x22) {
      flags |= EXTRAS;
    } else if (isV2 && tag == 0x2a) {
      flags |= METADATA;
    }
    at = next;
  }
  if (!wasOpen) finishHash();
  return samples - from;
}

/** 1.0: fields of labels that lie side by side are hashed in one go, others are chained. */
function noteLabels(at: usize, next: usize): i32 {
  if (refCount == 0) {
    labelsStart = runStart = at;
  } else if (at != labelsEnd) {
    chainRun();
    runStart = at;
  }
  refCount = 1;
  labelsEnd = next;
  return 0;
}

function chainRun(): void {
  sipHash(key0 ^ seriesHashLow, key1 ^ seriesHashHigh, runStart, labelsEnd);
  seriesHashLow = hashLow;
  seriesHashHigh = hashHigh;
}

/** 2.0: references, packed or one by one; their symbols' hashes are gathered. */
function readRefs(field: usize, next: usize): i32 {
  if (labelsEnd == seriesStart) labelsStart = field;
  labelsEnd = next;
  let at = field + 1;
  if (load<u8>(field) == 0x0a) {
    varint(at, next);
    at = cursor;
  }
  let count = refCount;
  while (at < next) {
    let ref = <u64>load<u8>(at);
    if (ref < 0x80) {
      at++;
    } else {
      ref = varint(at, next);
      if (cursor == 0) return MALFORMED;
      at = cursor;
    }
    if (ref >= <u64>symbolCount) return MALFORMED;
    if (count == refsMax) return TOO_MANY_LABELS;
    const symbol = symbols + <usize>ref * SYMBOL_BYTES;
    v128.store(scratch + (<usize>count << 4), v128.load(symbol + 8));
    count++;
  }
  refCount = count;
  return 0;
}

function finishHash(): void {
  if (isV2) {
    sipHash(~key0, key1, scratch, scratch + (<usize>refCount << 4));
    seriesHashLow = hashLow;
    seriesHashHigh = hashHigh;
  } else if (refCount > 0) {
    chainRun();
  }
}

/** A Sample: 1 double value, 2 varint timestamp, in 2.0 3 varint start timestamp, all optional. */
// @ts-ignore: decorator
@inline
function readSample(start: usize, end: usize, timestampAt: usize, valueAt: usize): bool {
  let at = start;
  let bits: u64 = 0;
  let timestamp: i64 = 0;
  if (at + 9 <= end && load<u8>(at) == 0x09) {
    bits = load<u64>(at + 1);
    at += 9;
  }
  if (at < end && load<u8>(at) == 0x10) {
    const word = load<u64>(at + 1);
    const bytes = (<usize>ctz(~word & 0x8080808080808080) >> 3) + 1;
    if (bytes <= 8 && at + 1 + bytes <= end) {
      timestamp = <i64>sevenBits(word & (u64.MAX_VALUE >> (64 - (<u64>bytes << 3))));
      at += 1 + bytes;
    }
  }
  while (at < end) {
    const tag = varint(at, end);
    const from = cursor;
    const next = skipField(tag, from, end);
    if (next == 0) return false;
    if (tag == 0x09) bits = load<u64>(from);
    if (tag == 0x10) timestamp = <i64>varint(from, end);
    at = next;
  }
  // As numbers of JavaScript, which the store has: far from now, two of them are the same.
  const time = <f64>timestamp;
  if (!isFirstSample && time <= lastTime) flags |= UNORDERED;
  isFirstSample = false;
  lastTime = time;
  store<f64>(timestampAt, time);
  store<u64>(valueAt, bits);
  return true;
}

/** Puts the lower seven bits of all eight bytes side by side. */
// @ts-ignore: decorator
@inline
function sevenBits(word: u64): u64 {
  let bits = word & 0x7f7f7f7f7f7f7f7f;
  bits = (bits & 0x007f007f007f007f) | ((bits & 0x7f007f007f007f00) >> 1);
  bits = (bits & 0x00003fff00003fff) | ((bits & 0x3fff00003fff0000) >> 2);
  return (bits & 0x000000000fffffff) | ((bits & 0x0fffffff00000000) >> 4);
}

/** The varint at `at`; `cursor` is behind it, or 0 when it does not end before `end`. */
function varint(at: usize, end: usize): u64 {
  let value: u64 = 0;
  let position = at;
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    if (position >= end) break;
    const byte = <u64>load<u8>(position++);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      cursor = position;
      return value;
    }
  }
  cursor = 0;
  return 0;
}

/** The position behind the field whose tag ends at `at`; 0 when it is malformed. Keeps `cursor`. */
function skipField(tag: u64, at: usize, end: usize): usize {
  if (at == 0 || tag >> 3 == 0 || tag >> 32 != 0) return 0;
  const kept = at;
  const wireType = <u32>tag & 7;
  let next: usize = 0;
  if (wireType == 0) {
    varint(at, end);
    next = cursor;
  } else if (wireType == 1) {
    if (end - at >= 8) next = at + 8;
  } else if (wireType == 2) {
    const length = varint(at, end);
    if (cursor != 0 && length <= <u64>(end - cursor)) next = cursor + <usize>length;
  } else if (wireType == 5) {
    if (end - at >= 4) next = at + 4;
  }
  cursor = kept;
  return next;
}
