/**
 * Which rules are looked at by tests: an alerting rule by a test of its alert or by an expression
 * over its ALERTS, a recording rule by an expression over its series.
 */
import type { RuleConfig, RuleGroupConfig } from '@tyto/alerting';
import { TytoError } from '@tyto/base';
import { type Matcher, METRIC_NAME } from '@tyto/model';
import { parseExpr, walkExpr } from '@tyto/syntax';
import type { TestGroup } from './testFile.ts';

interface CoveredRule {
  readonly title: string;
  readonly isAlert: boolean;
  isCovered: boolean;
}

export class RuleCoverage {
  readonly #rules = new Map<string, CoveredRule>();

  /** Counts the rules of a test file, and those that its tests look at. */
  add(groups: readonly RuleGroupConfig[], tests: readonly TestGroup[]): void {
    const alerts = new Set(tests.flatMap((test) => test.alertTests.map((one) => one.alertname)));
    const selectors = tests.flatMap((test) =>
      test.exprTests.flatMap(({ expr }) => selectorsOf(expr)),
    );
    for (const group of groups) {
      for (const rule of group.rules) {
        const isAlert = rule.kind === 'alerting';
        const name = isAlert ? rule.alert : rule.record;
        const key = [group.file, group.name, rule.kind, name, rule.labels.key, rule.expr].join(
          '\n',
        );
        const title = `${group.file}: ${group.name}: ${name}`;
        const known = this.#rules.get(key) ?? { title, isAlert, isCovered: false };
        known.isCovered ||=
          (isAlert && alerts.has(name)) || selectors.some((matchers) => covers(matchers, rule));
        this.#rules.set(key, known);
      }
    }
  }

  /** A line of sums, and one for each rule that no test looks at. Without rules all are tested. */
  report(): { lines: string[]; percent: number } {
    const all = [...this.#rules.values()];
    const sum = (rules: readonly CoveredRule[]) =>
      `${rules.filter(({ isCovered }) => isCovered).length} of ${rules.length}`;
    const covered = all.filter(({ isCovered }) => isCovered).length;
    const percent = all.length === 0 ? 100 : (100 * covered) / all.length;
    const lines = [
      `Tested are ${percent.toFixed(1)} % of the rules: ` +
        `${sum(all.filter(({ isAlert }) => isAlert))} alerting rules, ` +
        `${sum(all.filter(({ isAlert }) => !isAlert))} recording rules.`,
      ...all.filter(({ isCovered }) => !isCovered).map(({ title }) => `  not tested: ${title}`),
    ];
    return { lines, percent };
  }
}

function selectorsOf(text: string): (readonly Matcher[])[] {
  const found: (readonly Matcher[])[] = [];
  try {
    walkExpr(parseExpr(text), (expr) => {
      if (expr.kind === 'vector') found.push(expr.matchers);
    });
  } catch (error) {
    // The test itself tells what is wrong with the expression.
    if (!(error instanceof TytoError)) throw error;
  }
  return found;
}

/** Whether a selector can only mean series of this rule and of others that are named alike. */
function covers(matchers: readonly Matcher[], rule: RuleConfig): boolean {
  const names = matchers.filter(({ name }) => name === METRIC_NAME);
  if (names.length === 0) return false;
  const reads = (metric: string) => names.every((matcher) => matcher.matches(metric));
  if (rule.kind === 'recording') return reads(rule.record) && fits(matchers, rule);
  if (!reads('ALERTS') && !reads('ALERTS_FOR_STATE')) return false;
  const alertnames = matchers.filter(({ name }) => name === 'alertname');
  if (alertnames.length === 0) return false;
  return alertnames.every((matcher) => matcher.matches(rule.alert)) && fits(matchers, rule);
}

function fits(matchers: readonly Matcher[], { labels }: RuleConfig): boolean {
  return matchers.every(
    (matcher) =>
      matcher.name === METRIC_NAME ||
      matcher.name === 'alertname' ||
      !labels.has(matcher.name) ||
      matcher.matches(labels.get(matcher.name)),
  );
}
