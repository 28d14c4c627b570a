// Aggregation of columns into those of their groups, step by step. A group has three columns of
// f64: values, what rounding lost, and how many went in; all are 0 at first.

/** Adds with Knuth's two-sum, whose error term has no branch. */
export function addToSums(
  column: usize,
  present: usize,
  stepCount: i32,
  values: usize,
  errors: usize,
  counts: usize,
): void {
  const one = f64x2.splat(1.0);
  let step = 0;
  for (; step + 2 <= stepCount; step += 2) {
    const marks = load<u16>(present + step);
    if (marks == 0) continue;
    if (marks != 0x0101) {
      addStep(column, values, errors, counts, marks & 1 ? step : step + 1);
      continue;
    }
    const place = <usize>step << 3;
    const value = v128.load(column + place);
    const before = v128.load(values + place);
    const sum = f64x2.add(before, value);
    const part = f64x2.sub(sum, before);
    const lost = f64x2.add(f64x2.sub(before, f64x2.sub(sum, part)), f64x2.sub(value, part));
    v128.store(values + place, sum);
    v128.store(errors + place, f64x2.add(v128.load(errors + place), lost));
    v128.store(counts + place, f64x2.add(v128.load(counts + place), one));
  }
  if (step < stepCount && load<u8>(present + step)) addStep(column, values, errors, counts, step);
}

function addStep(column: usize, values: usize, errors: usize, counts: usize, step: i32): void {
  const place = <usize>step << 3;
  const value = load<f64>(column + place);
  const before = load<f64>(values + place);
  const sum = before + value;
  const part = sum - before;
  store<f64>(values + place, sum);
  store<f64>(errors + place, load<f64>(errors + place) + (before - (sum - part) + (value - part)));
  store<f64>(counts + place, load<f64>(counts + place) + 1.0);
}

export function addToCounts(present: usize, stepCount: i32, counts: usize): void {
  for (let step = 0; step < stepCount; step++) {
    const place = counts + (<usize>step << 3);
    store<f64>(place, load<f64>(place) + <f64>load<u8>(present + step));
  }
}

/** Keeps the least or greatest values; NaN only where nothing else was there. */
export function addToExtremes(
  column: usize,
  present: usize,
  stepCount: i32,
  isMax: i32,
  values: usize,
  counts: usize,
): void {
  for (let step = 0; step < stepCount; step++) {
    if (load<u8>(present + step) == 0) continue;
    const place = <usize>step << 3;
    const value = load<f64>(column + place);
    const best = load<f64>(values + place);
    const count = load<f64>(counts + place);
    if (count == 0.0 || best != best || (isMax ? value > best : value < best)) {
      store<f64>(values + place, value);
    }
    store<f64>(counts + place, count + 1.0);
  }
}
