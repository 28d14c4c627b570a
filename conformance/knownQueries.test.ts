/**
 * Expressions that people have: of the seed documents, of dashboards, of rule files. Each parses,
 * and is evaluated without an error over series that were invented for it.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseRuleFile } from '@tyto/alerting';
import { QueryEngine } from '@tyto/promql';
import { parseExpr } from '@tyto/syntax';
import { describe, expect, it } from 'vitest';
import { dashboardExpressions } from './grafanaVariables.ts';
import { inventSeries } from './inventedSeries.ts';
import { sharedPath } from './shared.ts';

interface KnownQuery {
  readonly origin: string;
  readonly expr: string;
  readonly written: string;
}

const root = sharedPath('dashboards');
const shared = root === undefined ? '' : join(root, '..', '..');

function files(directory: string, pattern: RegExp): string[] {
  return readdirSync(directory)
    .map((name) => join(directory, name))
    .flatMap((path) => (statSync(path).isDirectory() ? files(path, pattern) : [path]))
    .filter((path) => pattern.test(path));
}

function ruleQueries(directory: string): KnownQuery[] {
  return files(directory, /\.ya?ml$/).flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    if (!/^groups:/m.test(text)) return [];
    const { groups } = parseRuleFile(text, path);
    const origin = relative(shared, path);
    return groups
      .flatMap((group) => group.rules)
      .map(({ expr }) => ({ origin, expr, written: expr }));
  });
}

/** Rules and panels inside of documents: YAML's `expr:`, JSON's `"expr":`, Python's samples. */
function documentQueries(path: string): KnownQuery[] {
  const text = readFileSync(path, 'utf8');
  const origin = relative(shared, path);
  const found: string[] = [];
  for (const [, quote, value] of text.matchAll(/^\s*(?:- )?expr: +(['"]?)([^|>\n].*?)\1\s*$/gm)) {
    found.push(quote === "'" ? value.replaceAll("''", "'") : value);
  }
  for (const [, indent, block] of text.matchAll(/^(\s*)expr: *[|>]-?\n((?:\1 +.*\n|\s*\n)+)/gm)) {
    expect(indent).toBeDefined();
    found.push(block);
  }
  for (const [, value] of text.matchAll(/"expr": *"((?:[^"\\]|\\.)*)"/g)) {
    found.push(JSON.parse(`"${value}"`));
  }
  const samples = /def get_sample_queries[\s\S]*?return \{([\s\S]*?)\n {8}\}/.exec(text)?.[1] ?? '';
  for (const [, value] of samples.matchAll(/"\w+": '''([\s\S]*?)'''/g)) found.push(value);
  const alerts = /알림 규칙 예시[\s\S]*?alerts = \{([\s\S]*?)\n\s*\}/.exec(text)?.[1] ?? '';
  for (const [, value] of alerts.matchAll(/"[^"]+": "([^"]+)"/g)) found.push(value);
  return found.map((expr) => ({ origin, expr, written: expr }));
}

function dashboardQueries(directory: string): { queries: KnownQuery[]; lokiCount: number } {
  const all = files(directory, /\.json$/)
    .filter((path) => !path.endsWith('INDEX.json'))
    .flatMap(dashboardExpressions);
  const queries = all
    .filter(({ isLoki }) => !isLoki)
    .map(({ file, expr, written }) => ({ origin: relative(shared, file), expr, written }));
  return { queries, lokiCount: all.length - queries.length };
}

const END_MS = 1_700_020_000_000;

/** What went wrong, or how many series there were at some time. */
async function evaluate(expr: string): Promise<number | string> {
  try {
    const engine = new QueryEngine(await inventSeries(parseExpr(expr), END_MS));
    await engine.instant(expr, END_MS);
    const { value } = await engine.range(expr, END_MS - 600_000, END_MS, 60_000);
    return value.type === 'matrix' ? value.series.length : 'a range query yields a matrix';
  } catch (error) {
    return String(error);
  }
}

describe.skipIf(root === undefined)('expressions that people have', () => {
  const dashboards = root === undefined ? undefined : dashboardQueries(root);
  const seedDashboards =
    root === undefined ? undefined : dashboardQueries(join(shared, 'fixtures', 'seed-configs'));
  const sources: Readonly<Record<string, KnownQuery[]>> =
    root === undefined
      ? {}
      : {
          'seed documents': files(join(shared, 'seeds'), /\.md$/).flatMap(documentQueries),
          'seed configurations': [
            ...ruleQueries(join(shared, 'fixtures', 'seed-configs')),
            ...(seedDashboards?.queries ?? []),
          ],
          dashboards: dashboards?.queries ?? [],
          'rule files': ruleQueries(join(root, '..', 'rules')),
        };

  for (const [source, queries] of Object.entries(sources)) {
    it(`of ${source} parse and are evaluated`, async () => {
      const wrong: string[] = [];
      let fullCount = 0;
      for (const { origin, expr, written } of queries) {
        const found = await evaluate(expr);
        if (typeof found === 'string')
          wrong.push(`${origin}: ${written}\n  as ${expr}\n  ${found}`);
        else if (found > 0) fullCount++;
      }
      const goodCount = queries.length - wrong.length;
      const what = `${goodCount} of ${queries.length} are evaluated, ${fullCount} find something`;
      process.stdout.write(`${source}: ${what}\n`);
      expect(wrong.join('\n\n')).toBe('');
      expect(queries.length).toBeGreaterThan(5);
      // An evaluation that reads nothing says little. Conditions of alerts often find nothing.
      expect(fullCount).toBeGreaterThan(queries.length / 2);
    });
  }

  it('are PromQL, but for those of Loki', () => {
    expect(dashboards?.lokiCount).toBe(4);
    expect(dashboards?.queries.length).toBeGreaterThan(2000);
  });
});
