/** Helpers of this package's tests; not exported. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { yaml } from '@tyto/base';
import { createMatcher, type MetricStore, SampleColumns } from '@tyto/model';
import { DEFAULT_GLOBAL, globalScrapeSchema } from './config/globalConfig.ts';
import {
  finishScrapeConfigs,
  type ScrapeConfig,
  type ScrapeSection,
  scrapeConfigSchema,
} from './config/scrapeConfig.ts';

/**
 * A directory of conformance data: below TYTO_SHARED, or below a directory `shared` beside one of
 * the ancestors of this file; undefined, after saying so, where there is none.
 */
export function sharedPath(name: string): string | undefined {
  const roots = process.env.TYTO_SHARED === undefined ? [] : [process.env.TYTO_SHARED];
  for (let at = dirname(fileURLToPath(import.meta.url)); at !== dirname(at); at = dirname(at)) {
    roots.push(join(at, 'shared'));
  }
  const found = roots.map((root) => join(root, name)).find((path) => existsSync(path));
  if (found === undefined) {
    process.stderr.write(`SKIPPED: no shared data "${name}" found; set TYTO_SHARED\n`);
  }
  return found;
}

/** The jobs of a configuration text; throws when it is refused. */
export function jobsOf(text: string): ScrapeConfig[] {
  const schema = yaml.object(
    {
      global: yaml.optional(globalScrapeSchema, DEFAULT_GLOBAL),
      scrape_configs: yaml.optional(yaml.list(scrapeConfigSchema), (): ScrapeSection[] => []),
    },
    { name: 'configuration' },
  );
  const { value, problems } = yaml.decodeYaml(text, 'test.yml', schema);
  const finished = finishScrapeConfigs(
    value?.scrape_configs ?? [],
    value?.global ?? DEFAULT_GLOBAL,
  );
  const all = [...problems, ...finished.problems];
  if (yaml.hasErrors(all)) throw new Error(yaml.formatProblems(all));
  return finished.jobs;
}

/** All samples of a store, as `series value@ms`, `stale` for a stale marker; sorted by series. */
export async function dumpStore(store: MetricStore, metric = '.+'): Promise<string[]> {
  const selection = await store.select({
    matchers: [createMatcher('=~', '__name__', metric)],
    minTimeMs: -Infinity,
    maxTimeMs: Infinity,
  });
  const lines: string[] = [];
  for (let i = 0; i < selection.size; i++) {
    const columns = new SampleColumns();
    selection.readInto(i, columns);
    const samples: string[] = [];
    for (let j = 0; j < columns.length; j++) {
      const value = columns.isStale(j) ? 'stale' : String(columns.values[j]);
      samples.push(`${value}@${columns.timestamps[j]}`);
    }
    lines.push(`${selection.labels(i)} ${samples.join(' ')}`);
  }
  return lines.sort();
}

/** Waits for a condition in real time. */
export async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + 10_000;
  while (!(await check())) {
    if (Date.now() > endMs) throw new Error('it did not become true within ten seconds');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
