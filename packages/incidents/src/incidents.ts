/**
 * Incidents: what fires becomes one, with a status, people and a timeline. It hears what alerting
 * tells (AlertEvents), takes part in what is notified (NotifyAdvisor), and does what people ask.
 * What somebody asked for is in the state store before the answer.
 */
import type {
  AlertEvents,
  NotificationLinks,
  NotifyAdvisor,
  NotifyAttempt,
  StoredAlert,
} from '@tyto/alerting';
import { errorMessage, type Timer, TytoError } from '@tyto/base';
import { Actions } from './actions.ts';
import type { IncidentsConfig } from './config.ts';
import { Deadlines } from './deadlines.ts';
import { Digests } from './digests.ts';
import { Escalator } from './escalator.ts';
import { History } from './history.ts';
import {
  finite,
  firingAlerts,
  type Incident,
  isOpen,
  labelsOf,
  note,
  putAlert,
  shorten,
  type TimelineEntry,
} from './incident.ts';
import { IncidentStore } from './incidentStore.ts';
import { keyOf, newIncident, worstOf } from './newIncident.ts';
import type { IncidentPorts, RuleFacts } from './ports.ts';
import { Responses } from './responses.ts';
import { RunbookChecks } from './runbookChecks.ts';
import { FAILING_ALERT, SelfWatch } from './selfWatch.ts';
import { judge } from './severity.ts';
import type { Link, SignedLinks } from './signedLinks.ts';
import { type Suppressing, Suppressions } from './suppressions.ts';

const COLLECT_INTERVAL_MS = 60_000;
/** After a start, rules need some rounds until what fires has been sent again. */
const RECONCILE_MS = 5 * 60_000;
const REJECTED_PER_LINE = 10_000;
/** What Tyto itself tells under a key of its own, which no route made. */
const OWN_KEYS = /^(incident|digest|self)\//;

export class Incidents implements AlertEvents, NotifyAdvisor {
  readonly store: IncidentStore;
  readonly history: History;
  readonly suppressions: Suppressions;
  readonly actions: Actions;
  readonly runbooks: RunbookChecks;
  readonly #ports: IncidentPorts;
  readonly #links: SignedLinks;
  readonly #escalator: Escalator;
  readonly #deadlines: Deadlines;
  readonly #digests: Digests;
  readonly #responses: Responses;
  readonly #selfWatch: SelfWatch;
  readonly #timers = new Map<string, Timer>();
  /** What a process before this one left, until it is gone on with. */
  #revived: readonly Incident[];
  #config: IncidentsConfig;
  #rejected = 0;
  #stopped = false;

  constructor(ports: IncidentPorts, links: SignedLinks, config: IncidentsConfig) {
    const { clock, logger, state } = ports;
    this.#ports = ports;
    this.#links = links;
    this.#config = config;
    const current = () => this.#config;
    this.store = new IncidentStore(clock, state, logger);
    this.#revived = [...this.store.all()];
    this.history = new History(clock, state, logger);
    this.suppressions = new Suppressions(clock, state);
    this.#deadlines = new Deadlines(clock, (id) => this.#onDue(id));
    const shared = {
      ports,
      store: this.store,
      config: current,
      changed: (incident: Incident) => this.#changed(incident),
    };
    this.#escalator = new Escalator({
      ...shared,
      links: (incident, by) => (this.#config.showsLinks ? this.linksOf(incident, by) : undefined),
      recurring: (labels) => this.suppressions.recurring(labels),
    });
    this.#responses = new Responses(shared);
    this.actions = new Actions({
      ...shared,
      suppressions: this.suppressions,
      responses: this.#responses,
      escalator: this.#escalator,
    });
    this.#digests = new Digests(shared);
    this.#selfWatch = new SelfWatch(ports, this.history, current);
    this.runbooks = new RunbookChecks(ports, current);
  }

  get config(): IncidentsConfig {
    return this.#config;
  }

  /** Throws TytoError `not_found`. */
  get(id: string): Incident {
    const incident = this.store.get(id);
    if (incident === undefined) throw new TytoError('not_found', `there is no incident ${id}`);
    return incident;
  }

  /** The newest value of an alert that fires. */
  newestValue(fingerprint: string): number | undefined {
    return finite(this.#ports.alertOf(fingerprint)?.value);
  }

  /** Silences and inhibiting alerts that keep an incident quiet: those of its first alert. */
  silencedBy(incident: Incident): readonly string[] {
    const [first] = firingAlerts(incident);
    const alert = first && this.#ports.alertOf(first.fingerprint);
    if (alert === undefined) return [];
    return [...this.#ports.silencedBy(alert), ...this.suppressions.recurring(alert.labels)];
  }

  rules(): readonly RuleFacts[] {
    return this.#ports.rules();
  }

  receivers(): readonly string[] {
    return this.#ports.receivers();
  }

  /** What a link allows; undefined for one that is not ours. */
  readLink(token: string): Link | undefined {
    return this.#links.read(token);
  }

  /** Alerts that became no incident because there were too many. */
  get rejected(): number {
    return this.#rejected;
  }

  /** Goes on where the process before this one was. */
  start(): void {
    this.suppressions.apply(this.#config, this.store.all());
    const nowMs = this.#ports.clock.nowMs();
    for (const alert of [...this.#ports.alerts()]) {
      // It was noted, and the process ended before its incident was.
      const isMissing = this.store.ofAlert(alert.fingerprint) === undefined;
      if (isMissing && alert.endsAtMs > nowMs) this.fired(alert);
    }
    for (const incident of this.#revived) {
      this.#escalator.resume(incident);
      this.#responses.resume(incident);
      this.#deadlines.set(incident.id, dueOf(incident));
    }
    this.#revived = [];
    this.#every('collect', COLLECT_INTERVAL_MS, () => this.#collect());
    this.#later('reconcile', RECONCILE_MS, () => this.#reconcile());
    this.#digests.start();
    this.#selfWatch.start();
    this.runbooks.start();
  }

  apply(config: IncidentsConfig): void {
    this.#config = config;
    this.suppressions.apply(config, this.store.all());
    this.#digests.apply();
    this.#selfWatch.apply();
  }

  /** What is being told is not waited for: it is told again after the next start. */
  stop(): void {
    this.#stopped = true;
    this.#escalator.stop();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#deadlines.stop();
    this.#digests.stop();
    this.#selfWatch.stop();
    this.#responses.stop();
    this.runbooks.stop();
    this.history.flush();
    this.store.flush();
  }

  // AlertEvents

  fired(alert: StoredAlert): void {
    this.#safely(() => this.#fired(alert));
  }

  resolved(alert: StoredAlert): void {
    this.#safely(() => this.#resolved(alert));
  }

  attempted(attempt: NotifyAttempt): void {
    this.#safely(() => this.#attempted(attempt));
  }

  #fired(alert: StoredAlert): void {
    const nowMs = this.#ports.clock.nowMs();
    const known = this.store.ofKey(keyOf(alert, this.#config.groupBy));
    if (known !== undefined && isOpen(known)) {
      this.#join(known, alert, nowMs);
      return;
    }
    const isSoon = nowMs - (known?.resolvedAtMs ?? -Infinity) <= this.#config.reopenWithinMs;
    if (known !== undefined && isSoon) {
      this.#reopen(known, alert, nowMs);
      return;
    }
    if (!this.store.hasRoom()) {
      // A storm is told of now and then, and counted.
      if (this.#rejected++ % REJECTED_PER_LINE === 0) {
        const message = 'there are too many open incidents: alerts become none';
        this.#ports.logger.warn(message, { rejected: this.#rejected });
      }
      return;
    }
    const incident = newIncident(alert, this.#config, nowMs);
    this.store.add(incident);
    this.store.attach(alert.fingerprint, incident);
    note(incident, { atMs: nowMs, kind: 'triggered', ...shownValue(alert) });
    this.#trigger(incident, nowMs);
  }

  #resolved(alert: StoredAlert): void {
    const incident = this.store.ofAlert(alert.fingerprint);
    const one = incident?.alerts.find(({ fingerprint }) => fingerprint === alert.fingerprint);
    this.store.detach(alert.fingerprint);
    if (incident === undefined || one === undefined) return;
    const nowMs = this.#ports.clock.nowMs();
    one.endsAtMs = Math.min(nowMs, alert.endsAtMs);
    one.value = finite(alert.value) ?? one.value;
    if (isOpen(incident) && firingAlerts(incident).length === 0) {
      this.actions.close(incident, undefined, shownValue(one));
      return;
    }
    if (isOpen(incident)) {
      const text = shorten(alert.labels.toString());
      note(incident, { atMs: nowMs, kind: 'alert resolved', text, ...shownValue(alert) });
    }
    this.store.saveLater(incident);
  }

  #attempted(attempt: NotifyAttempt): void {
    // What the end of the process cut off is no failure of the receiver.
    if (this.#stopped && attempt.outcome !== 'delivered') return;
    const { outcome, receiver, integration, error, groupKey } = attempt;
    const alerts = [...attempt.firing, ...attempt.resolved];
    const incidents = new Set(alerts.flatMap((alert) => this.#incidentOf(alert) ?? []));
    this.history.add(
      attempt,
      [...incidents].map(({ id }) => id),
    );
    this.#selfWatch.attempted(attempt);
    if (outcome === 'will be retried') return;
    const isOwn = OWN_KEYS.test(groupKey);
    const firing = new Set(attempt.firing.map(({ fingerprint }) => fingerprint));
    // The same for many: a group of thousands of alerts is told of at once.
    const entryOf = (told: string): TimelineEntry => ({
      atMs: attempt.atMs,
      kind: outcome === 'delivered' ? 'notified' : 'notification failed',
      receiver,
      text: shorten(error === '' ? `${integration}: ${told}` : `${integration}: ${error}`),
    });
    const [toldFiring, toldResolved] = [entryOf('firing'), entryOf('resolved')];
    for (const incident of incidents) {
      const fires = incident.alerts.some(
        ({ endsAtMs, fingerprint }) => endsAtMs === undefined && firing.has(fingerprint),
      );
      if (outcome === 'delivered' && fires && !isOwn) incident.routed[receiver] = groupKey;
      note(incident, fires ? toldFiring : toldResolved);
      this.store.saveSoon(incident);
    }
  }

  // NotifyAdvisor

  mutedBy(alert: StoredAlert, receiver: string): readonly string[] {
    const { clock } = this.#ports;
    const recurring = this.suppressions.recurring(alert.labels);
    if (alert.endsAtMs <= clock.nowMs() || recurring.length > 0) return recurring;
    const { labels } = alert;
    if (labels.get('alertname') === FAILING_ALERT && labels.get('receiver') === receiver) {
      return ['it tells that this receiver fails'];
    }
    const incident = this.store.ofAlert(alert.fingerprint);
    const { priority } = incident ?? judge(labels, this.#config.severity);
    const { digest, notify } = this.#config.priorities[priority];
    if (digest !== undefined) return [`daily digest of ${priority}`];
    if (notify.receivers.includes(receiver)) return [`${priority} is told at once`];
    if (incident === undefined) {
      const suppressing = this.suppressions.suppressing(labels);
      return suppressing === undefined ? [] : [`suppressed by ${suppressing.by}`];
    }
    switch (incident.status) {
      case 'acknowledged':
        return [`acknowledged by ${incident.acknowledgedBy}`];
      case 'suppressed':
        return [`suppressed by ${incident.suppressedBy}`];
      case 'resolved':
        return [`resolved by ${incident.resolvedBy}`];
      case 'triggered':
        return [];
    }
  }

  links(alerts: readonly StoredAlert[]): NotificationLinks | undefined {
    if (!this.#config.showsLinks) return undefined;
    let worst: Incident | undefined;
    for (const alert of alerts) {
      const incident = this.#incidentOf(alert);
      if (incident === undefined) continue;
      if (worst === undefined || worstOf(incident, worst).severity !== worst.severity) {
        worst = incident;
      }
    }
    return worst === undefined ? undefined : this.linksOf(worst, '');
  }

  linksOf(incident: Incident, person: string): NotificationLinks {
    const expiresAtMs = this.#ports.clock.nowMs() + this.#config.linkMs;
    const address = (action: 'view' | 'acknowledge') => {
      const token = this.#links.sign({ incident: incident.id, action, expiresAtMs, person });
      return `${this.#ports.externalUrl}/tyto/incident/${token}`;
    };
    return { incident: address('view'), acknowledge: address('acknowledge') };
  }

  // What happens by itself

  #trigger(incident: Incident, nowMs: number): void {
    const suppressing = this.suppressions.suppressing(labelsOf(incident));
    incident.beganSuppressed = suppressing !== undefined;
    if (suppressing !== undefined) {
      this.#suppress(incident, suppressing, nowMs);
      return;
    }
    this.suppressions.told(labelsOf(incident), nowMs);
    this.#escalator.begin(incident);
    this.#responses.run(incident);
  }

  #suppress(incident: Incident, { by, untilMs }: Suppressing, nowMs: number): void {
    incident.status = 'suppressed';
    incident.suppressedBy = by;
    incident.suppressedUntilMs = untilMs;
    const text = `until ${new Date(untilMs).toISOString()}`;
    note(incident, { atMs: nowMs, kind: 'suppressed', by, text });
    this.#changed(incident);
  }

  /** An alert of an open incident fires: a further one, or again. */
  #join(incident: Incident, alert: StoredAlert, nowMs: number): void {
    const known = this.store.ofAlert(alert.fingerprint) === incident;
    if (known || !putAlert(incident, alert)) return;
    this.store.attach(alert.fingerprint, incident);
    const text = shorten(alert.labels.toString());
    note(incident, { atMs: nowMs, kind: 'alert joined', text, ...shownValue(alert) });
    const before = incident.priority;
    Object.assign(incident, worstOf(incident, judge(alert.labels, this.#config.severity)));
    // Worse than what people were told of: that is news to those whom it concerns.
    if (incident.priority !== before && incident.status === 'triggered') {
      this.#escalator.begin(incident);
    }
    this.store.saveLater(incident);
  }

  #reopen(incident: Incident, alert: StoredAlert, nowMs: number): void {
    putAlert(incident, alert);
    this.store.attach(alert.fingerprint, incident);
    incident.status = 'triggered';
    incident.triggeredAtMs = nowMs;
    incident.firings++;
    incident.acknowledgedAtMs = undefined;
    incident.acknowledgedBy = undefined;
    incident.firstAcknowledgedAtMs = undefined;
    incident.resolvedAtMs = undefined;
    incident.resolvedBy = undefined;
    incident.responses = {};
    note(incident, { atMs: nowMs, kind: 'reopened', ...shownValue(alert) });
    this.#trigger(incident, nowMs);
  }

  #onDue(id: string): void {
    const incident = this.store.get(id);
    if (incident === undefined || !isOpen(incident) || this.#stopped) return;
    const nowMs = this.#ports.clock.nowMs();
    if ((incident.ackUntilMs ?? Infinity) <= nowMs) {
      this.actions.expireAcknowledgement(incident);
    } else if (
      incident.status === 'suppressed' &&
      (incident.suppressedUntilMs ?? Infinity) <= nowMs
    ) {
      this.actions.endSuppression(incident, undefined);
    } else {
      this.#escalator.advance(incident);
    }
    this.#deadlines.set(id, dueOf(incident));
  }

  #changed(incident: Incident): void {
    this.#deadlines.set(incident.id, dueOf(incident));
    this.store.saveLater(incident);
  }

  /** Alerts that ended while nothing ran, of which nobody told. */
  #reconcile(): void {
    const nowMs = this.#ports.clock.nowMs();
    for (const incident of this.store.all()) {
      for (const alert of firingAlerts(incident)) {
        const now = this.#ports.alertOf(alert.fingerprint);
        if (now !== undefined && now.endsAtMs > nowMs) continue;
        const endsAtMs = Math.min(now?.endsAtMs ?? nowMs, nowMs);
        alert.endsAtMs = endsAtMs;
        this.store.detach(alert.fingerprint);
        if (isOpen(incident) && firingAlerts(incident).length === 0) {
          this.actions.close(incident, undefined, {});
        }
      }
    }
  }

  async #collect(): Promise<void> {
    const nowMs = this.#ports.clock.nowMs();
    const horizonMs = nowMs - this.#config.retentionMs;
    this.store.collect(horizonMs);
    this.history.collect(horizonMs);
    await this.suppressions.collect();
    this.#refreshValues();
  }

  /** The newest values, so that one that ends without a word still has its last. */
  #refreshValues(): void {
    for (const incident of this.store.all()) {
      if (!isOpen(incident)) continue;
      for (const alert of firingAlerts(incident)) {
        alert.value = finite(this.#ports.alertOf(alert.fingerprint)?.value) ?? alert.value;
      }
    }
  }

  /** The incident of an alert that fires, or of one whose end is being told. */
  #incidentOf(alert: StoredAlert): Incident | undefined {
    return (
      this.store.ofAlert(alert.fingerprint) ?? this.store.ofKey(keyOf(alert, this.#config.groupBy))
    );
  }

  /** Alerts are told whatever becomes of incidents. */
  #safely(work: () => void): void {
    try {
      work();
    } catch (error) {
      const stack = error instanceof Error ? error.stack : undefined;
      this.#ports.logger.error('BUG: incidents', { error: errorMessage(error), stack });
    }
  }

  #every(name: string, intervalMs: number, work: () => Promise<void>): void {
    this.#later(name, intervalMs, () => {
      void work()
        .catch((error: unknown) => {
          this.#ports.logger.error(`incidents: cannot ${name}`, { error: errorMessage(error) });
        })
        .finally(() => {
          if (!this.#stopped) this.#every(name, intervalMs, work);
        });
    });
  }

  #later(name: string, delayMs: number, work: () => void): void {
    this.#timers.set(name, this.#ports.clock.schedule(delayMs, work));
  }
}

function shownValue({ value }: Pick<StoredAlert, 'value'>): { value?: number } {
  const known = finite(value);
  return known === undefined ? {} : { value: known };
}

/** The next moment at which something happens to an incident by itself. */
function dueOf(incident: Incident): number | undefined {
  if (!isOpen(incident)) return undefined;
  const { escalation, ackUntilMs, suppressedUntilMs, status } = incident;
  const dueMs = Math.min(
    status === 'triggered' ? (escalation?.dueAtMs ?? Infinity) : Infinity,
    ackUntilMs ?? Infinity,
    status === 'suppressed' ? (suppressedUntilMs ?? Infinity) : Infinity,
  );
  return dueMs === Infinity ? undefined : dueMs;
}
