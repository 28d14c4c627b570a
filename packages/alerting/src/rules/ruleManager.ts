/** All rule groups: applied from configuration, kept going over reloads. */
import type { Timer } from '@tyto/base';
import { type Labels, METRIC_NAME } from '@tyto/model';
import type { RuleGroupConfig } from './ruleFile.ts';
import { type GroupDependencies, RuleGroup } from './ruleGroup.ts';

export class RuleManager {
  #groups: RuleGroup[] = [];
  /** Only at the first configuration there is a state of an earlier process. */
  #isFirst = true;
  readonly #timers = new Set<Timer>();

  get groups(): readonly RuleGroup[] {
    return this.#groups;
  }

  /** Replaces all groups. Those of the same file and name keep the state of their alerts. */
  async apply(configs: readonly RuleGroupConfig[], deps: GroupDependencies): Promise<void> {
    const previous = new Map(this.#groups.map((group) => [keyOf(group.config), group]));
    const next: RuleGroup[] = [];
    for (const config of configs) {
      const group = new RuleGroup(config, deps, this.#isFirst);
      const before = previous.get(keyOf(config));
      if (before !== undefined) {
        previous.delete(keyOf(config));
        await before.stop();
        group.adopt(before);
      }
      next.push(group);
    }
    this.#isFirst = false;
    this.#groups = next;
    await Promise.all([...previous.values()].map((group) => this.#retire(group, deps)));
    for (const group of next) group.start();
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await Promise.all(this.#groups.map((group) => group.stop()));
  }

  /**
   * Ends the series of a group that is gone for good. Where a rule of that name moved to another
   * group, its series may go on: that is known once the other group had its turn.
   */
  async #retire(group: RuleGroup, deps: GroupDependencies): Promise<void> {
    await group.stop();
    const nowMs = deps.clock.nowMs();
    const names = new Set(this.#groups.flatMap((other) => other.config.rules.map(nameOf)));
    const mayGoOn = (series: Labels) => names.has(ruleNameOf(series));
    const series = group.series();
    const timeMs = nowMs - (group.config.queryOffsetMs ?? deps.queryOffsetMs);
    await group.endSeries(
      series.filter((one) => !mayGoOn(one)),
      timeMs,
    );
    const waiting = series.filter(mayGoOn);
    if (waiting.length === 0) return;
    const longestMs = Math.max(group.intervalMs, ...this.#groups.map((other) => other.intervalMs));
    const timer = deps.clock.schedule(2 * longestMs, () => {
      this.#timers.delete(timer);
      const ended = waiting.filter((one) => !this.#groups.some((other) => other.writes(one)));
      void group.endSeries(ended, timeMs);
    });
    this.#timers.add(timer);
  }
}

function keyOf(config: RuleGroupConfig): string {
  return `${config.file}\n${config.name}`;
}

function nameOf(rule: RuleGroupConfig['rules'][number]): string {
  return rule.kind === 'alerting' ? rule.alert : rule.record;
}

/** The name of the rule that wrote a series. */
function ruleNameOf(series: Labels): string {
  const name = series.get(METRIC_NAME);
  return name === 'ALERTS' || name === 'ALERTS_FOR_STATE' ? series.get('alertname') : name;
}
