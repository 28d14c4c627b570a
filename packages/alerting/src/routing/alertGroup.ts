/**
 * The alerts of one route with the same group labels: they wait `group_wait` together, then every
 * `group_interval` it is asked whether a receiver does not know something yet.
 */
import { type Clock, errorMessage, type Logger, type Timer } from '@tyto/base';
import type { Labels } from '@tyto/model';
import { type Integration, NotifyError } from '../notify/notification.ts';
import type { AlertStore, StoredAlert } from './alertStore.ts';
import { type NotificationLog, type NotifyReason, reasonToNotify } from './notificationLog.ts';
import type { Route } from './route.ts';

export interface NotifyObserver {
  /** One request to a receiver, whatever came of it. */
  attempt(kind: string, durationMs: number): void;
  /** A whole notification, with its retries: whether the receiver got it. */
  told(kind: string, wasTold: boolean): void;
}

export interface GroupDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly alerts: AlertStore;
  readonly log: NotificationLog;
  readonly integrations: readonly Integration[];
  readonly externalUrl: string;
  readonly observer: NotifyObserver;
  /** Whether an alert is silenced or inhibited. */
  isMuted(alert: StoredAlert): boolean;
  /** Called when the group has no alerts any more. */
  onEmpty(group: AlertGroup): void;
}

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 60_000;
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
  readonly #members = new Set<string>();
  #timer: Timer | undefined;
  #flushing: Promise<void> | undefined;
  #abort = new AbortController();
  #stopped = false;
  #flushed = false;

  constructor(route: Route, labels: Labels, deps: GroupDependencies) {
    this.route = route;
    this.labels = labels;
    this.id = groupId(route, labels);
    this.key = `${route.key}:${labels}`;
    this.#deps = deps;
  }

  /** The alerts, firing ones first, then by their beginning. */
  members(): StoredAlert[] {
    const found: StoredAlert[] = [];
    for (const key of this.#members) {
      const alert = this.#deps.alerts.get(key);
      if (alert !== undefined) found.push(alert);
    }
    return found.sort((a, b) => a.startsAtMs - b.startsAtMs);
  }

  has(key: string): boolean {
    return this.#members.has(key);
  }

  add(alert: StoredAlert): void {
    this.#members.add(alert.fingerprint);
    if (this.#timer !== undefined || this.#flushed || this.#stopped) return;
    const { clock } = this.#deps;
    // One that has been firing for longer than the wait has waited enough.
    const waitedMs = clock.nowMs() - alert.startsAtMs;
    this.#schedule(waitedMs >= this.route.groupWaitMs ? 0 : this.route.groupWaitMs);
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
    if (this.#stopped) return;
    this.#timer = this.#deps.clock.schedule(delayMs, () => {
      this.#flushed = true;
      this.#schedule(this.route.groupIntervalMs);
      // A slow receiver is not asked twice at once: its flush goes on instead.
      this.#flushing ??= this.#flush()
        .catch((error: unknown) => {
          // What could not be noted as told is told again with the next flush.
          const { logger } = this.#deps;
          logger.error('an alert group could not be flushed', {
            group: this.key,
            error: errorMessage(error),
          });
        })
        .finally(() => {
          this.#flushing = undefined;
        });
    });
  }

  async #flush(): Promise<void> {
    const { alerts, integrations } = this.#deps;
    const members = this.members();
    const told = members.filter((alert) => !this.#deps.isMuted(alert));
    const firing = told.filter((alert) => !alerts.isResolved(alert));
    const resolved = told.filter((alert) => alerts.isResolved(alert));
    const results = await Promise.all(
      integrations.map((integration) => this.#tell(integration, firing, resolved)),
    );
    if (this.#stopped || results.includes(false)) return;
    this.#dropResolved(members);
  }

  /** What was over at the flush and still is leaves the group. */
  #dropResolved(members: readonly StoredAlert[]): void {
    for (const alert of members) {
      const now = this.#deps.alerts.get(alert.fingerprint);
      const unchanged = now !== undefined && now.updatedAtMs === alert.updatedAtMs;
      if (now === undefined || (unchanged && this.#deps.alerts.isResolved(alert))) {
        this.#members.delete(alert.fingerprint);
      }
    }
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
    const { log, clock } = this.#deps;
    const key = `${this.key}|${this.route.receiver}/${integration.kind}/${integration.index}`;
    const { repeatIntervalMs } = this.route;
    const { sendResolved } = integration;
    const entry = log.get(key);
    const nowMs = clock.nowMs();
    const reason = reasonToNotify(entry, firing, resolved, sendResolved, repeatIntervalMs, nowMs);
    if (reason === undefined) return true;
    if (firing.length > 0 || sendResolved) {
      const sent = await this.#deliver(integration, firing, sendResolved ? resolved : [], reason);
      if (!sent) return false;
    }
    await log.put(key, firing, resolved, clock.nowMs(), repeatIntervalMs, {});
    return true;
  }

  /** Tries until it works, time runs out or the receiver refuses for good. */
  async #deliver(
    integration: Integration,
    firing: readonly StoredAlert[],
    resolved: readonly StoredAlert[],
    reason: NotifyReason,
  ): Promise<boolean> {
    const { clock, logger, observer, externalUrl } = this.#deps;
    const deadlineMs = clock.monotonicMs() + Math.max(this.route.groupIntervalMs, FLUSH_MS_MIN);
    const { receiver } = this.route;
    const context = { receiver, integration: integration.kind, group: this.key };
    for (let attempt = 0; !this.#stopped; attempt++) {
      const startedMs = clock.monotonicMs();
      const signal = AbortSignal.any([this.#abort.signal, this.#timeout(deadlineMs - startedMs)]);
      try {
        const groupKey = this.key;
        const notification = {
          receiver,
          groupKey,
          groupLabels: this.labels,
          firing,
          resolved,
          reason,
          externalUrl,
          nowMs: clock.nowMs(),
          data: {},
          links: undefined,
        };
        await integration.notify(notification, signal);
        observer.attempt(integration.kind, clock.monotonicMs() - startedMs);
        observer.told(integration.kind, true);
        logger.info('notified', {
          ...context,
          reason,
          firing: firing.length,
          resolved: resolved.length,
        });
        return true;
      } catch (error) {
        observer.attempt(integration.kind, clock.monotonicMs() - startedMs);
        const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** attempt);
        const isFinal = error instanceof NotifyError ? !error.retry : true;
        const isLate = clock.monotonicMs() + delayMs >= deadlineMs;
        logger.warn(
          isFinal || isLate ? 'a notification failed' : 'a notification failed; it is retried',
          {
            ...context,
            attempt: attempt + 1,
            error: errorMessage(error),
          },
        );
        if (isFinal || isLate) break;
        await this.#sleep(delayMs);
      }
    }
    // The notification log does not know of it: the next flush tries again.
    observer.told(integration.kind, false);
    return false;
  }

  #timeout(ms: number): AbortSignal {
    return AbortSignal.timeout(Math.ceil(Math.max(1, Math.min(ms, 2 ** 31 - 1))));
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#deps.clock.schedule(ms, resolve);
      this.#abort.signal.addEventListener(
        'abort',
        () => {
          timer.cancel();
          resolve();
        },
        { once: true },
      );
    });
  }
}

/** The identity of the group that a route and its group labels make. */
export function groupId(route: Route, labels: Labels): string {
  return `${route.id}:${labels.key}`;
}
