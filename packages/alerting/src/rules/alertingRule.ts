/**
 * An alerting rule's state machine: inactive, pending while `for` runs, firing, and firing on for
 * `keep_firing_for`. Resolved alerts are kept for a while, so that their end is told.
 */
import { errorMessage, type Logger } from '@tyto/base';
import { type Alert, type InstantQuery, Labels, METRIC_NAME, type VectorSample } from '@tyto/model';
import { expandRuleTemplate, graphPath } from './ruleTemplate.ts';
import { type AlertingRuleConfig, KEEP_FIRING_EXPR } from './ruleFile.ts';
import { RuleError } from './ruleError.ts';

export interface ActiveAlert {
  readonly labels: Labels;
  annotations: Labels;
  value: number;
  state: 'pending' | 'firing' | 'inactive';
  activeAtMs: number;
  firedAtMs: number | undefined;
  resolvedAtMs: number | undefined;
  keepFiringSinceMs: number | undefined;
  lastSentMs: number | undefined;
}

export interface RuleContext {
  readonly query: InstantQuery;
  readonly externalLabels: Labels;
  readonly externalUrl: string;
  readonly logger: Logger;
}

/** When a rule is evaluated, and the earlier time for which it asks where there is an offset. */
export interface EvaluationTimes {
  readonly timeMs: number;
  readonly queryMs: number;
}

/** How long a resolved alert is remembered and its end told again. */
const RESOLVED_RETENTION_MS = 15 * 60_000;

export class AlertingRule {
  readonly config: AlertingRuleConfig;
  readonly #active = new Map<string, ActiveAlert>();
  /**
   * Before the state of an earlier run was looked up, nothing is written to the series that it is
   * looked up in.
   */
  isRestored = false;

  /** Those that alerts have. */
  readonly #annotations: Labels;

  constructor(config: AlertingRuleConfig) {
    this.config = config;
    this.#annotations = config.annotations.without(new Set([KEEP_FIRING_EXPR]));
  }

  get state(): 'inactive' | 'pending' | 'firing' {
    const states = this.alerts().map((alert) => alert.state);
    if (states.includes('firing')) return 'firing';
    return states.includes('pending') ? 'pending' : 'inactive';
  }

  /** Pending and firing alerts. */
  alerts(): ActiveAlert[] {
    return [...this.#active.values()].filter((alert) => alert.state !== 'inactive');
  }

  /** Takes over the alerts of the same rule before a reload. */
  adopt(previous: AlertingRule): void {
    this.isRestored = previous.isRestored;
    for (const [key, alert] of previous.#active) this.#active.set(key, alert);
  }

  /**
   * Evaluates the rule. Returns the ALERTS and ALERTS_FOR_STATE samples. Rejects with what the
   * query rejects with, leaving the alerts as they were; with RuleError past the limit.
   */
  async evaluate(
    times: EvaluationTimes,
    limit: number,
    context: RuleContext,
  ): Promise<VectorSample[]> {
    const { timeMs } = times;
    const found = await this.#findAlerts(this.config.expr, times, context);
    await this.#keepFiring(found, times, context);
    for (const [key, alert] of found) {
      const known = this.#active.get(key);
      if (known !== undefined && known.state !== 'inactive') {
        known.value = alert.value;
        known.annotations = alert.annotations;
      } else {
        this.#active.set(key, alert);
      }
    }
    for (const [key, alert] of this.#active) this.#advance(key, alert, found.has(key), timeMs);
    const { length } = this.alerts();
    if (limit > 0 && length > limit) {
      this.#active.clear();
      throw new RuleError(`exceeded limit of ${limit} with ${length} alerts`);
    }
    return this.isRestored ? this.samples(times.queryMs) : [];
  }

  /**
   * Brings back an alert that was firing before a restart and whose condition is over: it fires on
   * for the rest of `keep_firing_for`. Its value is not known any more.
   */
  async restoreKept(
    labels: Labels,
    activeAtMs: number,
    seenMs: number,
    timeMs: number,
    context: RuleContext,
  ): Promise<void> {
    if (this.#active.has(labels.key)) return;
    const sample = { labels, timestampMs: timeMs, value: Number.NaN };
    this.#active.set(labels.key, {
      ...newAlert(labels, activeAtMs, sample),
      annotations: await this.#expandAll(this.#annotations, sample, timeMs, context),
      state: 'firing',
      firedAtMs: activeAtMs + this.config.forMs,
      keepFiringSinceMs: seenMs,
    });
  }

  /**
   * Brings back alerts that were firing before a restart, by the keys of their labels with their
   * starts, where hysteresis keeps them.
   */
  async restoreHeld(
    starts: ReadonlyMap<string, number>,
    times: EvaluationTimes,
    context: RuleContext,
  ): Promise<void> {
    const found = await this.#findAlerts(this.config.keepFiringExpr, times, context);
    for (const [key, alert] of found) {
      const activeAtMs = starts.get(key);
      if (activeAtMs === undefined || this.#active.has(key)) continue;
      const firedAtMs = activeAtMs + this.config.forMs;
      this.#active.set(key, { ...alert, activeAtMs, state: 'firing', firedAtMs });
    }
  }

  /** The samples of ALERTS and ALERTS_FOR_STATE as the alerts are now. */
  samples(timestampMs: number): VectorSample[] {
    const samples: VectorSample[] = [];
    for (const alert of this.alerts()) {
      const named = (name: string, more: [string, string][]) =>
        Labels.fromEntries([...alert.labels.entries(), [METRIC_NAME, name], ...more]);
      samples.push(
        { labels: named('ALERTS', [['alertstate', alert.state]]), timestampMs, value: 1 },
        {
          labels: named('ALERTS_FOR_STATE', []),
          timestampMs,
          value: Math.floor(alert.activeAtMs / 1000),
        },
      );
    }
    return samples;
  }

  /** The alerts that are due to be sent, which count as sent then. */
  takeDue(
    timeMs: number,
    intervalMs: number,
    resendDelayMs: number,
    generatorUrl: string,
  ): Alert[] {
    const due: Alert[] = [];
    // Receivers call an alert over that they hear nothing of: two rounds may fail before they do.
    const validForMs = 4 * Math.max(intervalMs, resendDelayMs);
    for (const alert of this.#active.values()) {
      if (alert.state === 'pending' || !isDue(alert, timeMs, resendDelayMs)) continue;
      alert.lastSentMs = timeMs;
      due.push({
        labels: alert.labels,
        annotations: alert.annotations,
        startsAtMs: alert.firedAtMs ?? alert.activeAtMs,
        endsAtMs: alert.resolvedAtMs ?? timeMs + validForMs,
        generatorUrl,
        // What it fired on once more after a restart, by keep_firing_for alone, is not known.
        ...(Number.isNaN(alert.value) ? {} : { value: alert.value }),
      });
    }
    return due;
  }

  /** Adds what fires already and is not over by the rule's own word for that: hysteresis. */
  async #keepFiring(
    found: Map<string, ActiveAlert>,
    times: EvaluationTimes,
    context: RuleContext,
  ): Promise<void> {
    const { keepFiringExpr } = this.config;
    const isFiring = (key: string) => this.#active.get(key)?.state === 'firing';
    if (keepFiringExpr === '' || ![...this.#active.keys()].some(isFiring)) return;
    for (const [key, alert] of await this.#findAlerts(keepFiringExpr, times, context)) {
      if (isFiring(key) && !found.has(key)) found.set(key, alert);
    }
  }

  async #findAlerts(
    expr: string,
    { timeMs, queryMs }: EvaluationTimes,
    context: RuleContext,
  ): Promise<Map<string, ActiveAlert>> {
    const { value } = await context.query(expr, queryMs);
    const found = new Map<string, ActiveAlert>();
    for (const sample of samplesOf(value, timeMs)) {
      const labels = await this.#alertLabels(sample, timeMs, context);
      if (found.has(labels.key)) {
        throw new RuleError(
          `vector contains metrics with the same labelset after applying alert labels: ${labels}`,
        );
      }
      found.set(labels.key, {
        ...newAlert(labels, timeMs, sample),
        annotations: await this.#expandAll(this.#annotations, sample, timeMs, context),
      });
    }
    return found;
  }

  async #alertLabels(sample: VectorSample, timeMs: number, context: RuleContext): Promise<Labels> {
    const own = await this.#expandAll(this.config.labels, sample, timeMs, context);
    return Labels.fromEntries([
      ...sample.labels.withoutMetricName().entries(),
      ...own.entries(),
      ['alertname', this.config.alert],
    ]);
  }

  async #expandAll(
    templates: Labels,
    sample: VectorSample,
    timeMs: number,
    context: RuleContext,
  ): Promise<Labels> {
    const data = {
      labels: sample.labels,
      value: sample.value,
      histogram: sample.histogram,
      externalLabels: context.externalLabels,
      externalUrl: context.externalUrl,
      timeMs,
    };
    const entries: [string, string][] = [];
    for (const [name, template] of templates.entries()) {
      entries.push([name, await this.#expand(template, data, context)]);
    }
    return Labels.fromEntries(entries);
  }

  /** A template that fails must not cost the alert: its error becomes the text. */
  async #expand(
    template: string,
    data: Parameters<typeof expandRuleTemplate>[1],
    context: RuleContext,
  ): Promise<string> {
    try {
      return await expandRuleTemplate(template, data, context.query);
    } catch (error) {
      const message = errorMessage(error);
      context.logger.warn('a template of an alerting rule failed', {
        alert: this.config.alert,
        error: message,
      });
      return `<error expanding template: ${message}>`;
    }
  }

  #advance(key: string, alert: ActiveAlert, isFound: boolean, timeMs: number): void {
    if (isFound) {
      alert.keepFiringSinceMs = undefined;
      if (alert.state === 'pending' && timeMs - alert.activeAtMs >= this.config.forMs) {
        alert.state = 'firing';
        alert.firedAtMs = timeMs;
      }
      return;
    }
    if (alert.state === 'firing' && this.config.keepFiringForMs > 0) {
      alert.keepFiringSinceMs ??= timeMs;
      if (timeMs - alert.keepFiringSinceMs < this.config.keepFiringForMs) return;
    }
    if (alert.state === 'pending') this.#active.delete(key);
    else if (alert.state === 'firing') {
      alert.state = 'inactive';
      alert.resolvedAtMs = timeMs;
    } else if (timeMs - (alert.resolvedAtMs ?? 0) > RESOLVED_RETENTION_MS) {
      this.#active.delete(key);
    }
  }
}

/** The link that leads from an alert to its expression. */
export function generatorUrl(externalUrl: string, expr: string): string {
  return externalUrl.replace(/\/$/, '') + graphPath(expr, 1);
}

/** A vector's samples; a scalar counts as one sample without labels. */
export function samplesOf(
  value: Awaited<ReturnType<InstantQuery>>['value'],
  timestampMs: number,
): readonly VectorSample[] {
  if (value.type === 'vector') return value.samples;
  if (value.type === 'scalar') return [{ labels: Labels.empty, timestampMs, value: value.value }];
  throw new RuleError('rule result is not a vector or scalar');
}

function newAlert(labels: Labels, activeAtMs: number, sample: VectorSample): ActiveAlert {
  return {
    labels,
    annotations: Labels.empty,
    // A histogram has no number of its own.
    value: sample.histogram === undefined ? sample.value : 0,
    state: 'pending',
    activeAtMs,
    firedAtMs: undefined,
    resolvedAtMs: undefined,
    keepFiringSinceMs: undefined,
    lastSentMs: undefined,
  };
}

function isDue(alert: ActiveAlert, timeMs: number, resendDelayMs: number): boolean {
  if (alert.lastSentMs === undefined) return true;
  if (alert.resolvedAtMs !== undefined && alert.resolvedAtMs > alert.lastSentMs) return true;
  return timeMs - alert.lastSentMs >= resendDelayMs;
}
