/**
 * The dispatcher: alerts in, grouped by the routing tree, notifications out. It is the sink of the
 * rule groups, and of alerts that others send to the API.
 */
import { type Clock, errorMessage, type Logger, type Timer } from '@tyto/base';
import type { Alert, AlertSink } from '@tyto/model';
import type { Integration } from '../notify/notification.ts';
import type { NotifyTemplates } from '../notify/notifyTemplate.ts';
import { buildIntegrations } from '../notify/receiverConfig.ts';
import type { StateStore } from '../stateStore.ts';
import { AlertGroup, groupId, type NotifyObserver } from './alertGroup.ts';
import { AlertStore, type StoredAlert } from './alertStore.ts';
import type { AlertmanagerConfig } from './config.ts';
import { inhibitors } from './inhibition.ts';
import { NotificationLog } from './notificationLog.ts';
import { buildRoute, groupLabels, matchRoutes, type Route } from './route.ts';
import { Silences } from './silences.ts';

export interface DispatcherOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: StateStore;
  readonly externalUrl: string;
  readonly observer: NotifyObserver;
  /** Variables of the process: proxies and keys that receivers take from them. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** What keeps an alert quiet. */
export interface AlertStatus {
  readonly state: 'active' | 'suppressed' | 'unprocessed';
  readonly silencedBy: readonly string[];
  readonly inhibitedBy: readonly string[];
}

/** How often what is over is forgotten. */
const COLLECT_INTERVAL_MS = 60_000;
/** An alert that is over is shown and kept for so long. */
const RESOLVED_RETENTION_MS = 5 * 60_000;
/** What is under way may still arrive, so that nobody is told twice. */
const RELOAD_GRACE_MS = 10_000;
const STOP_GRACE_MS = 2000;

export class Dispatcher implements AlertSink {
  readonly alerts: AlertStore;
  readonly silences: Silences;
  readonly #options: DispatcherOptions;
  readonly #log: NotificationLog;
  #config: AlertmanagerConfig | undefined;
  #route: Route | undefined;
  #integrations = new Map<string, Integration[]>();
  #groups = new Map<string, AlertGroup>();
  #timer: Timer | undefined;
  #received = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.alerts = new AlertStore(options.clock, options.state, options.logger);
    this.silences = new Silences(options.clock, options.state);
    this.#log = new NotificationLog(options.state);
    this.#scheduleCollect();
  }

  get config(): AlertmanagerConfig | undefined {
    return this.#config;
  }

  get received(): number {
    return this.#received;
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
    this.#groups = new Map();
    this.#config = config;
    this.#route = buildRoute(config.route);
    this.#integrations = new Map(
      config.receivers.map((receiver) => [
        receiver.name,
        buildIntegrations(receiver, config.global, templates, logger, environment),
      ]),
    );
    await Promise.all(previous.map((group) => group.stop(RELOAD_GRACE_MS)));
    for (const alert of this.alerts.all()) this.#group(alert);
  }

  send(alerts: readonly Alert[]): void {
    this.#received += alerts.length;
    for (const alert of alerts) {
      const stored = this.alerts.put(alert);
      if (stored !== undefined) this.#group(stored);
    }
  }

  status(alert: StoredAlert): AlertStatus {
    const silencedBy = this.silences.silencing(alert.labels);
    const inhibitedBy = inhibitors(alert, this.#config?.inhibitRules ?? [], this.alerts);
    const muted = silencedBy.length > 0 || inhibitedBy.length > 0;
    return { state: muted ? 'suppressed' : 'active', silencedBy, inhibitedBy };
  }

  /** The receivers that an alert goes to. */
  receiversOf(alert: StoredAlert): string[] {
    if (this.#route === undefined) return [];
    return [...new Set(matchRoutes(this.#route, alert.labels).map((route) => route.receiver))];
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await Promise.all(this.groups().map((group) => group.stop(STOP_GRACE_MS)));
  }

  #group(alert: StoredAlert): void {
    if (this.#route === undefined) return;
    for (const route of matchRoutes(this.#route, alert.labels)) {
      const labels = groupLabels(route, alert.labels);
      const known = this.#groups.get(groupId(route, labels));
      // Nobody is told of the end of what they were never told of.
      const key = `${route.key}:${labels}`;
      if (this.alerts.isResolved(alert) && !this.#concerns(key, known, alert)) continue;
      const group = known ?? this.#createGroup(route, labels);
      this.#groups.set(group.id, group);
      group.add(alert);
    }
  }

  /** Whether a resolved alert belongs to a group, now or before a restart. */
  #concerns(key: string, group: AlertGroup | undefined, alert: StoredAlert): boolean {
    if (group?.has(alert.fingerprint)) return true;
    return this.#log.knows(key, alert.fingerprint);
  }

  #createGroup(route: Route, labels: ReturnType<typeof groupLabels>): AlertGroup {
    const { clock, logger, externalUrl, observer } = this.#options;
    return new AlertGroup(route, labels, {
      clock,
      logger,
      externalUrl,
      observer,
      alerts: this.alerts,
      log: this.#log,
      integrations: this.#integrations.get(route.receiver) ?? [],
      isMuted: (alert) => this.status(alert).state === 'suppressed',
      onEmpty: (group) => {
        if (this.#groups.get(group.id) === group) this.#groups.delete(group.id);
      },
    });
  }

  #scheduleCollect(): void {
    this.#timer = this.#options.clock.schedule(COLLECT_INTERVAL_MS, () => {
      void this.#collect()
        .catch((error: unknown) => {
          const { logger } = this.#options;
          logger.error('cannot forget what is over', { error: errorMessage(error) });
        })
        .finally(() => this.#scheduleCollect());
    });
  }

  async #collect(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    const held = new Set(
      this.groups().flatMap((group) => group.members().map((a) => a.fingerprint)),
    );
    for (const alert of [...this.alerts.all()]) {
      // Its rule has gone silent: it counts as over, and its group tells so at its next flush.
      if (alert.endsAtMs > nowMs - RESOLVED_RETENTION_MS || held.has(alert.fingerprint)) continue;
      this.alerts.remove(alert.fingerprint);
    }
    await this.#log.collect(nowMs);
    await this.silences.collect();
  }
}
