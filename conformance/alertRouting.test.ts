/** Matchers, time intervals and the routing part of alertmanager.yml, as Alertmanager has them. */
import { readFileSync } from 'node:fs';
import {
  type MatcherMode,
  matcherText,
  parseAlertmanagerConfig,
  parseMatcher,
  parseMatchers,
} from '@tyto/alerting';
import { TytoError, yaml } from '@tyto/base';
import { createMatcher, type Matcher, type MatchType } from '@tyto/model';
import { describe, expect, it } from 'vitest';
import { sharedCases, sharedPath } from './shared.ts';

const suite = describe.skipIf(sharedPath('alertmanager') === undefined);
const cases = <T>(name: string) => sharedCases<T>('alertmanager', 'extracted', `${name}.json`);

function errors(text: string, mode?: MatcherMode): string {
  const { problems } = parseAlertmanagerConfig(text, 'a.yml', mode);
  return yaml.formatProblems(problems.filter(({ severity }) => severity === 'error'));
}

interface MatcherCase {
  readonly input: string;
  readonly valid: boolean;
  readonly error: string | null;
  /** A null value is one that the extraction could not read. */
  readonly matchers: { name: string; op: string; value: string | null }[];
}

suite('matchers', () => {
  const read: [string, (text: string) => Matcher[]][] = [
    ['matchers_classic_list', (text) => parseMatchers(text, 'classic')],
    ['matchers_compliance', (text) => parseMatchers(text, 'fallback')],
    ['matchers_fallback_list', (text) => parseMatchers(text, 'fallback')],
    ['matchers_fallback_single', (text) => [parseMatcher(text, 'fallback')]],
    ['matchers_utf8_list', (text) => parseMatchers(text, 'utf8')],
    ['matchers_utf8_single', (text) => parseMatchers(text, 'utf8')],
  ];
  for (const [file, parse] of read) {
    for (const { input, valid, error, matchers } of cases<MatcherCase>(file)) {
      it(`${file}: ${input}`, () => {
        if (!valid) {
          expect(() => parse(input)).toThrow(TytoError);
          if (error !== null) expect(() => parse(input)).toThrow(error);
          return;
        }
        const found = parse(input).map(({ name, type, value }) => ({ name, op: type, value }));
        const wanted = matchers.map((matcher, i) =>
          matcher.value === null ? { ...matcher, value: found[i].value } : matcher,
        );
        expect(found).toEqual(wanted);
      });
    }
  }

  it('are written as there', () => {
    const given = cases<{ name: string; op: MatchType; value: string; string: string }>(
      'matcher_string',
    );
    expect(given.length).toBeGreaterThan(0);
    for (const { name, op, value, string } of given) {
      expect(matcherText(createMatcher(op, name, value))).toBe(string);
    }
  });
});

suite('label names', () => {
  it('of group_by are valid or not as there', () => {
    for (const { input, expected } of cases<{ input: string; expected: boolean }>(
      'label_name_validity',
    )) {
      const name = JSON.stringify(input);
      const shown = errors(`receivers: [{name: a}]\nroute: {receiver: a, group_by: [${name}]}`);
      expect(shown === '', shown).toBe(expected);
    }
  });
});

/** A configuration with these intervals, as a YAML list. */
function withIntervals(list: string): string {
  const indented = list.replace(/^\s*---\n/, '').replace(/^/gm, '    ');
  const start = 'receivers: [{name: a}]\nroute: {receiver: a}\n';
  return `${start}time_intervals:\n- name: t\n  time_intervals:\n${indented}\n`;
}

suite('time intervals', () => {
  it('with these times of the day are valid or not', () => {
    const given = cases<{ yaml: string; valid: boolean }>('time_interval_time_ranges');
    expect(given.length).toBeGreaterThan(0);
    for (const { yaml: text, valid } of given) {
      const shown = errors(withIntervals(`- times: [${text}]`));
      expect(shown === '', `${text}: ${shown}`).toBe(valid);
    }
  });

  for (const { yaml: text, valid, error } of cases<{
    yaml: string;
    valid: boolean;
    error: string | null;
  }>('time_intervals')) {
    it(`${text.trim()} is ${valid ? 'read' : 'refused'}`, () => {
      const shown = errors(withIntervals(text.trim()));
      expect(shown === '', shown).toBe(valid);
      if (error !== null) expect(shown).toContain(error);
    });
  }
});

suite('alertmanager.yml', () => {
  for (const { test, yaml: text, error } of cases<{
    test: string;
    yaml?: string;
    error: string | null;
  }>('config_cases')) {
    // The other cases are files, which are about receivers.
    if (text === undefined) continue;
    it(`${test}: ${error ?? 'is read'}`, () => {
      const shown = errors(text);
      if (error === null) expect(shown).toBe('');
      else expect(shown).toContain(error);
    });
  }

  const file = (name: string) =>
    readFileSync(sharedPath('alertmanager', 'config_testdata', name) ?? '', 'utf8');

  it('with empty patterns is refused, and says which', () => {
    const places = { 'match_re-route': 'label', 'source_match_re-inhibition': 'source_label' };
    for (const [name, label] of Object.entries(places)) {
      expect(errors(file(`conf.nil-${name}.yml`))).toContain(
        `invalid regexp value for "invalid_${label}"`,
      );
    }
    expect(errors(file('conf.nil-target_match_re-inhibition.yml'))).toContain(
      'invalid_target_label',
    );
  });

  it('may group by everything, and then by nothing else', () => {
    expect(errors(file('conf.group-by-all.yml'))).toBe('');
    const both = file('conf.group-by-all.yml').replace("['...']", "['...', a]");
    expect(errors(both)).toContain('cannot have wildcard group_by');
  });
});
