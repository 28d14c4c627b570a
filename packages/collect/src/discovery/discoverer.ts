/** The port of target discoveries, and the one that needs to look nowhere: static targets. */
import type { StaticConfig, TargetGroup } from '../config/discoveryConfig.ts';

export const ADDRESS_LABEL = '__address__';

/** Receives what changed: each group replaces the one of the same source; empty ones are gone. */
export type PublishGroups = (groups: readonly TargetGroup[]) => void;

export interface Discoverer {
  /** Begins; the first call of `publish` says that the first look is over. Called once. */
  start(publish: PublishGroups): void;
  /** No further call of `publish`. */
  stop(): void;
}

export class StaticDiscoverer implements Discoverer {
  readonly #configs: readonly StaticConfig[];

  constructor(configs: readonly StaticConfig[]) {
    this.#configs = configs;
  }

  start(publish: PublishGroups): void {
    publish(this.#configs.map((config, index) => toGroup(config, String(index))));
  }

  stop(): void {}
}

/** A group as `static_configs` and discovery files write it. */
export function toGroup(
  config: StaticConfig,
  source: string,
  labels: Readonly<Record<string, string>> = {},
): TargetGroup {
  const targets = config.targets.map((address) => ({ [ADDRESS_LABEL]: address }));
  return { source, targets, labels: { ...config.labels, ...labels } };
}
