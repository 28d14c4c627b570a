// The lines of an exposition whose series are known from the last one, in the order in which they
// were there: each is compared with the bytes that are expected, and its value is read.
import { parsedFloat, parseFloat } from './float';

const NEWLINE: u8 = 0x0a;
const TAB: u8 = 0x09;
const SPACE: u8 = 0x20;
const BRACE_OPEN: u8 = 0x7b;

let powersAt: usize = 0;
let powersMax: i32 = 0;
let bodyEnd: usize = 0;
let bytesAt: usize = 0;
let startsAt: usize = 0;
let endsAt: usize = 0;
let nextAt: usize = 0;

/** Where the last run ended: the line behind it, and the entry that was expected there. */
let stoppedAt: usize = 0;
let stoppedNext: i32 = -1;

export function setPowersOfFive(at: usize, max: i32): void {
  powersAt = at;
  powersMax = max;
}

/**
 * Begins with a body that ends at `end`. The series of entry i is [starts[i], ends[i]) of `bytes`,
 * and next[i] is the entry behind it, or -1.
 */
export function openExposition(
  end: usize,
  bytes: usize,
  starts: usize,
  ends: usize,
  next: usize,
): void {
  bodyEnd = end;
  bytesAt = bytes;
  startsAt = starts;
  endsAt = ends;
  nextAt = next;
}

/**
 * Takes lines from `line` on while each is the expected series, one blank, a plain number and the
 * end of the line. Returns how many; their entries and values are written out.
 */
export function matchLines(
  line: usize,
  expected: i32,
  entries: usize,
  values: usize,
  max: i32,
): i32 {
  let count = 0;
  let at = line;
  let entry = expected;
  while (count < max && entry >= 0) {
    const start = load<u32>(startsAt + (<usize>entry << 2));
    const length = <usize>(load<u32>(endsAt + (<usize>entry << 2)) - start);
    const blank = at + length;
    if (blank + 2 >= bodyEnd || load<u8>(blank) != SPACE) break;
    const first = load<u8>(blank + 1);
    if (first == SPACE || first == TAB || first == BRACE_OPEN) break;
    if (!isSame(at, bytesAt + start, length)) break;
    const valueEnd = parseFloat(blank + 1, bodyEnd, powersAt, powersMax);
    if (valueEnd == 0 || valueEnd >= bodyEnd || load<u8>(valueEnd) != NEWLINE) break;
    store<i32>(entries + (<usize>count << 2), entry);
    store<f64>(values + (<usize>count << 3), parsedFloat);
    count++;
    at = valueEnd + 1;
    entry = load<i32>(nextAt + (<usize>entry << 2));
  }
  stoppedAt = at;
  stoppedNext = entry;
  return count;
}

export function matchedEnd(): usize {
  return stoppedAt;
}

export function matchedNext(): i32 {
  return stoppedNext;
}

function isSame(a: usize, b: usize, length: usize): bool {
  let i: usize = 0;
  for (; i + 8 <= length; i += 8) {
    if (load<u64>(a + i) != load<u64>(b + i)) return false;
  }
  for (; i < length; i++) {
    if (load<u8>(a + i) != load<u8>(b + i)) return false;
  }
  return true;
}
