import { describe, it } from 'vitest';
import { expectScript } from '../testing/expectScript.ts';

const load = `
load 1m
  m{job="a", instance="1"} 1 2 3
  target_info{job="a", instance="1", version="7"} 1 1 stale
  target_info{job="a", instance="1", version="8"} _ _ 1
  build_info{job="a", instance="1", go="1.25"} 1 1 1
`;

describe('info', () => {
  it('adds the data labels of target_info as they are at each step', () =>
    expectScript(`${load}
eval range from 0 to 2m step 1m info(m)
  m{job="a", instance="1", version="7"} 1 2 _
  m{job="a", instance="1", version="8"} _ _ 3
`));

  it('takes other metrics and only some labels when told so', () =>
    expectScript(`${load}
eval instant at 0 info(m, {__name__="build_info"})
  m{job="a", instance="1", go="1.25"} 1

eval instant at 0 info(m, {version="6"})

eval instant at 0 info(m, {version=~".*", none=~".*"})
  m{job="a", instance="1", version="7"} 1
`));
});

describe('extended ranges', () => {
  it('begin with the sample before the window, or are interpolated', () =>
    expectScript(`
load 15s
  c_total 1+1x4 9+1x4

eval instant at 80s increase(c_total[1m] anchored)
  {} 7

eval instant at 65s increase(c_total[1m] smoothed)
  {} 5

eval instant at 20s c_total smoothed
  c_total 2.33333333333

eval instant at 20s max_over_time(c_total[1m] anchored)
  expect fail regex: anchored modifier can only be used with
`));
});

describe('an info metric of histograms', () => {
  it('is refused where a series would get its labels', () =>
    expectScript(`
load 1m
  m{instance="a", job="j"} 1
  other{instance="b", job="j"} 1
  h{instance="a", job="j", data="d"} {{sum:1 count:1}}

eval instant at 0 info(m, {__name__="h"})
  expect fail regex: an info sample must be a float, and h\\{data="d", .+\\} is a histogram

eval instant at 0 info(other, {__name__="h"})
  other{instance="b", job="j"} 1
`));
});

describe('subqueries of an instant query', () => {
  it('see all series that were ever among the best', () =>
    expectScript(`
load 1m
  m{i="1"} 5 1 1
  m{i="2"} 1 6 6

eval instant at 2m max_over_time(topk(1, m)[3m:1m])
  {i="1"} 5
  {i="2"} 6
`));
});
