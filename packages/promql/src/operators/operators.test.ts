import { describe, it } from 'vitest';
import { expectScript } from '../testing/expectScript.ts';

describe('arithmetic and comparison with a scalar', () => {
  it('drops the name, which a filter keeps', () =>
    expectScript(`
load 1m
  m{a="1"} 4 _ 9

eval range from 0 to 2m step 1m 2 ^ m
  {a="1"} 16 16 512

eval range from 0 to 2m step 1m m > 5
  m{a="1"} _ _ 9

eval range from 0 to 2m step 1m 5 < m
  m{a="1"} _ _ 9

eval range from 0 to 2m step 1m m > bool 5
  {a="1"} 0 0 1

eval instant at 0 -m % 3
  {a="1"} -1

eval instant at 0 1 ^ NaN
  1
`));
});

describe('matching one to one', () => {
  const load = `
load 1m
  left{a="1", b="x"} 10
  left{a="2", b="x"} 20
  right{a="1", c="y"} 3
  right{a="2", c="y"} 4
`;
  it('is by all labels, by some, or by all but some', () =>
    expectScript(`${load}
eval instant at 0 left + right

eval instant at 0 left + on(a) right
  {a="1"} 13
  {a="2"} 24

eval instant at 0 left + ignoring(b, c) right
  {a="1"} 13
  {a="2"} 24

eval instant at 0 left > on(a) right
  {a="1"} 10
  {a="2"} 20
`));

  it('refuses several partners at the same step and allows them at different ones', () =>
    expectScript(`
load 1m
  one{a="1"} 1 1 1
  pod{a="1", p="old"} 5 stale
  pod{a="1", p="new"} _ 6 7

eval range from 0 to 2m step 1m one * on(a) pod
  {a="1"} 5 6 7

eval range from 0 to 2m step 1m pod * on(a) one
  {a="1"} 5 6 7

clear
load 1m
  one{a="1"} 1
  pod{a="1", p="old"} 5
  pod{a="1", p="new"} 6

eval instant at 0 one * on(a) pod
  expect fail regex: found duplicate series for the match group .a="1".* on the right

eval instant at 0 pod * on(a) one
  expect fail regex: multiple matches for labels: many-to-one matching must be explicit

eval instant at 0 pod * on(a) group_left one
  {a="1", p="old"} 5
  {a="1", p="new"} 6
`));
});

describe('matching many to one', () => {
  it('copies labels from the one side', () =>
    expectScript(`
load 1m
  cpu{node="a", mode="user"} 2
  cpu{node="a", mode="idle"} 8
  info{node="a", version="7"} 1

eval instant at 0 cpu * on(node) group_left(version) info
  {node="a", mode="user", version="7"} 2
  {node="a", mode="idle", version="7"} 8

eval instant at 0 info * on(node) group_right(version) cpu
  {node="a", mode="user", version="7"} 2
  {node="a", mode="idle", version="7"} 8

eval instant at 0 cpu / on(node) group_left sum by (node) (cpu)
  {node="a", mode="user"} 0.2
  {node="a", mode="idle"} 0.8
`));
});

describe('sets', () => {
  it('are computed step by step', () =>
    expectScript(`
load 1m
  a{x="1"} 1 1 1
  a{x="2"} 2 2 2
  b{x="1"} 5 stale 5

eval range from 0 to 2m step 1m a and b
  a{x="1"} 1 _ 1

eval range from 0 to 2m step 1m a unless b
  a{x="1"} _ 1 _
  a{x="2"} 2 2 2

eval range from 0 to 2m step 1m b or a
  b{x="1"} 5 _ 5
  a{x="1"} _ 1 _
  a{x="2"} 2 2 2

eval instant at 0 a and on() vector(1)
  a{x="1"} 1
  a{x="2"} 2
`));
});
