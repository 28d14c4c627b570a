import { describe, expect, it } from 'vitest';
import { yaml } from '@tyto/base';

const job = yaml.object(
  {
    job_name: yaml.required(yaml.string),
    scrape_interval: yaml.optional(yaml.duration, 60_000),
    scheme: yaml.optional(yaml.oneOf(['http', 'https']), 'http' as const),
    params: yaml.optional(
      yaml.record(yaml.list(yaml.string)),
      (): Record<string, string[]> => ({}),
    ),
  },
  { name: 'scrape config' },
);

function complaints(text: string): string {
  return yaml.formatProblems(yaml.decodeYaml(text, 'p.yml', job).problems);
}

describe('decodeYaml', () => {
  it('decodes fields and fills in what is absent', () => {
    const { value, problems } = yaml.decodeYaml('job_name: 5\nparams: {a: [x]}', 'p.yml', job);
    expect(problems).toEqual([]);
    expect(value).toMatchObject({ job_name: '5', scrape_interval: 60_000, scheme: 'http' });
    expect(value?.params.a).toEqual(['x']);
  });

  it('names file, line, column and the fix', () => {
    expect(complaints('job_name: a\nscrape_intervall: 5s')).toBe(
      'p.yml:2:1: scrape config: unknown field "scrape_intervall"; did you mean "scrape_interval"?',
    );
    expect(complaints('job_name: a\nscrape_interval: 5x')).toContain('p.yml:2:18: not a valid dur');
    expect(complaints('job_name: a\nscheme: htp')).toContain('did you mean "http"?');
    expect(complaints('scheme: http')).toContain('the field "job_name" is missing');
    expect(complaints('job_name: [')).toMatch(/^p\.yml:1:\d+: YAML: /);
    expect(complaints('job_name: a\njob_name: b')).toContain('p.yml:2:1: YAML: Map keys must be');
    expect(complaints('- a')).toContain('expected "name: value" lines, found a list');
    expect(complaints('')).toContain('the field "job_name" is missing');
  });

  it('follows aliases and merges, and bounds them', () => {
    const text = 'job_name: a\nparams:\n  one: &x [y]\n  two: *x';
    expect(yaml.decodeYaml(text, 'p.yml', job).value?.params.two).toEqual(['y']);
    const bomb = `job_name: a\nparams:\n  a0: &a0 [x]\n${Array.from({ length: 5000 }, (_, i) => `  b${i}: *a0\n`).join('')}`;
    expect(complaints(bomb)).toContain('more than 500 aliases');
  });

  it('brings in what a merge key says, under what the mapping says itself', () => {
    const list = yaml.list(job);
    const text = '- &base {job_name: a, scheme: https}\n- <<: *base\n  job_name: b\n';
    const { value, problems } = yaml.decodeYaml(text, 'p.yml', list);
    expect(problems).toEqual([]);
    expect(value?.[1]).toMatchObject({ job_name: 'b', scheme: 'https' });
    const wrong = yaml.decodeYaml('- {<<: [1], job_name: b}', 'p.yml', list);
    expect(yaml.formatProblems(wrong.problems)).toContain('behind "<<"');
  });

  it('keeps keys such as __proto__ harmless', () => {
    const { value } = yaml.decodeYaml('job_name: a\nparams: {__proto__: [x]}', 'p.yml', job);
    expect(Object.keys(value?.params ?? {})).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['0']).toBeUndefined();
  });
});
