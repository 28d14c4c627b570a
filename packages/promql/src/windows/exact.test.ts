import { describe, it } from 'vitest';
import { expectScript } from '../testing/expectScript.ts';

describe('exact_increase', () => {
  it('is whole for whole numbers, where increase extrapolates', () =>
    expectScript(`
      load 15s
        requests_total 100 101 101 103 103 103 104 104 104 104 104 104 104

      eval instant at 70s exact_increase(requests_total[1m])
        {} 3

      eval instant at 70s increase(requests_total[1m])
        {} 2.6666666666666665
    `));

  it('adds up over windows in a row', () =>
    expectScript(`
      load 15s
        requests_total 0 7 7 9 30 31 1 5 5

      eval range from 30s to 2m step 30s exact_increase(requests_total[30s])
        {} 7 23 2 4

      eval instant at 2m exact_increase(requests_total[2m])
        {} 36

      eval instant at 2m exact_rate(requests_total[2m])
        {} 0.3
    `));

  it('counts the first sample of a new series, and not what a long one had before', () =>
    expectScript(`
      load 1m
        errors_total{kind="new"} _ _ 1 1 1
        errors_total{kind="old"} _ _ 5000 5001 5003

      eval instant at 4m exact_increase(errors_total[5m])
        {kind="new"} 1
        {kind="old"} 3
    `));

  it('has nothing where a window has no sample', () =>
    expectScript(`
      load 1m
        requests_total 1 2 _ _ _ 9

      eval range from 1m to 5m step 1m exact_increase(requests_total[1m])
        {} 1 _ _ _ 7
    `));
});
