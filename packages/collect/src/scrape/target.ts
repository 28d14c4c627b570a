/** From discovered labels to a target: job defaults, relabelling, the address to ask. */
import { createHash } from 'node:crypto';
import { formatDuration, parseDuration } from '@tyto/base';
import { Labels } from '@tyto/model';
import type { TargetGroup } from '../config/discoveryConfig.ts';
import type { ScrapeConfig } from '../config/scrapeConfig.ts';
import { ADDRESS_LABEL } from '../discovery/discoverer.ts';
import { type LabelMap, relabelMap } from '../relabel/relabel.ts';

const PARAMETER_PREFIX = '__param_';

export interface Target {
  /** Equal for targets that are asked in the same way and labelled alike. */
  readonly key: string;
  /** As discovered, before relabelling. */
  readonly discoveredLabels: Labels;
  /** What its series carry: no name begins with `__`. */
  readonly labels: Labels;
  /** What its scraped series get instead of `labels`, where they have their own. */
  readonly sampleLabels?: Labels;
  /** The URL that is asked, or what stands for it where the target is in this process. */
  readonly url: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

export type TargetResult =
  | { readonly kind: 'target'; readonly target: Target }
  | { readonly kind: 'dropped'; readonly discoveredLabels: Labels }
  | { readonly kind: 'invalid'; readonly discoveredLabels: Labels; readonly reason: string };

/** All targets of a group; one result each, in order. */
export function targetsOfGroup(group: TargetGroup, config: ScrapeConfig): TargetResult[] {
  return group.targets.map((own) => createTarget({ ...group.labels, ...own }, config));
}

function createTarget(
  discovered: Readonly<Record<string, string>>,
  config: ScrapeConfig,
): TargetResult {
  const map: LabelMap = new Map();
  for (const [name, value] of Object.entries(discovered)) if (value !== '') map.set(name, value);
  const defaults: [string, string][] = [
    ['job', config.jobName],
    ['__scrape_interval__', formatDuration(config.scrapeIntervalMs)],
    ['__scrape_timeout__', formatDuration(config.scrapeTimeoutMs)],
    ['__metrics_path__', config.metricsPath],
    ['__scheme__', config.scheme],
  ];
  for (const [name, values] of Object.entries(config.params)) {
    if (values.length > 0) defaults.push([PARAMETER_PREFIX + name, values[0]]);
  }
  for (const [name, value] of defaults) if (!map.has(name) && value !== '') map.set(name, value);
  const discoveredLabels = Labels.fromEntries(map);
  if (!relabelMap(map, config.relabelConfigs)) return { kind: 'dropped', discoveredLabels };
  const reason = complain(map);
  if (reason !== undefined) return { kind: 'invalid', discoveredLabels, reason };
  return { kind: 'target', target: finishTarget(map, discoveredLabels, config) };
}

/** What makes it impossible to ask the target, in Prometheus' words. */
function complain(map: LabelMap): string | undefined {
  const address = map.get(ADDRESS_LABEL);
  if (address === undefined) return 'no address';
  if (address.includes('/')) return `"${address}" is not a valid hostname`;
  const interval = parseDuration(map.get('__scrape_interval__') ?? '');
  if (interval === undefined) return 'error parsing scrape interval: not a valid duration';
  if (interval === 0) return 'scrape interval cannot be 0';
  const timeout = parseDuration(map.get('__scrape_timeout__') ?? '');
  if (timeout === undefined) return 'error parsing scrape timeout: not a valid duration';
  if (timeout === 0) return 'scrape timeout cannot be 0';
  if (timeout > interval) {
    const both = `("${timeout}ms" > "${interval}ms")`;
    return `scrape timeout cannot be greater than scrape interval ${both}`;
  }
  return URL.canParse(`http://${address}`) ? undefined : `"${address}" is not a valid hostname`;
}

function finishTarget(map: LabelMap, discoveredLabels: Labels, config: ScrapeConfig): Target {
  const address = map.get(ADDRESS_LABEL) ?? '';
  if (!map.has('instance')) map.set('instance', address);
  const labels = Labels.fromEntries([...map].filter(([name]) => !name.startsWith('__')));
  const url = targetUrl(map, address, config);
  const intervalMs = parseDuration(map.get('__scrape_interval__') ?? '') ?? config.scrapeIntervalMs;
  const timeoutMs = parseDuration(map.get('__scrape_timeout__') ?? '') ?? config.scrapeTimeoutMs;
  const key = `${labels.key}\n${url}\n${intervalMs}\n${timeoutMs}`;
  return { key, discoveredLabels, labels, url, intervalMs, timeoutMs };
}

function targetUrl(map: LabelMap, address: string, config: ScrapeConfig): string {
  const parameters = new Map(Object.entries(config.params).map(([name, v]) => [name, [...v]]));
  for (const [name, value] of map) {
    if (!name.startsWith(PARAMETER_PREFIX)) continue;
    const parameter = name.slice(PARAMETER_PREFIX.length);
    const values = parameters.get(parameter) ?? [];
    values[0] = value;
    parameters.set(parameter, values);
  }
  const query = new URLSearchParams();
  for (const name of [...parameters.keys()].sort()) {
    for (const value of parameters.get(name) ?? []) query.append(name, value);
  }
  const scheme = map.get('__scheme__') ?? config.scheme;
  const path = map.get('__metrics_path__') ?? '/';
  const search = query.size > 0 ? `${path.includes('?') ? '&' : '?'}${query}` : '';
  return `${scheme}://${address}${path.startsWith('/') ? '' : '/'}${path}${search}`;
}

/**
 * Milliseconds from `nowMs` to the target's next turn. Turns are at fixed points of time that only
 * the target and `seed` decide, so that targets are spread and a restart keeps the rhythm.
 */
export function startOffsetMs(target: Target, seed: string, nowMs: number): number {
  const digest = createHash('md5').update(seed).update(target.key).digest();
  const offset = digest.readUIntBE(0, 6) % target.intervalMs;
  const sinceBase = nowMs % target.intervalMs;
  return (((offset - sinceBase) % target.intervalMs) + target.intervalMs) % target.intervalMs;
}
