/**
 * A rule group: its rules one after the other, every interval, at times that are multiples of the
 * interval plus an offset of the group's own, so that groups spread and restarts keep the rhythm.
 */
import { type Clock, errorMessage, type Logger, type Timer } from '@tyto/base';
import {
  APPENDED,
  type AlertSink,
  type InstantQuery,
  Labels,
  METRIC_NAME,
  type MetricStore,
  NO_SERIES,
  REPEATED,
  type VectorSample,
} from '@tyto/model';
import { AlertingRule, generatorUrl, samplesOf } from './alertingRule.ts';
import { RuleError } from './ruleError.ts';
import type { RecordingRuleConfig, RuleGroupConfig } from './ruleFile.ts';
import { restoreAlerts } from './restore.ts';

export interface GroupDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: MetricStore;
  readonly query: InstantQuery;
  readonly sink: AlertSink;
  readonly externalLabels: Labels;
  readonly externalUrl: string;
  readonly evaluationIntervalMs: number;
  readonly queryOffsetMs: number;
}

export interface RuleStatus {
  readonly rule: AlertingRule | RecordingRuleConfig;
  health: 'unknown' | 'ok' | 'err';
  lastError: string;
  evaluationMs: number;
  lastEvaluationMs: number | undefined;
  /** Series that the last evaluation wrote: those that vanish are ended with a stale marker. */
  written: Map<string, Labels>;
}

export class RuleGroup {
  readonly config: RuleGroupConfig;
  readonly intervalMs: number;
  readonly rules: readonly RuleStatus[];
  evaluationMs = 0;
  lastEvaluationMs: number | undefined;
  iterations = 0;
  iterationsMissed = 0;
  evaluations = 0;
  failures = 0;
  lastSamples = 0;
  readonly #deps: GroupDependencies;
  #timer: Timer | undefined;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();
  #restored = false;

  constructor(config: RuleGroupConfig, deps: GroupDependencies) {
    this.config = config;
    this.#deps = deps;
    this.intervalMs = config.intervalMs ?? deps.evaluationIntervalMs;
    this.rules = config.rules.map((rule) => ({
      rule: rule.kind === 'alerting' ? new AlertingRule(rule) : rule,
      health: 'unknown',
      lastError: '',
      evaluationMs: 0,
      lastEvaluationMs: undefined,
      written: new Map(),
    }));
  }

  /** Goes on where a group of the same name stood before a reload. */
  adopt(previous: RuleGroup): void {
    this.#restored = previous.#restored;
    this.lastEvaluationMs = previous.lastEvaluationMs;
    const free = [...previous.rules];
    for (const status of this.rules) {
      const index = free.findIndex((other) => isSameRule(status.rule, other.rule));
      if (index < 0) continue;
      const [before] = free.splice(index, 1);
      status.written = before.written;
      status.health = before.health;
      if (status.rule instanceof AlertingRule && before.rule instanceof AlertingRule) {
        status.rule.adopt(before.rule);
      }
    }
    this.#orphans = free.flatMap((status) => [...status.written.values()]);
  }

  /** Series of rules that a reload removed: the next evaluation ends them. */
  #orphans: Labels[] = [];

  start(): void {
    this.#schedule(this.#nextSlotMs());
  }

  /** Stops; resolves when an evaluation under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** Ends all series of a group that is gone for good. */
  async retire(): Promise<void> {
    await this.stop();
    const series = this.rules.flatMap((status) => [...status.written.values()]);
    await this.#endSeries([...series, ...this.#orphans], this.#deps.clock.nowMs());
  }

  /** Evaluates all rules once, for `timeMs`. Never rejects: a rule's failure is its own. */
  async evaluate(timeMs: number): Promise<void> {
    const { clock, sink, logger } = this.#deps;
    const startedMs = clock.monotonicMs();
    const queryMs = timeMs - (this.config.queryOffsetMs ?? this.#deps.queryOffsetMs);
    if (this.#orphans.length > 0) await this.#endSeries(this.#orphans.splice(0), queryMs);
    this.lastSamples = 0;
    for (const status of this.rules) {
      if (this.#stopped) return;
      await this.#evaluateRule(status, queryMs);
    }
    if (!this.#restored) {
      this.#restored = true;
      const rules = this.rules
        .map(({ rule }) => rule)
        .filter((rule) => rule instanceof AlertingRule);
      try {
        await restoreAlerts(rules, this.#deps.store, timeMs, this.intervalMs);
      } catch (error) {
        logger.error('cannot restore the state of alerts', { error: errorMessage(error) });
      }
    }
    for (const { rule } of this.rules) {
      if (!(rule instanceof AlertingRule)) continue;
      const url = generatorUrl(this.#deps.externalUrl, rule.config.expr);
      const due = rule.takeDue(timeMs, this.intervalMs, url);
      if (due.length > 0) sink.send(due);
    }
    this.iterations++;
    this.lastEvaluationMs = timeMs;
    this.evaluationMs = clock.monotonicMs() - startedMs;
  }

  async #evaluateRule(status: RuleStatus, timeMs: number): Promise<void> {
    const { clock, logger } = this.#deps;
    const startedMs = clock.monotonicMs();
    this.evaluations++;
    try {
      const samples = await this.#samplesOfRule(status.rule, timeMs);
      await this.#write(status, samples, timeMs);
      this.lastSamples += samples.length;
      status.health = 'ok';
      status.lastError = '';
    } catch (error) {
      this.failures++;
      status.health = 'err';
      status.lastError = errorMessage(error);
      const { rule } = status;
      logger.warn('a rule failed', {
        group: this.config.name,
        rule: rule instanceof AlertingRule ? rule.config.alert : rule.record,
        error: status.lastError,
      });
    }
    status.lastEvaluationMs = timeMs;
    status.evaluationMs = clock.monotonicMs() - startedMs;
  }

  async #samplesOfRule(rule: RuleStatus['rule'], timeMs: number): Promise<VectorSample[]> {
    if (rule instanceof AlertingRule) return rule.evaluate(timeMs, this.config.limit, this.#deps);
    const { value } = await this.#deps.query(rule.expr, timeMs);
    const seen = new Set<string>();
    const samples = samplesOf(value, timeMs).map((sample) => {
      const labels = Labels.fromEntries([
        ...sample.labels.entries(),
        ...rule.labels.entries(),
        [METRIC_NAME, rule.record],
      ]);
      if (seen.has(labels.key)) {
        throw new RuleError(
          `vector contains metrics with the same labelset after applying rule labels: ${labels}`,
        );
      }
      seen.add(labels.key);
      return { labels, timestampMs: timeMs, value: sample.value };
    });
    const { limit } = this.config;
    if (limit > 0 && samples.length > limit) {
      throw new RuleError(`exceeded limit of ${limit} with ${samples.length} series`);
    }
    return samples;
  }

  async #write(
    status: RuleStatus,
    samples: readonly VectorSample[],
    timeMs: number,
  ): Promise<void> {
    const appender = this.#deps.store.appender();
    const written = new Map<string, Labels>();
    let refused = 0;
    for (const { labels, value } of samples) {
      const ref = appender.series(labels);
      const result = ref === NO_SERIES ? undefined : appender.append(ref, timeMs, value);
      if (result !== APPENDED && result !== REPEATED) refused++;
      written.set(labels.key, labels);
    }
    for (const [key, labels] of status.written) {
      if (!written.has(key)) appender.appendStale(appender.series(labels), timeMs);
    }
    status.written = written;
    await appender.commit();
    if (refused > 0) {
      this.#deps.logger.warn('the store refused samples of a rule', {
        group: this.config.name,
        refused,
      });
    }
  }

  async #endSeries(series: readonly Labels[], timeMs: number): Promise<void> {
    const appender = this.#deps.store.appender();
    for (const labels of series) appender.appendStale(appender.series(labels), timeMs);
    await appender.commit().catch((error: unknown) => {
      this.#deps.logger.error('cannot end the series of a rule', { error: errorMessage(error) });
    });
  }

  #schedule(slotMs: number): void {
    if (this.#stopped) return;
    const { clock } = this.#deps;
    this.#timer = clock.schedule(slotMs - clock.nowMs(), () => {
      this.#running = this.evaluate(slotMs).finally(() => {
        const next = this.#nextSlotMs();
        const missed = Math.round((next - slotMs) / this.intervalMs) - 1;
        if (missed > 0) this.iterationsMissed += missed;
        this.#schedule(next);
      });
    });
  }

  /** The first time after now in the group's rhythm. */
  #nextSlotMs(): number {
    const nowMs = this.#deps.clock.nowMs();
    const offset = hashOf(`${this.config.file};${this.config.name}`) % this.intervalMs;
    return Math.floor((nowMs - offset) / this.intervalMs + 1) * this.intervalMs + offset;
  }
}

function isSameRule(a: RuleStatus['rule'], b: RuleStatus['rule']): boolean {
  if (a instanceof AlertingRule && b instanceof AlertingRule) {
    return a.config.alert === b.config.alert && a.config.labels.equals(b.config.labels);
  }
  if (a instanceof AlertingRule || b instanceof AlertingRule) return false;
  return a.record === b.record && a.labels.equals(b.labels);
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
