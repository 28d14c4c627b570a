import { describe, expect, it } from 'vitest';
import { expectScript } from '../testing/expectScript.ts';

const LOAD = `
load 1m
  c_total@st  _ -30s -90s -1ms -1m
  c_total     _ 10   20   20   30
  plain_total _ 10   20   20   30
`;

describe('start times', () => {
  it('tell of resets that the values do not show, and since when the first sample counts', () =>
    expectScript(
      `${LOAD}
# 10 since 30s, then 10, then 20 from zero, then 30 from zero.
eval instant at 4m increase(c_total[4m])
  {} 70

eval instant at 4m increase(plain_total[4m])
  {} 26.666666666666668

eval instant at 4m irate(c_total[4m])
  {} 0.5

eval instant at 4m resets(c_total[4m])
  {} 2
`,
      { useStartTimes: true },
    ));

  it('say nothing to gauges, subqueries and extended selectors', () =>
    expectScript(
      `${LOAD}
eval instant at 4m delta(c_total[4m])
  {} 26.666666666666668

eval instant at 4m resets(c_total[4m:1m])
  {} 0

eval instant at 4m increase(c_total[4m] anchored)
  {} 20
`,
      { useStartTimes: true },
    ));

  it('are asked for in seconds, of selectors only', () =>
    expectScript(
      `${LOAD}
eval instant at 2m start_timestamp((c_total))
  {} 30

eval instant at 2m start_timestamp(plain_total)
  {} 0

eval instant at 2m start_timestamp(c_total + 0)

eval instant at 2m start_timestamp(c_total smoothed)

eval instant at 4m start_timestamp(c_total offset 1m)
  {} 179.999
`,
      { useStartTimes: true },
    ));

  it('do not matter unless they are switched on', async () => {
    await expectScript(`${LOAD}
eval instant at 4m resets(c_total[4m])
  {} 0

eval instant at 4m start_timestamp(c_total)

eval instant at 4m increase(c_total[4m])
  {} 26.666666666666668
`);
  });

  it('of histograms whose schemas do not go together are told of', async () => {
    const script = `
load 1m
  h@st _ -10s -1ms
  h    _ {{schema:-53 sum:1 count:1 custom_values:[5] buckets:[1]}} {{sum:3 count:3 buckets:[3]}}

eval instant at 2m increase(h[2m])
  expect warn
`;
    await expect(expectScript(script, { useStartTimes: true })).resolves.toBeUndefined();
  });
});

describe('counter resets that are found while histograms are read', () => {
  const load = `
load 1m
  h{a="1"} {{sum:1 count:5 buckets:[5]}} {{sum:2 count:6 buckets:[6]}} {{sum:1 count:2 buckets:[2]}}
  h{a="2"} {{sum:1 count:5 buckets:[5]}} {{sum:2 count:6 buckets:[6]}} {{sum:3 count:7 buckets:[7]}}
`;

  it('are told of where counts or sums are asked for, and not where buckets are', () =>
    expectScript(`${load}
eval instant at 2m histogram_count(sum(h))
  expect warn msg: PromQL warning: conflicting counter resets during histogram aggregation (1:21)
  {} 9

eval instant at 2m histogram_sum((sum(h)))
  expect warn msg: PromQL warning: conflicting counter resets during histogram aggregation (1:20)
  {} 4

eval instant at 2m histogram_quantile(0, sum(h)) * 0
  expect no_warn
  {} 0

eval instant at 2m histogram_count(sum(last_over_time(h[5m:1m])))
  expect no_warn
  {} 9
`));
});
