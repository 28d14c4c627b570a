/** Mistakes that are no errors: `--lint` of the checks, with promtool's names. */
import type { RuleConfig, RuleGroupConfig } from '@tyto/alerting';
import { formatDuration, nearestName, TytoError } from '@tyto/base';
import type { ScrapeConfig } from '@tyto/collect';

export const RULE_LINTS = ['all', 'duplicate-rules', 'none'];
export const CONFIG_LINTS = [...RULE_LINTS, 'too-long-scrape-interval'];

/** The lints that `--lint=a,b` asks for. Throws TytoError `bad_data` for an unknown one. */
export function parseLints(text: string, known: readonly string[]): (lint: string) => boolean {
  const names = text.split(',').filter((name) => name !== '');
  for (const name of names) {
    if (known.includes(name)) continue;
    const hint = nearestName(name, known) ?? known.join(', ');
    throw new TytoError('bad_data', `--lint: unknown lint "${name}"; did you mean ${hint}?`);
  }
  if (names.includes('none')) return () => false;
  return (lint) => names.includes('all') || names.includes(lint);
}

/** Rules of one name and equal labels make the same series; each pair is told once. */
export function lintDuplicateRules(groups: readonly RuleGroupConfig[]): string[] {
  const seen = new Set<string>();
  const told = new Set<string>();
  const found: string[] = [];
  for (const rule of groups.flatMap((group) => group.rules)) {
    const key = `${nameOf(rule)}\n${rule.labels.key}`;
    if (seen.has(key) && !told.has(key)) {
      told.add(key);
      const labels = rule.labels.size === 0 ? 'without labels' : `with labels ${rule.labels}`;
      found.push(`duplicate rule: ${nameOf(rule)} ${labels} stands here more than once`);
    }
    seen.add(key);
  }
  return found;
}

/** Between two scrapes that far apart, a query finds nothing. */
export function lintScrapeIntervals(jobs: readonly ScrapeConfig[], lookbackMs: number): string[] {
  return jobs
    .filter(({ scrapeIntervalMs }) => scrapeIntervalMs >= lookbackMs)
    .map(({ jobName, scrapeIntervalMs }) => {
      const interval = formatDuration(scrapeIntervalMs);
      const limit = formatDuration(lookbackMs);
      return `job "${jobName}": scrape_interval ${interval} is not below the lookback, ${limit}`;
    });
}

function nameOf(rule: RuleConfig): string {
  return rule.kind === 'alerting' ? rule.alert : rule.record;
}
