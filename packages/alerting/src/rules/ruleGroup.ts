/**
 * A rule group: its rules one after the other, every interval, at times that are multiples of the
 * interval plus an offset of the group's own, so that groups spread and restarts keep the rhythm.
 */
import { type Clock, errorMessage, type Logger, must, type Timer } from '@tyto/base';
import {
  APPENDED,
  type AlertSink,
  type AppendResult,
  type InstantQuery,
  Labels,
  METRIC_NAME,
  type MetricStore,
  NO_SERIES,
  REPEATED,
  SERIES_LIMIT,
  type VectorSample,
} from '@tyto/model';
import { AlertingRule, type EvaluationTimes, generatorUrl, samplesOf } from './alertingRule.ts';
import { RuleError } from './ruleError.ts';
import type { RecordingRuleConfig, RuleGroupConfig } from './ruleFile.ts';
import { restoreAlerts, type RestoreLimits } from './restore.ts';

export interface GroupDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly store: MetricStore;
  readonly query: InstantQuery;
  /** The same for groups of LogQL, over the logs of a tenant. */
  readonly logQuery?: ((tenant: string) => InstantQuery) | undefined;
  readonly sink: AlertSink;
  readonly externalLabels: Labels;
  readonly externalUrl: string;
  readonly evaluationIntervalMs: number;
  readonly queryOffsetMs: number;
  /** How long after it was sent a firing alert is sent again. */
  readonly resendDelayMs: number;
  readonly restore: RestoreLimits;
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

/**
 * State is looked up for what the first round finds, and once more for what only the second one
 * does: right after a start there may be too little data.
 */
const RESTORE_ROUNDS = 2;

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
  /** What the last look for the state of an earlier run took. */
  restoreMs = 0;
  readonly #deps: GroupDependencies;
  #timer: Timer | undefined;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();
  #restoresLeft: number;
  /** Series of rules that a reload removed: the next evaluation ends them. */
  #orphans: Labels[] = [];

  /** `restores`: whether a run before this process may have left the state of alerts behind. */
  constructor(config: RuleGroupConfig, deps: GroupDependencies, restores = true) {
    this.config = config;
    const { logs } = config;
    const logQuery = logs === undefined ? undefined : must(deps.logQuery, 'logs can be queried');
    this.#deps = logs && logQuery ? { ...deps, query: logQuery(logs.tenant) } : deps;
    this.#restoresLeft = restores ? RESTORE_ROUNDS : 0;
    this.intervalMs = config.intervalMs || deps.evaluationIntervalMs;
    this.rules = config.rules.map((rule) => ({
      rule: rule.kind === 'alerting' ? new AlertingRule(rule) : rule,
      health: 'unknown',
      lastError: '',
      evaluationMs: 0,
      lastEvaluationMs: undefined,
      written: new Map(),
    }));
    if (!restores) this.#markRestored();
  }

  /** Goes on where a group of the same name stood before a reload. */
  adopt(previous: RuleGroup): void {
    this.#restoresLeft = previous.#restoresLeft;
    this.lastEvaluationMs = previous.lastEvaluationMs;
    this.evaluationMs = previous.evaluationMs;
    this.iterations = previous.iterations;
    this.iterationsMissed = previous.iterationsMissed;
    this.evaluations = previous.evaluations;
    this.failures = previous.failures;
    this.lastSamples = previous.lastSamples;
    this.restoreMs = previous.restoreMs;
    const free = [...previous.rules];
    for (const status of this.rules) {
      const index = free.findIndex((other) => isSameRule(status.rule, other.rule));
      if (index < 0) {
        if (status.rule instanceof AlertingRule) status.rule.isRestored = previous.iterations > 0;
        continue;
      }
      const [before] = free.splice(index, 1);
      status.written = before.written;
      status.health = before.health;
      status.lastError = before.lastError;
      status.evaluationMs = before.evaluationMs;
      status.lastEvaluationMs = before.lastEvaluationMs;
      if (status.rule instanceof AlertingRule && before.rule instanceof AlertingRule) {
        status.rule.adopt(before.rule);
      }
    }
    const gone = free.flatMap((status) => [...status.written.values()]);
    this.#orphans = [...previous.#orphans, ...gone];
  }

  start(): void {
    this.#schedule(this.#nextSlotMs());
  }

  /** Stops; resolves when an evaluation under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** The series that the newest evaluation wrote, or that are still to be ended. */
  series(): Labels[] {
    return [...this.rules.flatMap((status) => [...status.written.values()]), ...this.#orphans];
  }

  /** Whether a rule of this group writes to the series now. */
  writes(series: Labels): boolean {
    return this.rules.some((status) => status.written.has(series.key));
  }

  /** Evaluates all rules once, for `timeMs`. Never rejects: a rule's failure is its own. */
  async evaluate(timeMs: number): Promise<void> {
    const { clock } = this.#deps;
    const startedMs = clock.monotonicMs();
    const offsetMs = this.config.queryOffsetMs ?? this.#deps.queryOffsetMs;
    const times = { timeMs, queryMs: timeMs - offsetMs };
    this.lastSamples = 0;
    for (const status of this.rules) {
      if (this.#stopped) return;
      await this.#evaluateRule(status, times);
    }
    if (this.#orphans.length > 0) {
      // What another rule writes now goes on.
      const ended = this.#orphans.splice(0).filter((series) => !this.writes(series));
      await this.endSeries(ended, times.queryMs);
    }
    if (this.#restoresLeft > 0) await this.#restore(times);
    this.#sendDue(timeMs);
    this.iterations++;
    this.lastEvaluationMs = timeMs;
    this.evaluationMs = clock.monotonicMs() - startedMs;
  }

  #sendDue(timeMs: number): void {
    const { externalUrl, resendDelayMs, sink } = this.#deps;
    for (const { rule } of this.rules) {
      if (!(rule instanceof AlertingRule)) continue;
      const url = generatorUrl(externalUrl, rule.config.expr);
      const due = rule.takeDue(timeMs, this.intervalMs, resendDelayMs, url);
      if (due.length > 0) sink.send(due);
    }
  }

  async #restore(times: EvaluationTimes): Promise<void> {
    const { clock, store, logger, restore } = this.#deps;
    const startedMs = clock.monotonicMs();
    this.#restoresLeft--;
    const all = { ...times, intervalMs: this.intervalMs };
    for (const status of this.rules) {
      const { rule } = status;
      if (!(rule instanceof AlertingRule)) continue;
      try {
        await restoreAlerts(rule, store, all, restore, this.#deps);
        // What was held back until now.
        if (!rule.isRestored) await this.#write(status, rule.samples(times.queryMs), times.queryMs);
      } catch (error) {
        const context = { alert: rule.config.alert, error: errorMessage(error) };
        logger.error('cannot restore the state of an alert', context);
      }
    }
    this.#markRestored();
    this.restoreMs = clock.monotonicMs() - startedMs;
  }

  #markRestored(): void {
    for (const { rule } of this.rules) if (rule instanceof AlertingRule) rule.isRestored = true;
  }

  async #evaluateRule(status: RuleStatus, times: EvaluationTimes): Promise<void> {
    const { clock, logger } = this.#deps;
    const startedMs = clock.monotonicMs();
    this.evaluations++;
    try {
      const samples = await this.#samplesOfRule(status.rule, times);
      const refused = await this.#write(status, samples, times.queryMs);
      this.lastSamples += samples.length;
      status.health = refused > 0 ? 'err' : 'ok';
      status.lastError = refused > 0 ? refusal(refused) : '';
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
    status.lastEvaluationMs = times.timeMs;
    status.evaluationMs = clock.monotonicMs() - startedMs;
  }

  async #samplesOfRule(rule: RuleStatus['rule'], times: EvaluationTimes): Promise<VectorSample[]> {
    if (rule instanceof AlertingRule) return rule.evaluate(times, this.config.limit, this.#deps);
    const { queryMs } = times;
    const { value } = await this.#deps.query(rule.expr, queryMs);
    const seen = new Set<string>();
    const samples = samplesOf(value, queryMs).map((sample) => {
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
      return { ...sample, labels, timestampMs: queryMs };
    });
    const { limit } = this.config;
    if (limit > 0 && samples.length > limit) {
      throw new RuleError(`exceeded limit of ${limit} with ${samples.length} series`);
    }
    return samples;
  }

  /** Resolves to the number of samples that the store refused. */
  async #write(
    status: RuleStatus,
    samples: readonly VectorSample[],
    timeMs: number,
  ): Promise<number> {
    const appender = this.#deps.store.appender();
    const written = new Map<string, Labels>();
    let refused = 0;
    for (const { labels, value, histogram } of samples) {
      const ref = appender.series(labels);
      let result: AppendResult = SERIES_LIMIT;
      if (ref !== NO_SERIES) {
        result =
          histogram === undefined
            ? appender.append(ref, timeMs, value)
            : appender.appendHistogram(ref, timeMs, histogram);
      }
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
    return refused;
  }

  /** Ends series at a time; those that have newer samples already go on. */
  async endSeries(series: readonly Labels[], timeMs: number): Promise<void> {
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
    return evaluationTimeMs(this.config, this.intervalMs, this.#deps.clock.nowMs() + 1);
  }
}

/** The first time from `fromMs` on at which a group is evaluated. */
export function evaluationTimeMs(
  { file, name }: Pick<RuleGroupConfig, 'file' | 'name'>,
  intervalMs: number,
  fromMs: number,
): number {
  const offset = hashOf(`${file};${name}`) % intervalMs;
  return Math.ceil((fromMs - offset) / intervalMs) * intervalMs + offset;
}

function refusal(count: number): string {
  const what = 'the series may have newer samples, or another rule writes it too';
  return `the store refused ${count} samples: ${what}`;
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
