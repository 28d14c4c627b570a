// Samples as JSON: `[1435781451.781,"0.25"],` for each, the comma behind the last one included.
import { writeNumber, writeWhole } from './decimal';

/** Times that are written; others have more than milliseconds, or more digits than a double. */
const TIME_MAX: f64 = 9007199254740991.0;

/** Writes `count` samples; returns where the text ends, or 0 for a time that is not written here. */
export function writePoints(timestamps: usize, values: usize, count: i32, out: usize): usize {
  let place = out;
  for (let i = 0; i < count; i++) {
    const time = load<f64>(timestamps + (<usize>i << 3));
    if (!(abs(time) <= TIME_MAX) || trunc(time) != time) return 0;
    store<u8>(place++, 0x5b);
    place = writeTime(place, time);
    store<u16>(place, 0x222c);
    place = writeNumber(place + 2, load<f64>(values + (<usize>i << 3)));
    store<u32>(place, 0x2c5d22);
    place += 3;
  }
  return place;
}

/** Milliseconds as seconds. */
function writeTime(at: usize, time: f64): usize {
  let place = at;
  if (time < 0) store<u8>(place++, 0x2d);
  const whole = <u64>abs(time);
  const seconds = whole / 1000;
  let rest = <u32>(whole - seconds * 1000);
  place = writeWhole(place, seconds);
  if (rest == 0) return place;
  store<u8>(place++, 0x2e);
  for (let unit = <u32>100; rest > 0; unit /= 10) {
    store<u8>(place++, <u8>(0x30 + rest / unit));
    rest %= unit;
  }
  return place;
}
