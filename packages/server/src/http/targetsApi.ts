/** Prometheus' HTTP API under /api/v1: targets, their pools and relabelling, and metadata. */
import type { ActiveTarget as ActiveTargetJson, RelabelStep } from '@tyto/api';
import { errorMessage, formatDuration, TytoError } from '@tyto/base';
import {
  type ActiveTarget,
  type OtlpReceiver,
  relabel,
  type RelabelConfig,
  type ScrapeConfig,
  type ScrapeManager,
  type WriteReceiver,
} from '@tyto/collect';
import { Labels, matchesAll } from '@tyto/model';
import { parseSelector } from '@tyto/syntax';
import type { FastifyInstance } from 'fastify';
import { sendData } from './envelope.ts';
import { isoTime } from './isoTime.ts';
import { named, type Params, paramsOf } from './params.ts';
import { jobYaml } from './scrapePoolYaml.ts';

export interface TargetsApiOptions {
  readonly scrapes: ScrapeManager;
  readonly receiver: WriteReceiver;
  readonly otlp: OtlpReceiver;
  /** The texts of the files that scrape configs are in. */
  scrapeTexts(): readonly string[];
}

export function registerTargetsApi(app: FastifyInstance, options: TargetsApiOptions): void {
  const { scrapes } = options;
  const get = (path: string, answer: (params: Params) => unknown) =>
    app.get(`/api/v1/${path}`, async (request, reply) =>
      sendData(reply, answer(paramsOf(request))),
    );
  get('targets', (params) => targetsData(scrapes, params));
  get('targets/metadata', (params) => targetsMetadata(scrapes, params));
  get('targets/relabel_steps', (params) => ({ steps: relabelSteps(scrapes, params) }));
  get('scrape_pools', () => ({ scrapePools: scrapePools(scrapes) }));
  get('scrape_pools/config', (params) => {
    return { yaml: jobYaml(jobOf(scrapes, params), options.scrapeTexts()) };
  });
  get('metadata', (params) => metadata(options, params));
}

function scrapePools(scrapes: ScrapeManager): string[] {
  return [...new Set(scrapes.jobs().map(({ jobName }) => jobName))].sort(byText);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The job that the parameter `scrapePool` names. */
function jobOf(scrapes: ScrapeManager, params: Params): ScrapeConfig {
  const name = required(params, 'scrapePool');
  const job = scrapes.jobs().find(({ jobName }) => jobName === name);
  if (job !== undefined) return job;
  const reason = `scrape pool ${JSON.stringify(name)} not found`;
  throw new TytoError('bad_data', `error retrieving scrape config: ${reason}`);
}

function required(params: Params, name: string): string {
  const text = params.text(name);
  if (text === '') throw new TytoError('bad_data', `no ${name} parameter provided`);
  return text;
}

function targetsData(scrapes: ScrapeManager, params: Params) {
  const { active, dropped, droppedCounts } = scrapes.targets();
  const state = params.text('state').toLowerCase();
  const pool = params.text('scrapePool');
  const ofPool = <T extends { readonly scrapePool: string }>(targets: readonly T[]) =>
    targets
      .filter(({ scrapePool }) => pool === '' || scrapePool === pool)
      .sort((a, b) => byText(a.scrapePool, b.scrapePool));
  const showActive = state === '' || state === 'any' || state === 'active';
  const showDropped = state === '' || state === 'any' || state === 'dropped';
  return {
    activeTargets: showActive ? ofPool(active).map(targetJson) : [],
    droppedTargets: showDropped
      ? ofPool(dropped).map(({ discoveredLabels, scrapePool }) => ({
          discoveredLabels: discoveredLabels.toRecord(),
          scrapePool,
        }))
      : [],
    droppedTargetCounts: droppedCounts,
  };
}

function targetJson(target: ActiveTarget): ActiveTargetJson {
  return {
    discoveredLabels: target.discoveredLabels.toRecord(),
    labels: target.labels.toRecord(),
    scrapePool: target.scrapePool,
    scrapeUrl: target.scrapeUrl,
    globalUrl: target.globalUrl,
    lastError: target.lastError,
    lastScrape: isoTime(target.lastScrapeMs),
    lastScrapeDuration: target.lastScrapeDurationMs / 1000,
    health: target.health,
    scrapeInterval: formatDuration(target.scrapeIntervalMs),
    scrapeTimeout: formatDuration(target.scrapeTimeoutMs),
  };
}

/** What is left of a target's labels after the first rule, after the first two, and so on. */
function relabelSteps(scrapes: ScrapeManager, params: Params): RelabelStep[] {
  required(params, 'scrapePool');
  const labels = parseLabels(required(params, 'labels'));
  let output: Labels | undefined = labels;
  return jobOf(scrapes, params).relabelConfigs.map((rule) => {
    output = output === undefined ? undefined : relabel(output, [rule]);
    return {
      rule: relabelRuleJson(rule),
      output: output?.toRecord() ?? {},
      keep: output !== undefined,
    };
  });
}

/** Each rule reads them all; a target's are far shorter. */
const LABELS_LENGTH_MAX = 256 * 1024;

function parseLabels(text: string): Labels {
  const bad = (reason: string) => new TytoError('bad_data', `error parsing labels: ${reason}`);
  if (text.length > LABELS_LENGTH_MAX) throw bad(`longer than ${LABELS_LENGTH_MAX} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(errorMessage(error));
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw bad('labels must be a JSON object of texts');
  }
  const entries = Object.entries(value);
  const wrong = entries.find(([, label]) => typeof label !== 'string');
  if (wrong !== undefined) throw bad(`the value of ${JSON.stringify(wrong[0])} is no text`);
  return Labels.fromEntries(entries);
}

/** As the rule is written in YAML; what is empty is left out. */
function relabelRuleJson(rule: RelabelConfig): RelabelStep['rule'] {
  const { action, sourceLabels, separator, regex, modulus, targetLabel, replacement } = rule;
  return {
    ...(sourceLabels.length > 0 ? { source_labels: sourceLabels } : {}),
    ...(separator === '' ? {} : { separator }),
    regex: regex.source,
    ...(modulus > 0 ? { modulus } : {}),
    ...(targetLabel.source === '' ? {} : { target_label: targetLabel.source }),
    ...(replacement.source === '' ? {} : { replacement: replacement.source }),
    action,
  };
}

function metadata({ scrapes, receiver, otlp }: TargetsApiOptions, params: Params) {
  const limit = params.count('limit') ?? Infinity;
  const perMetric = params.count('limit_per_metric') || Infinity;
  const wanted = params.text('metric');
  const found = new Map<string, Map<string, { type: string; help: string; unit: string }>>();
  const sources = [
    ...scrapes.metadata().map((target) => target.metadata),
    receiver.metadata,
    otlp.metadata,
  ];
  for (const source of sources) {
    for (const [metric, { type, help, unit }] of source) {
      if (wanted !== '' && metric !== wanted) continue;
      if (!found.has(metric) && found.size >= limit) continue;
      const entries = found.get(metric) ?? new Map();
      found.set(metric, entries);
      if (entries.size < perMetric) {
        entries.set(`${type}\n${help}\n${unit}`, { type, help, unit });
      }
    }
  }
  return Object.fromEntries([...found].map(([metric, entries]) => [metric, [...entries.values()]]));
}

function targetsMetadata(scrapes: ScrapeManager, params: Params): unknown[] {
  const limit = params.count('limit') ?? Infinity;
  const metric = params.text('metric');
  const text = params.text('match_target');
  const matchers = text === '' ? [] : [...named('match_target', () => parseSelector(text))];
  const found: unknown[] = [];
  let targets = 0;
  for (const target of scrapes.metadata()) {
    if (!matchesAll(matchers, target.labels)) continue;
    const entries = [...target.metadata].filter(([name]) => metric === '' || name === metric);
    if (entries.length === 0) continue;
    if (++targets > limit) break;
    for (const [name, entry] of entries) {
      found.push({
        target: target.labels.toRecord(),
        ...(metric === '' ? { metric: name } : {}),
        ...entry,
      });
    }
  }
  return found;
}
