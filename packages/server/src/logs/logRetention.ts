/**
 * Deletes logs that are past their retention, hour by hour. For each stream one rule holds: the one
 * of the highest priority that matches it, or the general one.
 */
import type { StateStore } from '@tyto/alerting';
import { type Clock, errorMessage, type Logger, type Timer } from '@tyto/base';
import { createMatcher, type Labels, type LogStore, type Matcher, matchesAll } from '@tyto/model';
import type { LogsConfig } from '../config/logsConfig.ts';

export interface LogRetentionOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: StateStore;
  readonly store: LogStore;
  config(): LogsConfig;
}

interface Rule {
  readonly matchers: readonly Matcher[];
  /** 0 for ever. */
  readonly retentionMs: number;
}

const PREFIX = 'logs/tenants/';
/** Beyond these nobody's retention is looked after. */
const TENANTS_MAX = 10_000;
const INTERVAL_MS = 3_600_000;
/** After a start there is more to do than this. */
const FIRST_MS = 60_000;
const NS_PER_MS = 1_000_000n;

export class LogRetention {
  readonly #options: LogRetentionOptions;
  readonly #tenants = new Set<string>();
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: LogRetentionOptions) {
    this.#options = options;
    for (const [, tenant] of options.state.entries(PREFIX)) this.#tenants.add(String(tenant));
  }

  /** Remembers whose logs there are: a store is asked tenant by tenant. */
  saw(tenant: string): void {
    if (this.#tenants.has(tenant) || this.#tenants.size >= TENANTS_MAX) return;
    this.#tenants.add(tenant);
    const { state, logger } = this.#options;
    state.put(PREFIX + encodeURIComponent(tenant), tenant).catch((error: unknown) => {
      this.#tenants.delete(tenant);
      logger.error('a tenant could not be noted', { tenant, error: errorMessage(error) });
    });
  }

  start(delayMs = FIRST_MS): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.schedule(delayMs, () => {
      void this.run().finally(() => this.start(INTERVAL_MS));
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Deletes what is past its time now. */
  async run(): Promise<void> {
    const { logger } = this.#options;
    for (const tenant of this.#tenants) {
      try {
        const entries = await this.#clean(tenant);
        if (entries > 0) logger.info('logs past their retention were deleted', { tenant, entries });
      } catch (error) {
        logger.error('logs could not be deleted', { tenant, error: errorMessage(error) });
      }
    }
  }

  async #clean(tenant: string): Promise<number> {
    const { store, clock } = this.#options;
    const rules = rulesOf(this.#options.config());
    const spans = rules.map(({ retentionMs }) => retentionMs).filter((ms) => ms > 0);
    if (spans.length === 0) return 0;
    const before = (ms: number) => BigInt(Math.floor(clock.nowMs() - ms)) * NS_PER_MS;
    const all = { tenant, startNs: 0n, matcherSets: [] };
    const streams = await store.streams({ ...all, endNs: before(Math.min(...spans)) });
    const ruleOf = new Map(streams.map((labels) => [labels, ruleFor(labels, rules)]));
    let entries = 0;
    for (const rule of rules) {
      if (rule.retentionMs === 0) continue;
      const endNs = before(rule.retentionMs);
      for (const matchers of selections(rule, ruleOf)) {
        entries += await store.delete({ tenant, matchers, filters: [], startNs: 0n, endNs });
      }
    }
    return entries;
  }
}

function rulesOf({ streamRetention, retentionMs }: LogsConfig): Rule[] {
  const sorted = [...streamRetention].sort((a, b) => b.priority - a.priority);
  return [...sorted, { matchers: [], retentionMs }];
}

function ruleFor(labels: Labels, rules: readonly Rule[]): Rule | undefined {
  return rules.find(({ matchers }) => matchesAll(matchers, labels));
}

/** Matchers of the streams of a rule: its own, unless they find streams that others keep. */
function selections(
  rule: Rule,
  ruleOf: ReadonlyMap<Labels, Rule | undefined>,
): (readonly Matcher[])[] {
  const matched = [...ruleOf].filter(([labels]) => matchesAll(rule.matchers, labels));
  const own = matched.filter(([, decider]) => decider === rule).map(([labels]) => labels);
  if (own.length === 0) return [];
  if (own.length === matched.length) return [rule.matchers];
  const names = new Set([...ruleOf.keys()].flatMap((labels) => Object.keys(labels.toRecord())));
  // What a stream has not is empty: another that has more is not meant.
  return own.map((labels) => [...names].map((name) => createMatcher('=', name, labels.get(name))));
}
