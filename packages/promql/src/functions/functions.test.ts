import { functionSignatures } from '@tyto/syntax';
import { describe, expect, it } from 'vitest';
import { expectScript } from '../testing/expectScript.ts';
import { implementedFunctions } from './registry.ts';

/** Functions of the language that are to come. */
const MISSING: readonly string[] = [];

it('every function of the language is implemented', () => {
  const known = [...functionSignatures.keys()].filter((name) => !MISSING.includes(name));
  expect(implementedFunctions()).toEqual(known.sort());
});

describe('functions of one number', () => {
  it('apply to every float and drop the name', () =>
    expectScript(`
load 1m
  m{a="x"} -2.5
  m{a="y"} 2.5

eval instant at 0 abs(m)
  {a="x"} 2.5
  {a="y"} 2.5

eval instant at 0 round(m)
  {a="x"} -2
  {a="y"} 3

eval instant at 0 round(m, 2)
  {a="x"} -2
  {a="y"} 2

eval instant at 0 clamp(m, -1, 1)
  {a="x"} -1
  {a="y"} 1

eval instant at 0 clamp(m, 1, -1)

eval instant at 0 clamp_min(m / 0, NaN)
  {a="x"} NaN
  {a="y"} Inf

eval instant at 0 clamp_max(m / 0, NaN)
  {a="x"} -Inf
  {a="y"} NaN

eval instant at 0 sgn(m)
  {a="x"} -1
  {a="y"} 1
`));
});

describe('dates', () => {
  it('are in UTC and default to the evaluation time', () =>
    expectScript(`
eval instant at 1709210096s year()
  {} 2024

eval instant at 1709210096s month() * 100 + day_of_month()
  {} 229

eval instant at 0 days_in_month(vector(1709210096))
  {} 29

eval instant at 0 day_of_year(vector(1709210096))
  {} 60

eval instant at 0 hour(vector(1709210096)) * 60 + minute(vector(1709210096))
  {} 754

eval instant at 0 day_of_week()
  {} 4
`));
});

describe('label functions', () => {
  it('replace with the groups of an anchored pattern', () =>
    expectScript(`
load 1m
  m{instance="node-7:9100"} 1

eval instant at 0 label_replace(m, "n", "\${1}-$2$$", "instance", "(.*):(.*)")
  m{instance="node-7:9100", n="node-7-9100$"} 1

eval instant at 0 label_replace(m, "n", "x", "instance", "node")
  m{instance="node-7:9100"} 1

eval instant at 0 label_replace(m, "instance", "", "", "")
  m 1

eval instant at 0 label_join(m, "j", "/", "instance", "none", "__name__")
  m{instance="node-7:9100", j="node-7:9100//m"} 1
`));

  it('refuse to make two series equal', () =>
    expectScript(`
load 1m
  m{a="1"} 1
  m{a="2"} 2

eval instant at 0 label_replace(m, "a", "x", "", "")
  expect fail msg: vector cannot contain metrics with the same labelset
`));
});

describe('order', () => {
  it('is by value with NaN at the end, or by labels as people count', () =>
    expectScript(`
load 1m
  m{n="a10"} 2
  m{n="a9"} NaN
  m{n="a1"} 3

eval instant at 0 sort(m)
  expect ordered
  m{n="a10"} 2
  m{n="a1"} 3
  m{n="a9"} NaN

eval instant at 0 sort_desc(m)
  expect ordered
  m{n="a1"} 3
  m{n="a10"} 2
  m{n="a9"} NaN

eval instant at 0 sort_by_label(m, "n")
  expect ordered
  m{n="a1"} 3
  m{n="a9"} NaN
  m{n="a10"} 2
`));
});

describe('absence', () => {
  it('has the labels that the selector is sure of', () =>
    expectScript(`
load 1m
  m 1 _ _ _ _ _ _

eval instant at 0 absent(m)

eval range from 0 to 6m step 3m absent(m{a="b", c=~"d", e="f", e="g"})
  {a="b"} 1 1 1

eval range from 0 to 6m step 3m absent_over_time(m[2m])
  {} _ 1 1
`));
});

describe('scalars', () => {
  it('come from vectors of one element', () =>
    expectScript(`
load 1m
  m{a="1"} 7
  m{a="2"} 8

eval instant at 0 scalar(m{a="1"}) + pi() - pi()
  7

eval instant at 0 scalar(m)
  NaN

eval range from 0 to 2m step 1m timestamp(m{a="1"})
  {a="1"} 0 0 0

eval range from 0 to 2m step 1m timestamp(m{a="1"} + 0)
  {a="1"} 0 60 120
`));
});

describe('classic histograms', () => {
  const load = `
load 1m
  h_bucket{le="1"} 2
  h_bucket{le="2"} 6
  h_bucket{le="+Inf"} 8
  bad_bucket{le="1"} 5
  bad_bucket{le="2"} 3
  bad_bucket{le="+Inf"} 8
  bad_bucket{le="x"} 8
`;
  it('yield quantiles and fractions by linear interpolation', () =>
    expectScript(`${load}
eval instant at 0 histogram_quantile(0.5, h_bucket)
  {} 1.5

eval instant at 0 histogram_quantile(0.99, h_bucket)
  {} 2

eval instant at 0 histogram_quantile(-1, h_bucket)
  expect warn msg: PromQL warning: quantile value should be between 0 and 1, got -1 (1:20)
  {} -Inf

eval instant at 0 histogram_fraction(0, 1.5, h_bucket)
  {} 0.5
`));

  it('tell of buckets that fall and of labels that are no bounds', () =>
    expectScript(`${load}
eval instant at 0 histogram_quantile(0.5, bad_bucket)
  expect info regex: PromQL info: input to histogram_quantile needed to be fixed .*1:25
  expect warn regex: bucket label "le" is missing or has a malformed value of "x"
  {} 0.8

eval range from 0 to 2m step 1m histogram_quantile(0.5, bad_bucket{le!="x"})
  expect info regex: diff of 2, over 3 samples from 1970-01-01T00:00:00Z to 1970-01-01T00:02:00Z
  {} 0.8 0.8 0.8
`));
});

describe('range functions', () => {
  it('keep the name only where the value is a sample of the series', () =>
    expectScript(`
load 1m
  m 1 2 4

eval instant at 2m last_over_time(m[5m])
  m 4

eval instant at 2m max_over_time(m[5m])
  {} 4
`));

  it('see neither stale markers nor the sample at the far end of the window', () =>
    expectScript(`
load 1m
  m 1 2 stale 8

eval instant at 3m count_over_time(m[3m])
  {} 2

eval instant at 3m sum_over_time(m[181s])
  {} 11

eval instant at 2m m
`));

  it('work over subqueries with steps of absolute alignment', () =>
    expectScript(`
load 10s
  m 0+1x30

eval instant at 125s count_over_time(m[1m:20s])
  {} 3

eval instant at 125s last_over_time(m[1m:20s])
  m 12

eval instant at 125s sum_over_time(m[1m:20s] offset 5s)
  {} 30
`));

  it('tell when the metric does not look like a counter', () =>
    expectScript(`
load 1m
  m 1 2 3
  n_total 1 2 3

eval instant at 2m rate(m[5m])
  expect info regex: metric might not be a counter, name does not end in .*: "m" .1:6.$
  {} 0.00833333333

eval instant at 2m rate(n_total[5m])
  expect no_info
  {} 0.00833333333
`));
});
