import { describe, it } from 'vitest';
import { expectScript } from '../testing/expectScript.ts';

describe('native histograms', () => {
  it('yield counts, sums and averages', () =>
    expectScript(`
load 1m
  h {{schema:0 count:6 sum:12 buckets:[1 2 3]}}
  h{kind="float"} 5

eval instant at 0 histogram_count(h)
  {} 6

eval instant at 0 histogram_avg(h)
  {} 2

eval instant at 0 histogram_stdvar(h{kind=""}) >= bool 0
  {} 1
`));

  it('interpolate quantiles and fractions exponentially within buckets', () =>
    expectScript(`
load 1m
  h {{schema:0 count:4 sum:8 offset:1 buckets:[4]}}
  z {{schema:0 count:4 sum:0 z_bucket:4 z_bucket_w:0.5}}

eval instant at 0 histogram_quantile(0.5, h)
  {} 1.4142135624

eval instant at 0 histogram_fraction(1, 1.4142135624, h)
  {} 0.5

eval instant at 0 histogram_quantile(0.75, z)
  {} 0.25
`));

  it('are added at the coarser resolution, and subtracted into gauges', () =>
    expectScript(`
load 1m
  fine {{schema:1 count:4 sum:8 offset:1 buckets:[1 1 1 1]}}
  coarse {{schema:0 count:2 sum:3 offset:1 buckets:[1 1]}}

eval instant at 0 fine + coarse
  {} {{schema:0 count:6 sum:11 offset:1 buckets:[3 3]}}

eval instant at 0 fine - coarse
  {} {{schema:0 count:2 sum:5 offset:1 buckets:[1 1] counter_reset_hint:gauge}}

eval instant at 0 fine * 2
  {} {{schema:1 count:8 sum:16 offset:1 buckets:[2 2 2 2]}}

eval instant at 0 fine * coarse
  expect info regex: incompatible sample types .* "[*]": histogram [*] histogram .1:1.$
`));

  it('have rates that see counter resets in buckets', () =>
    expectScript(`
load 1m
  h_total {{count:4 sum:4 buckets:[2 2]}} {{count:6 sum:6 buckets:[3 3]}} {{count:6 buckets:[0 6]}}

eval instant at 1m increase(h_total[1m1s])
  {} {{count:2.0333333333 sum:2.0333333333 buckets:[1.01666666667 1.01666666667]}}

eval instant at 2m resets(h_total[5m])
  {} 1

eval instant at 1m delta(h_total[1m1s])
  expect warn msg: PromQL warning: this native histogram metric is not a gauge: "h_total" (1:7)
  {} {{count:2.0333333333 sum:2.0333333333 buckets:[1.01666666667 1.01666666667]}}
`));

  it('do not mix with floats in sums', () =>
    expectScript(`
load 1m
  m{a="1"} {{count:1 sum:1 buckets:[1]}} {{count:1 sum:1 buckets:[1]}}
  m{a="2"} 4 _

eval instant at 0 sum(m)
  expect warn msg: PromQL warning: encountered a mix of histograms and floats for aggregation (1:5)

eval instant at 0 count(m)
  {} 2

eval instant at 0 max(m)
  expect info msg: PromQL info: ignored histogram in max aggregation (1:5)
  {} 4
`));

  it('can be trimmed', () =>
    expectScript(`
load 1m
  h {{schema:0 count:7 sum:20 buckets:[1 2 4]}}

eval instant at 0 histogram_count(h </ 2)
  {} 3

eval instant at 0 histogram_count(h >/ 2)
  {} 4
`));

  it('stand for classic histograms with custom bounds', () =>
    expectScript(`
load_with_nhcb 1m
  h_bucket{le="1"} 2
  h_bucket{le="2"} 6
  h_bucket{le="+Inf"} 8
  h_sum 12
  h_count 8

eval instant at 0 histogram_quantile(0.5, h)
  {} 1.5

eval instant at 0 h
  h {{schema:-53 count:8 sum:12 custom_values:[1 2] buckets:[2 4 2]}}
`));
});
