/** Rules, routes, matchers and templates against what Prometheus and Alertmanager do. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildRoute,
  expandRuleTemplate,
  matchRoutes,
  NotifyTemplates,
  parseAlertmanagerConfig,
  parseRuleFile,
} from '@tyto/alerting';
import { ManualClock, yaml } from '@tyto/base';
import { type InstantQuery, Labels } from '@tyto/model';
import { describe, expect, it } from 'vitest';
import { sharedCases, sharedPath } from './shared.ts';

const root =
  sharedPath('alertmanager') === undefined
    ? undefined
    : join(sharedPath('alertmanager') ?? '', '..');
const suite = describe.skipIf(root === undefined);
const at = (path: string) => join(root ?? '', path);

function messages(problems: readonly yaml.Problem[]): string {
  return yaml.formatProblems(problems.filter((problem) => problem.severity === 'error'));
}

suite('rule files', () => {
  const directory = at('prometheus/rulefmt_testdata');
  const names = root === undefined ? [] : readdirSync(directory);

  for (const name of names) {
    it(`${name} is ${name.includes('.bad.') ? 'refused' : 'read'}`, () => {
      const shown = messages(
        parseRuleFile(readFileSync(join(directory, name), 'utf8'), name).problems,
      );
      // Its names are bad in the legacy naming scheme alone.
      const isBad = name.includes('.bad.') && !name.startsWith('legacy_validation');
      expect(shown === '', shown).toBe(!isBad);
    });
  }

  it("of Prometheus' rule manager are read, all but one with an unknown field", () => {
    const fixtures = at('prometheus/rules_fixtures');
    const refused = readdirSync(fixtures).filter((name) => {
      const { problems } = parseRuleFile(readFileSync(join(fixtures, name), 'utf8'), name);
      return yaml.hasErrors(problems);
    });
    expect(refused).toEqual(['invalid_rules.yaml']);
  });

  it('of the extracted cases are valid or not as there', () => {
    const cases = sharedCases<{ rules_yaml: string; valid: boolean }>(
      'prometheus',
      'extracted',
      'rulefmt_template_cases.json',
    );
    for (const { rules_yaml: text, valid } of cases) {
      const shown = messages(parseRuleFile(text, 'r.yml').problems);
      expect(shown === '', `${text}\n${shown}`).toBe(valid);
    }
  });

  it('that people use are read whole', () => {
    const files = listFiles(at('rules')).filter((path) => /\.ya?ml$/.test(path));
    let rules = 0;
    for (const path of files) {
      const text = readFileSync(path, 'utf8');
      if (!/^groups:/m.test(text)) continue;
      const { groups, problems } = parseRuleFile(text, path);
      expect(messages(problems)).toBe('');
      rules += groups.reduce((sum, group) => sum + group.rules.length, 0);
    }
    process.stdout.write(`${rules} rules read\n`);
    expect(rules).toBeGreaterThan(100);
  });
});

interface TemplateCase {
  readonly text: string;
  readonly output?: string;
  readonly shouldFail?: boolean;
  readonly html?: boolean;
  readonly input?: unknown;
  readonly queryResult?: { Metric: Record<string, string>; F: number }[];
}

/** A rule's template has no input of its own: a list becomes the answer of a query. */
function withInput(given: TemplateCase): TemplateCase {
  const { text, input } = given;
  if (input === undefined) return given;
  const isList = Array.isArray(input);
  const values = (isList ? input : [input]).map((value: unknown) =>
    typeof value === 'object' && value !== null ? Number(Object.values(value)[0]) : value,
  );
  const queryResult = values.map((value) => ({ Metric: {}, F: value as number }));
  const source = isList ? 'query "input"' : '(query "input" | first).Value';
  const body = text
    .replace(/^\{\{ ?range \. ?\}\}/, `{{ range ${source} }}`)
    .replace(/(\{\{ ?(?:\w+ )?)\.(?= ?(?:\||\}))/g, isList ? '$1.Value' : `$1${source}`);
  return { ...given, text: body, queryResult };
}

suite('templates of rules', () => {
  const cases = sharedCases<TemplateCase>('prometheus', 'extracted', 'alert_template_cases.json');
  // Escaping is of console pages.
  const usable = cases.filter((c) => c.html !== true || !/["<]<b>/.test(c.text)).map(withInput);
  for (const { text, output, shouldFail, queryResult } of usable) {
    it(JSON.stringify(text), async () => {
      const query: InstantQuery = async (_, timestampMs) => ({
        value: {
          type: 'vector',
          samples: (queryResult ?? []).map(({ Metric, F }) => ({
            labels: Labels.of(Metric),
            timestampMs,
            value: F,
          })),
        },
        warnings: [],
        infos: [],
      });
      const data = {
        labels: Labels.empty,
        value: 0,
        externalLabels: Labels.empty,
        externalUrl: 'http://testhost:9090/path/prefix',
        timeMs: 1_353_755_652_000,
      };
      const expanded = expandRuleTemplate(text, data, query);
      if (shouldFail === true) await expect(expanded).rejects.toThrow();
      else expect(await expanded).toBe(output);
    });
  }
});

suite('templates of notifications', () => {
  const cases = sharedCases<{
    title: string;
    template: string;
    data: unknown;
    html: boolean | 'both' | null;
    expected: string;
    fails: boolean;
  }>('alertmanager', 'extracted', 'template_expansion.json');
  // Route labels and data of shapes that no notification has are left out.
  const usable = cases.filter((c) => c.data === null && !/routeLabels|toDate/.test(c.template));
  for (const { title, template, html, expected, fails } of usable) {
    it(title, () => {
      const templates = new NotifyTemplates([], new ManualClock(0));
      const expand = () => templates.expand(template, null, html === true);
      if (fails) expect(expand).toThrow();
      else expect(expand()).toBe(expected);
    });
  }
});

interface RouteCase {
  readonly route_yaml: string;
  readonly cases: {
    labels: Record<string, string>;
    routes: { Receiver: string; GroupByAll: boolean; GroupWait: string; RepeatInterval: string }[];
    route_keys: string[];
  }[];
}

suite('routes', () => {
  const cases = sharedCases<RouteCase>('alertmanager', 'extracted', 'route_match.json');
  cases.forEach(({ route_yaml: text, cases: alerts }, i) => {
    it(`tree ${i} sends every alert where Alertmanager sends it`, () => {
      const names = new Set(
        [...text.matchAll(/receiver: '?([^'\n]+)'?/g)].map((match) => match[1]),
      );
      const receivers = [...names].map((name) => `- name: ${name}`).join('\n');
      const indented = text.replace(/^/gm, '  ');
      const { config, problems } = parseAlertmanagerConfig(
        `route:\n${indented}\nreceivers:\n${receivers}\n`,
        'a.yml',
      );
      expect(messages(problems)).toBe('');
      if (config === undefined) throw new Error('unreachable: there are no errors');
      const tree = buildRoute(config.route);
      for (const { labels, routes, route_keys: keys } of alerts) {
        const found = matchRoutes(tree, Labels.of(labels));
        const seconds = (text: string, fallback: number) =>
          text === 'default' ? fallback : Number.parseFloat(text) * 1000;
        expect(
          found.map((route) => [
            route.key,
            route.receiver,
            route.groupByAll,
            route.groupWaitMs,
            route.repeatIntervalMs,
          ]),
        ).toEqual(
          routes.map((r, at) => [
            keys[at],
            r.Receiver,
            r.GroupByAll,
            seconds(r.GroupWait, 30_000),
            seconds(r.RepeatInterval, 4 * 3600_000),
          ]),
        );
      }
    });
  });
});

suite('alertmanager.yml', () => {
  it('of the examples is read', () => {
    for (const path of listFiles(at('alertmanager/examples')).filter((p) => /\.ya?ml$/.test(p))) {
      const text = readFileSync(path, 'utf8');
      if (!/^route:/m.test(text)) continue;
      expect(messages(parseAlertmanagerConfig(text, path).problems)).toBe('');
    }
  });
});

function listFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => listFiles(join(path, name)));
}
