import { describe, expect, it } from 'vitest';
import { unescapeLabelName } from './labelNames.ts';

describe('unescapeLabelName', () => {
  const cases = [
    ['job', 'job'],
    ['U__http_2e_status_code', 'http.status_code'],
    ['U__http_2e_status__code', 'http.status_code'],
    ['U__a_2f_b', 'a/b'],
    ['U___d55c__ae00_', '한글'],
    ['U___1F600_', '😀'],
    ['U__a__b', 'a_b'],
    // What is no escaped name is taken as it is.
    ['U__a_110000_b', 'U__a_110000_b'],
    ['U__a_d800_b', 'U__a_d800_b'],
  ] as const;
  for (const [text, name] of cases) {
    it(`takes ${text} for ${name}`, () => expect(unescapeLabelName(text)).toBe(name));
  }
});
