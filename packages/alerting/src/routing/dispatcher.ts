/**
 * The dispatcher: alerts in, grouped by the routing tree, notifications out. It is the sink of the
 * rule groups, and of alerts that others send to the API.
 */
import { type Clock, errorMessage, type Logger, type Timer, TytoError } from '@tyto/base';
import type { AlertSink, Labels } from '@tyto/model';
import type { AlertEvents, NotifyAdvisor } from '../events.ts';
import type { Integration, NotificationLinks } from '../notify/notification.ts';
import type { NotifyTemplates } from '../notify/notifyTemplate.ts';
import { buildIntegrations } from '../notify/receiverConfig.ts';
import type { StateStore } from '../stateStore.ts';
import { AlertGroup, groupId, groupKey } from './alertGroup.ts';
import { AlertStore, type PostedAlert, type StoredAlert } from './alertStore.ts';
import { ClockJumps } from './clockJumps.ts';
import type { AlertmanagerConfig } from './config.ts';
import { deliver, type NotifyObserver } from './delivery.ts';
import { FiringAlerts } from './firingAlerts.ts';
import { Inhibition } from './inhibition.ts';
import { GROUPS_MAX } from './limits.ts';
import { NotificationLog, type NotifyReason } from './notificationLog.ts';
import { NotifyTurns } from './notifyTurns.ts';
import { renderRouteLabels } from './routeLabels.ts';
import { buildRoute, groupLabels, matchRoutes, type Route } from './route.ts';
import { DEFAULT_SILENCE_LIMITS, type SilenceLimits, Silences } from './silences.ts';
import { forEachInSlices, LoopTurns, otherTurns } from './slices.ts';
import { StateKeeper } from './stateKeeper.ts';
import { TimeIntervals } from './timeInterval.ts';
import { DeliveriesUnderWay } from './underWay.ts';

export interface DispatcherOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: StateStore;
  readonly externalUrl: string;
  readonly observer: NotifyObserver;
  /** Those who keep the history. */
  readonly events?: AlertEvents | undefined;
  readonly advisor?: NotifyAdvisor | undefined;
  readonly silenceLimits?: SilenceLimits;
  /** Variables of the process: proxies and keys that receivers take from them. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** What keeps an alert quiet, besides the time intervals of its routes. */
export interface AlertStatus {
  readonly state: 'active' | 'suppressed' | 'unprocessed';
  readonly silencedBy: readonly string[];
  readonly inhibitedBy: readonly string[];
}

/** What somebody is told directly; see `Dispatcher.tell`. */
export interface DirectNotification {
  readonly groupKey: string;
  readonly groupLabels: Labels;
  readonly reason: NotifyReason;
  readonly links: NotificationLinks | undefined;
}

/** How often it is looked for ends of alerts and for a clock that was set. */
const WATCH_INTERVAL_MS = 1000;
/** How often what could not be written is tried again. */
const RETRY_INTERVAL_MS = 10_000;
/** How often what is over is forgotten. */
const COLLECT_INTERVAL_MS = 60_000;
/** An alert that is over is shown and kept for so long. */
const RESOLVED_RETENTION_MS = 5 * 60_000;
/** What is under way may still arrive, so that nobody is told twice. */
const RELOAD_GRACE_MS = 10_000;
const STOP_GRACE_MS = 2000;
/** Alerts that are taken at once; then other work has its turn. */
const SLICE = 500;
/** All tries to tell a receiver directly. */
const TELL_MS_MAX = 5 * 60_000;

export class Dispatcher implements AlertSink {
  readonly alerts: AlertStore;
  readonly silences: Silences;
  readonly #options: DispatcherOptions;
  readonly #keeper: StateKeeper;
  readonly #log: NotificationLog;
  readonly #firing: FiringAlerts;
  readonly #inhibition: Inhibition;
  readonly #jumps: ClockJumps;
  readonly #turns = new NotifyTurns();
  readonly #flushes = new LoopTurns();
  readonly #underWay: DeliveriesUnderWay;
  readonly #stopped = new AbortController();
  #config: AlertmanagerConfig | undefined;
  #route: Route | undefined;
  #templates: NotifyTemplates | undefined;
  #intervals = new TimeIntervals([]);
  #integrations = new Map<string, Integration[]>();
  #groups = new Map<string, AlertGroup>();
  /** Groups of an earlier configuration that are still telling, by receiver and key. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #timers = new Map<number, Timer>();
  #received = 0;
  #receivedResolved = 0;
  #invalid = 0;
  #groupsRefused = 0;

  constructor(options: DispatcherOptions) {
    const { clock, state, events, silenceLimits = DEFAULT_SILENCE_LIMITS } = options;
    this.#options = options;
    this.#keeper = new StateKeeper(clock, state);
    this.alerts = new AlertStore(clock, this.#keeper);
    this.silences = new Silences(clock, this.#keeper, silenceLimits);
    this.#log = new NotificationLog(clock, this.#keeper, silenceLimits.retentionMs);
    this.#underWay = new DeliveriesUnderWay(clock, this.#keeper);
    this.#firing = new FiringAlerts(this.alerts, events);
    this.#inhibition = new Inhibition(this.alerts);
    this.#jumps = new ClockJumps(clock);
    this.#every(WATCH_INTERVAL_MS, async () => this.#firing.expire(this.#nowMs()));
    this.#every(RETRY_INTERVAL_MS, () => this.#keeper.retry());
    this.#every(COLLECT_INTERVAL_MS, () => this.#collect());
  }

  get config(): AlertmanagerConfig | undefined {
    return this.#config;
  }

  /** Alerts that came, and how many of them were over or were refused. */
  get counts(): { readonly received: number; readonly resolved: number; readonly invalid: number } {
    const invalid = this.#invalid + this.alerts.rejected;
    return { received: this.#received, resolved: this.#receivedResolved, invalid };
  }

  /** Alerts that came and were none. */
  countInvalid(count: number): void {
    this.#invalid += count;
  }

  /** Alerts that nobody was told of because there were too many groups. */
  get groupsRefused(): number {
    return this.#groupsRefused;
  }

  /** Writes to the state store that failed, and values that are owed to it. */
  get stateStats(): { readonly failures: number; readonly owed: number } {
    return { failures: this.#keeper.failures, owed: this.#keeper.owedCount };
  }

  get logSize(): number {
    return this.#log.size;
  }

  groups(): AlertGroup[] {
    return [...this.#groups.values()];
  }

  receivers(): string[] {
    return this.#config?.receivers.map((receiver) => receiver.name) ?? [];
  }

  /** Applies a configuration. Groups are formed anew; the notification log keeps them quiet. */
  async apply(config: AlertmanagerConfig, templates: NotifyTemplates): Promise<void> {
    const { logger, environment = {} } = this.#options;
    const previous = this.groups();
    const isStart = this.#config === undefined;
    this.#groups = new Map();
    this.#config = config;
    this.#templates = templates;
    this.#route = buildRoute(config.route);
    this.#intervals = new TimeIntervals(config.timeIntervals);
    this.#integrations = new Map(
      config.receivers.map((receiver) => [
        receiver.name,
        buildIntegrations(receiver, config.global, templates, logger, environment),
      ]),
    );
    this.#inhibition.apply(config.inhibitRules);
    this.#tellCutOff();
    for (const group of previous) this.#leave(group);
    await forEachInSlices([...this.alerts.all()], (alert) => {
      if (this.#config === config) {
        this.#group(this.alerts.get(alert.fingerprint) ?? alert, isStart);
      }
    });
  }

  send(alerts: readonly PostedAlert[]): void {
    const { logger } = this.#options;
    this.accept(alerts).then(
      (refused) => {
        for (const error of refused.slice(0, REFUSALS_LOGGED_MAX)) {
          logger.error('an alert is not told', { error: error.message });
        }
      },
      (error: unknown) => {
        const message = 'alerts are told, but a restart would forget them';
        logger.error(message, { error: errorMessage(error) });
      },
    );
  }

  /**
   * Takes alerts; they are on their way at once. Resolves, with the reasons for those that were
   * refused, when the others would survive the death of the process; rejects with TytoError `io`
   * where they could not be written.
   */
  async accept(alerts: readonly PostedAlert[]): Promise<readonly TytoError[]> {
    const nowMs = this.#nowMs();
    this.#received += alerts.length;
    for (const { endsAtMs } of alerts) if (endsAtMs <= nowMs) this.#receivedResolved++;
    const refused: TytoError[] = [];
    const failed: unknown[] = [];
    const saves: Promise<void>[] = [];
    for (let i = 0; i < alerts.length; i += SLICE) {
      if (i > 0) await otherTurns();
      for (const alert of alerts.slice(i, i + SLICE)) {
        const error = this.#take(alert);
        if (error !== undefined) refused.push(error);
      }
      saves.push(this.alerts.save().catch((error: unknown) => void failed.push(error)));
    }
    await Promise.all(saves);
    if (failed.length > 0) throw failed[0];
    return refused;
  }

  status(alert: StoredAlert): AlertStatus {
    const silencedBy = this.silences.silencing(alert.labels);
    const inhibitedBy = this.#inhibition.inhibitors(alert.labels);
    const muted = silencedBy.length > 0 || inhibitedBy.length > 0;
    return { state: muted ? 'suppressed' : 'active', silencedBy, inhibitedBy };
  }

  /** How many alerts are in which state, with their labels of the metric. */
  async countByState(): Promise<(readonly [{ state: string }, number])[]> {
    const counts = { active: 0, suppressed: 0, unprocessed: 0 };
    await forEachInSlices([...this.alerts.all()], (alert) => {
      if (!this.alerts.isResolved(alert)) counts[this.status(alert).state]++;
    });
    return Object.entries(counts).map(([state, count]) => [{ state }, count] as const);
  }

  /** What the `labels` of a group's route say of it. */
  async routeLabelsOf(group: AlertGroup): Promise<Record<string, string>> {
    const { externalUrl, clock } = this.#options;
    if (this.#templates === undefined) return {};
    return renderRouteLabels(group, this.#templates, externalUrl, clock.nowMs());
  }

  /** The receivers that an alert goes to. */
  receiversOf(alert: StoredAlert): string[] {
    if (this.#route === undefined) return [];
    return [...new Set(matchRoutes(this.#route, alert.labels).map((route) => route.receiver))];
  }

  /**
   * Tells a receiver of alerts, whatever the routes say: with retries and events as a group does.
   * Resolves with whether one of its integrations got it.
   */
  async tell(
    receiver: string,
    alerts: readonly StoredAlert[],
    { groupKey: key, groupLabels: labels, reason, links }: DirectNotification,
  ): Promise<boolean> {
    const integrations = this.#integrations.get(receiver) ?? [];
    const firing = alerts.filter((alert) => !this.alerts.isResolved(alert));
    const resolved = alerts.filter((alert) => this.alerts.isResolved(alert));
    const { clock, logger, observer, events, externalUrl } = this.#options;
    const shared = { turns: this.#turns, underWay: this.#underWay };
    const deps = { clock, logger, observer, events, ...shared };
    const results = await Promise.all(
      integrations.map(async (integration) => {
        const { kind, index, sendResolved } = integration;
        if (firing.length === 0 && !sendResolved) return false;
        const logKey = { groupKey: key, receiver, integration: kind, index };
        const about = { receiver, groupKey: key, groupLabels: labels, reason, externalUrl, links };
        const data = this.#log.get(logKey)?.data ?? {};
        const delivered = await deliver(
          integration,
          { ...about, firing, resolved: sendResolved ? resolved : [], data },
          TELL_MS_MAX,
          this.#stopped.signal,
          deps,
        );
        if (delivered.data !== undefined) {
          await this.#log.putData(logKey, delivered.data).catch((error: unknown) => {
            const message = 'what an integration wants to know the next time is not written yet';
            logger.error(message, { receiver, error: errorMessage(error) });
          });
        }
        delivered.end();
        return delivered.wasTold;
      }),
    );
    return results.includes(true);
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#stopped.abort();
    await Promise.all(this.groups().map((group) => group.stop(STOP_GRACE_MS)));
    await Promise.all(this.#leaving.values());
    await this.#keeper.retry().catch(() => {
      // Each of these writes was told of when it failed.
    });
  }

  /** The wall clock. Where it was set, what goes by it goes with it. */
  #nowMs(): number {
    const jumpMs = this.#jumps.take();
    if (jumpMs !== 0) {
      const message = 'the clock was set; ends of alerts and repetitions move with it';
      this.#options.logger.warn(message, { seconds: jumpMs / 1000 });
      this.alerts.shift(jumpMs);
      this.#firing.shift(jumpMs);
      this.#log.shift(jumpMs);
    }
    return this.#options.clock.nowMs();
  }

  #take(alert: PostedAlert): TytoError | undefined {
    try {
      const stored = this.alerts.put(alert);
      this.#firing.note(stored);
      this.#inhibition.note(stored);
      this.#group(stored);
      return undefined;
    } catch (error) {
      if (error instanceof TytoError) return error;
      throw error;
    }
  }

  #group(alert: StoredAlert, isRestored = false): void {
    if (this.#route === undefined) return;
    for (const route of matchRoutes(this.#route, alert.labels)) {
      const labels = groupLabels(route, alert.labels);
      const id = groupId(route, labels);
      const known = this.#groups.get(id);
      // Nobody is told of the end of what they were never told of.
      if (this.alerts.isResolved(alert) && !this.#concerns(route, labels, known, alert)) continue;
      if (known === undefined && this.#groups.size >= GROUPS_MAX) {
        this.#groupsRefused++;
        continue;
      }
      const group = known ?? this.#createGroup(route, labels);
      this.#groups.set(id, group);
      group.add(alert, isRestored);
    }
  }

  #groupsOf({ labels }: StoredAlert): AlertGroup[] {
    if (this.#route === undefined) return [];
    return matchRoutes(this.#route, labels).flatMap(
      (route) => this.#groups.get(groupId(route, groupLabels(route, labels))) ?? [],
    );
  }

  /** What was being delivered when the last process ended may have arrived: it is told again. */
  #tellCutOff(): void {
    const { logger, events } = this.#options;
    for (const note of this.#underWay.takeCutOff()) {
      const known = (keys: readonly string[]) => keys.flatMap((key) => this.alerts.get(key) ?? []);
      const [firing, resolved] = [known(note.firing), known(note.resolved)];
      const error = 'Tyto ended while it was being delivered: it may arrive twice';
      events?.attempted({
        ...note,
        firing,
        resolved,
        durationMs: 0,
        outcome: 'interrupted',
        error,
      });
      const { receiver, integration, groupKey: group } = note;
      logger.warn('a notification was interrupted', { receiver, integration, group, error });
    }
  }

  /** Whether a resolved alert belongs to a group, now or before a restart. */
  #concerns(
    route: Route,
    labels: Labels,
    group: AlertGroup | undefined,
    alert: StoredAlert,
  ): boolean {
    if (group?.has(alert.fingerprint)) return true;
    return this.#log.knows(groupKey(route, labels), alert.fingerprint);
  }

  #createGroup(route: Route, labels: Labels): AlertGroup {
    const { clock, logger, externalUrl, observer, events, advisor } = this.#options;
    const { receiver, muteTimeIntervals, activeTimeIntervals } = route;
    const before = this.#leaving.get(leavingKey(receiver, groupKey(route, labels)));
    return new AlertGroup(route, labels, before ?? Promise.resolve(), {
      clock,
      logger,
      externalUrl,
      observer,
      events,
      turns: this.#turns,
      flushes: this.#flushes,
      underWay: this.#underWay,
      advisor,
      alerts: this.alerts,
      log: this.#log,
      integrations: this.#integrations.get(receiver) ?? [],
      nowMs: () => this.#nowMs(),
      isMuted: (alert) =>
        this.status(alert).state === 'suppressed' ||
        (advisor?.mutedBy(alert, receiver).length ?? 0) > 0,
      mutingIntervals: () =>
        this.#intervals.muting(muteTimeIntervals, activeTimeIntervals, clock.nowMs()),
      onEmpty: (group) => {
        if (this.#groups.get(group.id) === group) this.#groups.delete(group.id);
      },
    });
  }

  /** Ends a group; what it is telling now, its successor waits for. */
  #leave(group: AlertGroup): void {
    const key = leavingKey(group.route.receiver, group.key);
    const before = this.#leaving.get(key);
    const isTelling = group.isFlushing;
    const stopped = group.stop(RELOAD_GRACE_MS);
    if (!isTelling) return;
    const all = Promise.all([before, stopped]).then(() => {
      if (this.#leaving.get(key) === all) this.#leaving.delete(key);
    });
    this.#leaving.set(key, all);
  }

  #every(intervalMs: number, work: () => Promise<void>): void {
    const timer = this.#options.clock.schedule(intervalMs, () => {
      if (!this.#stopped.signal.aborted) this.#every(intervalMs, work);
      work().catch((error: unknown) => {
        this.#options.logger.error('the state of alerts', { error: errorMessage(error) });
      });
    });
    this.#timers.set(intervalMs, timer);
  }

  async #collect(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    this.alerts.forgetTexts();
    const over = [...this.alerts.all()].filter((alert) => {
      if (alert.endsAtMs > nowMs - RESOLVED_RETENTION_MS) return false;
      // Its group tells of its end first.
      return !this.#groupsOf(alert).some((group) => group.has(alert.fingerprint));
    });
    await this.alerts.remove(over);
    await this.#log.collect(nowMs);
    await this.silences.collect();
  }
}

/** Of one batch, so many refusals are told in the log; a metric counts all. */
const REFUSALS_LOGGED_MAX = 5;

function leavingKey(receiver: string, key: string): string {
  return `${receiver}|${key}`;
}
