import { describe, it } from 'vitest';
import { expectScript } from '../testing/expectScript.ts';

const load = `
load 1m
  m{g="a", i="1"} 1 2 3
  m{g="a", i="2"} 3 _ NaN
  m{g="b", i="1"} 10 20 30
`;

describe('reductions', () => {
  it('are by the labels kept or left out', () =>
    expectScript(`${load}
eval instant at 0 sum by (g) (m)
  {g="a"} 4
  {g="b"} 10

eval instant at 0 sum without (g) (m)
  {i="1"} 11
  {i="2"} 3

eval instant at 0 count(m)
  {} 3

eval instant at 0 avg by (g) (m)
  {g="a"} 2
  {g="b"} 10

eval instant at 0 stddev by (g) (m)
  {g="a"} 1
  {g="b"} 0

eval instant at 0 group by (g) (m)
  {g="a"} 1
  {g="b"} 1
`));

  it('see what is there at each step', () =>
    expectScript(`${load}
eval range from 0 to 10m step 5m count by (g) (m)
  {g="a"} 2 2 _
  {g="b"} 1 1 _

eval range from 0 to 2m step 2m max by (g) (m)
  {g="a"} 3 3
  {g="b"} 10 30
`));

  it('lose no small numbers among great ones', () =>
    expectScript(`
load 1m
  m{i="1"} 1e100
  m{i="2"} 1
  m{i="3"} -1e100

eval instant at 0 sum(m)
  {} 1

eval instant at 0 avg(m)
  {} 0.333333333333
`));
});

describe('choices', () => {
  it('keep the greatest or least of each group and step, NaN last', () =>
    expectScript(`${load}
eval instant at 2m topk(2, m)
  expect ordered
  m{g="b", i="1"} 30
  m{g="a", i="1"} 3

eval instant at 2m bottomk by (g) (1, m)
  m{g="a", i="1"} 3
  m{g="b", i="1"} 30

eval range from 0 to 2m step 2m topk by (g) (1, m)
  m{g="a", i="1"} _ 3
  m{g="a", i="2"} 3 _
  m{g="b", i="1"} 10 30

eval instant at 0 topk(NaN, m)
  expect fail msg: Parameter value is NaN

eval instant at 0 count(limitk by (g) (1, m))
  {} 2

eval instant at 0 count(limit_ratio(0.4, m) or limit_ratio(-0.6, m))
  {} 3

eval instant at 0 limit_ratio(0.4, m) and limit_ratio(-0.6, m)
`));
});

describe('quantile and count_values', () => {
  it('interpolate and count', () =>
    expectScript(`${load}
eval instant at 0 quantile(0.5, m)
  {} 3

eval instant at 0 quantile by (g) (0.25, m)
  {g="a"} 1.5
  {g="b"} 10

eval instant at 1m count_values("v", m * 0)
  {v="0"} 3
`));

  it('names the bytes of a label name that is no UTF-8, and takes every other one', () =>
    expectScript(`${load}
eval instant at 0 count_values("a\\xc5z\\377", m)
  expect fail msg: invalid label name "a\\xc5z\\xff"

eval instant at 0 count_values("", m)
  expect fail msg: invalid label name ""

eval instant at 0 count_values("\\xef\\xbf\\xbd", m * 0)
  {"\\ufffd"="0"} 3
`));
});
