/**
 * The alerts of one route with the same group labels: they wait `group_wait` together, then every
 * `group_interval` it is asked whether a receiver does not know something yet.
 */
import { errorMessage, type Timer } from '@tyto/base';
import type { Labels } from '@tyto/model';
import type { NotifyAdvisor } from '../events.ts';
import type { Integration } from '../notify/notification.ts';
import type { AlertStore, StoredAlert } from './alertStore.ts';
import { deliver, type DeliveryDependencies } from './delivery.ts';
import { GroupMembers } from './groupMembers.ts';
import { type LogKey, type NotificationLog, reasonToNotify } from './notificationLog.ts';
import type { Route } from './route.ts';
import { forEachInSlices, type LoopTurns } from './slices.ts';

export interface GroupDependencies extends DeliveryDependencies {
  readonly alerts: AlertStore;
  readonly log: NotificationLog;
  readonly integrations: readonly Integration[];
  /** Turns of the event loop for groups that look through their alerts. */
  readonly flushes: LoopTurns;
  readonly externalUrl: string;
  readonly advisor: NotifyAdvisor | undefined;
  /** The wall clock, once everything that goes by it knows that it was set. */
  nowMs(): number;
  /** Whether an alert is silenced, inhibited, or kept back by the advisor. */
  isMuted(alert: StoredAlert): boolean;
  /** Names of the time intervals because of which the route tells nobody now. */
  mutingIntervals(): readonly string[];
  /** Called when the group has no alerts any more. */
  onEmpty(group: AlertGroup): void;
}

/** A flush has this long at least, however short the group interval is. */
const FLUSH_MS_MIN = 10_000;

export class AlertGroup {
  /** Tells the group from all others. */
  readonly id: string;
  /** The group as receivers and the notification log know it. */
  readonly key: string;
  readonly route: Route;
  readonly labels: Labels;
  readonly #deps: GroupDependencies;
  readonly #members: GroupMembers;
  readonly #abort = new AbortController();
  /** What of an earlier configuration still tells the same receivers of the same group. */
  readonly #before: Promise<void>;
  #timer: Timer | undefined;
  #flushing: Promise<void> | undefined;
  /** The next flush is due, and waits for the one under way. */
  #isDue = false;
  #stopped = false;
  #flushed = false;
  /** The group is from before a restart; what is new in it does not wait for the interval. */
  #isRestored = false;
  #isHeard = false;
  #mutedBy: readonly string[] = [];

  constructor(route: Route, labels: Labels, before: Promise<void>, deps: GroupDependencies) {
    this.route = route;
    this.labels = labels;
    this.id = groupId(route, labels);
    this.key = groupKey(route, labels);
    this.#before = before;
    this.#deps = deps;
    this.#members = new GroupMembers(deps.alerts);
  }

  /** Names of the time intervals because of which the last flush told nobody. */
  get mutedBy(): readonly string[] {
    return this.#mutedBy;
  }

  /** The alerts, in no order. */
  members(): StoredAlert[] {
    return this.#members.unsorted();
  }

  /** The alerts in the order of notifications. */
  sorted(): Promise<StoredAlert[]> {
    return this.#members.list();
  }

  get isFlushing(): boolean {
    return this.#flushing !== undefined;
  }

  has(key: string): boolean {
    return this.#members.has(key);
  }

  /** `isRestored` says that it is known from before a restart, and not heard of since. */
  add(alert: StoredAlert, isRestored = false): void {
    this.#members.add(alert.fingerprint);
    const isFirst = !isRestored && !this.#isHeard;
    if (isFirst) this.#isHeard = true;
    if ((this.#flushed && !(isFirst && this.#isRestored)) || this.#stopped) return;
    this.#isRestored ||= isRestored;
    // One that has been firing for longer than the wait has waited enough.
    const waitedMs = this.#deps.clock.nowMs() - alert.startsAtMs;
    const isLate = waitedMs > this.route.groupWaitMs;
    if (this.#timer === undefined || isLate) this.#schedule(isLate ? 0 : this.route.groupWaitMs);
  }

  /** Stops. What is being delivered has `graceMs` to arrive, so that it is noted as told. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    if (this.#flushing === undefined) return;
    const timer = this.#deps.clock.schedule(graceMs, () => this.#abort.abort());
    await this.#flushing;
    timer.cancel();
  }

  #schedule(delayMs: number): void {
    this.#timer?.cancel();
    if (this.#stopped) return;
    this.#timer = this.#deps.clock.schedule(delayMs, () => this.#tick());
  }

  #tick(): void {
    if (this.#flushing !== undefined) {
      this.#isDue = true;
      return;
    }
    this.#flushed = true;
    this.#schedule(this.route.groupIntervalMs);
    this.#flushing = this.#flush()
      .catch((error: unknown) => {
        // What was not told is told with the next flush.
        const { logger } = this.#deps;
        const message = 'an alert group could not be flushed';
        logger.error(message, { group: this.key, error: errorMessage(error) });
      })
      .finally(() => {
        this.#flushing = undefined;
        const isDue = this.#isDue;
        this.#isDue = false;
        if (isDue && !this.#stopped) this.#tick();
      });
  }

  async #flush(): Promise<void> {
    await this.#before;
    const { integrations } = this.#deps;
    await this.#deps.flushes.take(this.#members.size);
    const nowMs = this.#deps.nowMs();
    const members = await this.#members.list();
    this.#mutedBy = this.#deps.mutingIntervals();
    const firing: StoredAlert[] = [];
    const resolved: StoredAlert[] = [];
    if (this.#mutedBy.length === 0) {
      await forEachInSlices(members, (alert) => {
        if (!this.#deps.isMuted(alert)) (alert.endsAtMs <= nowMs ? resolved : firing).push(alert);
      });
    }
    if (firing.length > 0 || resolved.length > 0) {
      const results = await Promise.all(
        integrations.map((integration) => this.#tell(integration, firing, resolved)),
      );
      if (results.includes(false)) return;
    }
    if (!this.#stopped) this.#dropResolved(members, nowMs);
  }

  /** What was over at the flush and was not heard of since leaves the group. */
  #dropResolved(members: readonly StoredAlert[], flushedMs: number): void {
    const over = members.filter(({ fingerprint, endsAtMs, updatedAtMs }) => {
      const now = this.#deps.alerts.get(fingerprint);
      return now === undefined || (endsAtMs <= flushedMs && now.updatedAtMs === updatedAtMs);
    });
    if (over.length > 0) this.#members.remove(over.map(({ fingerprint }) => fingerprint));
    if (this.#members.size > 0) return;
    this.#timer?.cancel();
    this.#stopped = true;
    this.#deps.onEmpty(this);
  }

  /** Tells one integration what it does not know. False when it could not be told. */
  async #tell(
    integration: Integration,
    firing: readonly StoredAlert[],
    resolved: readonly StoredAlert[],
  ): Promise<boolean> {
    const { log, clock, externalUrl, advisor } = this.#deps;
    const { repeatIntervalMs, groupIntervalMs, receiver } = this.route;
    const { sendResolved, kind, index } = integration;
    const key = { groupKey: this.key, receiver, integration: kind, index };
    const entry = log.get(key);
    const nowMs = clock.nowMs();
    const reason = reasonToNotify(entry, firing, resolved, sendResolved, repeatIntervalMs, nowMs);
    if (reason === undefined) return true;
    let data = entry?.data ?? {};
    let end = () => {};
    if (firing.length > 0 || sendResolved) {
      const told = sendResolved ? resolved : [];
      const notification = {
        receiver,
        groupKey: this.key,
        groupLabels: this.labels,
        firing,
        resolved: told,
        reason,
        externalUrl,
        data,
        links: advisor?.links([...firing, ...told]),
        routeLabels: this.route.labels,
      };
      const timeoutMs = Math.max(groupIntervalMs, FLUSH_MS_MIN);
      const { signal } = this.#abort;
      const delivered = await deliver(integration, notification, timeoutMs, signal, this.#deps);
      if (!delivered.wasTold) return false;
      data = delivered.data ?? {};
      end = delivered.end;
    }
    await this.#note(key, firing, resolved, data);
    end();
    return true;
  }

  /** It was told: that it cannot be written now does not make anybody hear of it again. */
  async #note(
    key: LogKey,
    firing: readonly StoredAlert[],
    resolved: readonly StoredAlert[],
    data: Readonly<Record<string, string>>,
  ): Promise<void> {
    try {
      await this.#deps.log.put(key, firing, resolved, this.route.repeatIntervalMs, data);
    } catch (error) {
      this.#deps.logger.error('what was told is not written yet; a restart may repeat it', {
        group: this.key,
        error: errorMessage(error),
      });
    }
  }
}

/** The identity of the group that a route and its group labels make. */
export function groupId(route: Route, labels: Labels): string {
  return `${route.id}:${labels.key}`;
}

/** The name of the group for receivers and the notification log. */
export function groupKey(route: Route, labels: Labels): string {
  return `${route.key}:${labels}`;
}
