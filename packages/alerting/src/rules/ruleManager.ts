/** All rule groups: applied from configuration, kept going over reloads. */
import type { RuleGroupConfig } from './ruleFile.ts';
import { type GroupDependencies, RuleGroup } from './ruleGroup.ts';

export class RuleManager {
  #groups: RuleGroup[] = [];

  get groups(): readonly RuleGroup[] {
    return this.#groups;
  }

  /** Replaces all groups. Those of the same file and name keep the state of their alerts. */
  async apply(configs: readonly RuleGroupConfig[], deps: GroupDependencies): Promise<void> {
    const previous = new Map(this.#groups.map((group) => [keyOf(group.config), group]));
    const next: RuleGroup[] = [];
    for (const config of configs) {
      const group = new RuleGroup(config, deps);
      const before = previous.get(keyOf(config));
      if (before !== undefined) {
        previous.delete(keyOf(config));
        await before.stop();
        group.adopt(before);
      }
      next.push(group);
    }
    this.#groups = next;
    await Promise.all([...previous.values()].map((group) => group.retire()));
    for (const group of next) group.start();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#groups.map((group) => group.stop()));
  }
}

function keyOf(config: RuleGroupConfig): string {
  return `${config.file}\n${config.name}`;
}
