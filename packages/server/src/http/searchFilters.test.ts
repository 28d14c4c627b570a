import { describe, expect, it } from 'vitest';
import { jaroWinkler, searchFilter, subsequenceScore } from './searchFilters.ts';

describe('subsequenceScore', () => {
  // By hand, from the formula of Prometheus' search API.
  const cases: [pattern: string, name: string, score: number][] = [
    ['abc', '', 0],
    ['my awesome text', 'my awesome text', 1],
    ['my', 'my awesome text', 107 / 120],
    ['tex', 'my awesome text', 247 / 270],
    ['met', 'my awesome text', 43 / 90],
    ['bac', 'babac', 43 / 45],
    ['abcd', 'abc', 0],
    ['xyz', 'abc', 0],
    ['éà', 'éàü', 23 / 24],
    ['oa', 'goat', 29 / 32],
    ['abaa', 'abbaa', 39 / 80],
    ['pro', 'prometheus', 173 / 180],
  ];
  for (const [pattern, name, score] of cases) {
    it(`gives "${pattern}" in "${name}" ${score.toFixed(3)}`, () => {
      expect(subsequenceScore(pattern, name)).toBeCloseTo(score, 9);
    });
  }
});

describe('jaroWinkler', () => {
  // The classic examples of Winkler's paper, and letters outside ASCII.
  const cases: [a: string, b: string, score: number][] = [
    ['martha', 'marhta', 0.961],
    ['dwayne', 'duane', 0.84],
    ['dixon', 'dicksonx', 0.813],
    ['abc', 'xyz', 0],
    ['', 'abc', 0],
    ['same', 'same', 1],
    ['café', 'cafe', 0.883],
  ];
  for (const [a, b, score] of cases) {
    it(`gives "${a}" and "${b}" ${score}`, () => {
      expect(jaroWinkler(a, b)).toBeCloseTo(score, 3);
      expect(jaroWinkler(b, a)).toBeCloseTo(score, 3);
    });
  }
});

describe('searchFilter', () => {
  const text = { searches: ['http'], threshold: 0, isCaseSensitive: true } as const;

  it('takes what has the letters in their order, best where the name begins with them', () => {
    const fit = searchFilter({ ...text, algorithm: 'subsequence' });
    expect(fit('http_requests_total')).toBe(1);
    expect(fit('a_http')).toBeGreaterThan(0.9);
    expect(fit('h_t_t_p')).toBeGreaterThan(0);
    expect(fit('ptth')).toBeUndefined();
    expect(fit('HTTP')).toBeUndefined();
    expect(searchFilter({ ...text, algorithm: 'subsequence', threshold: 0.9 })('h_t_t_p')).toBe(
      undefined,
    );
  });

  it('takes what contains the text or, with a threshold, is similar', () => {
    const fit = searchFilter({ ...text, algorithm: 'jarowinkler' });
    expect(fit('http_requests')).toBe(1);
    expect(fit('my_http')).toBe(0.9);
    expect(fit('htpt')).toBeUndefined();
    const similar = searchFilter({ ...text, algorithm: 'jarowinkler', threshold: 0.9 });
    expect(similar('htpt')).toBeGreaterThan(0.9);
  });

  it('takes what any of the texts fits, without regard to case if so asked', () => {
    const searches = ['HTTP', 'Go_'];
    const fit = searchFilter({
      ...text,
      searches,
      isCaseSensitive: false,
      algorithm: 'subsequence',
    });
    expect(fit('http')).toBe(1);
    expect(fit('GO_threads')).toBe(1);
    expect(fit('up')).toBeUndefined();
    expect(searchFilter({ ...text, searches: [], algorithm: 'subsequence' })('x')).toBe(1);
  });
});
