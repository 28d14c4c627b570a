/**
 * Escalation: who is told by us, one step after the other, until somebody acknowledges or it is
 * over. Who is being told is kept while it lasts, so that a crash repeats a page and loses none.
 */
import type { NotificationLinks, StoredAlert } from '@tyto/alerting';
import { Labels, matchesAll } from '@tyto/model';
import type { EscalationChain, Targets } from './config.ts';
import {
  firingAlerts,
  type Incident,
  labelsOf,
  note,
  type TimelineEntry,
  toStored,
} from './incident.ts';
import { onCall } from './onCall.ts';
import type { IncidentContext, TellAbout } from './ports.ts';

/** Nobody waits so long for an end: alerts that fire are sent with one. */
const FIRING_MS = 366 * 86_400_000;

interface Target {
  readonly receiver: string;
  /** '' for a receiver that is nobody in particular. */
  readonly person: string;
  readonly shown: string;
}

interface EscalatorOptions extends IncidentContext {
  links(incident: Incident, by: string): NotificationLinks | undefined;
  /** Weekly silences that apply to an alert. */
  recurring(labels: Labels): readonly string[];
}

export class Escalator {
  readonly #options: EscalatorOptions;
  #stopped = false;

  constructor(options: EscalatorOptions) {
    this.#options = options;
  }

  /** What is being told is told again after the next start. */
  stop(): void {
    this.#stopped = true;
  }

  /** Begins with the first step: an incident fires, or is nobody's any more. */
  begin(incident: Incident): void {
    const config = this.#options.config();
    const labels = labelsOf(incident);
    const chain = config.escalations.find(({ matchers }) => matchesAll(matchers, labels));
    const nowMs = this.#options.ports.clock.nowMs();
    incident.escalation =
      chain === undefined
        ? undefined
        : { chain: chain.name, round: 0, step: 0, dueAtMs: nowMs + chain.steps[0].waitMs };
    const { notify } = config.priorities[incident.priority];
    const targets = this.#targets(notify);
    if (targets.length > 0) void this.#tell(incident, targets, 'first notification');
    this.#options.changed(incident);
  }

  /** No further step, until `begin`. */
  pause(incident: Incident): void {
    if (incident.escalation !== undefined) incident.escalation.dueAtMs = undefined;
  }

  /** Takes the step that is due, if there is one. */
  advance(incident: Incident): void {
    const state = incident.escalation;
    const nowMs = this.#options.ports.clock.nowMs();
    if (state?.dueAtMs === undefined || state.dueAtMs > nowMs) return;
    const chain = this.#options.config().escalations.find(({ name }) => name === state.chain);
    const step = chain?.steps[state.step];
    if (chain === undefined || step === undefined) {
      state.dueAtMs = undefined;
      return;
    }
    const targets = this.#targets(step.notify);
    const place = `step ${state.step + 1} of ${chain.steps.length} of ${chain.name}`;
    const round = state.round === 0 ? '' : `, round ${state.round + 1}`;
    const shown = targets.map((target) => target.shown).join(', ') || 'nobody';
    this.#note(incident, { atMs: nowMs, kind: 'escalated', text: `${place}${round}: ${shown}` });
    const isFirst = state.step === 0 && state.round === 0;
    this.#moveOn(incident, chain, nowMs);
    const reason = isFirst ? 'first notification' : 'repeat interval elapsed';
    void this.#tell(incident, targets, reason).then((wasTold) => {
      // Nobody of this step can be reached: the next one need not wait.
      const isCurrent = incident.escalation === state && state.step > 0;
      if (wasTold || !isCurrent || state.dueAtMs === undefined) return;
      state.dueAtMs = Math.min(state.dueAtMs, this.#options.ports.clock.nowMs());
      this.#options.changed(incident);
    });
  }

  /** Tells again what routes had told, which go by their repeat intervals: it still fires. */
  tellRoutedAgain(incident: Incident): void {
    const alerts = this.#audible(incident);
    if (alerts.length === 0) return;
    for (const [receiver, groupKey] of Object.entries(incident.routed)) {
      const about = this.#about(incident, 'repeat interval elapsed', '');
      void this.#options.ports.tell(receiver, alerts, { ...about, groupKey });
    }
  }

  /** Tells those who were paged that it is over. */
  async tellEnd(incident: Incident): Promise<void> {
    const { ports, store } = this.#options;
    const nowMs = ports.clock.nowMs();
    const alerts = incident.alerts.map((alert) => toStored(alert, alert.endsAtMs ?? nowMs, nowMs));
    const about = this.#about(incident, 'all alerts resolved in group', '');
    // Should it be reopened meanwhile, who is paged then is to hear of that end.
    const receivers = incident.paged.filter((receiver) => !incident.ending.includes(receiver));
    incident.paged = [];
    incident.ending.push(...receivers);
    await Promise.all(
      receivers.map(async (receiver) => {
        const wasTold = await ports.tell(receiver, alerts, about);
        if (this.#stopped && !wasTold) return;
        incident.ending = incident.ending.filter((other) => other !== receiver);
      }),
    );
    store.saveLater(incident);
  }

  /** Goes on with what a process before this one was about to tell. */
  resume(incident: Incident): void {
    const { paged, ending, telling } = incident;
    incident.paged = [...new Set([...paged, ...ending])];
    incident.ending = [];
    if (incident.status !== 'triggered') {
      // Whether they were told is not known; that they hear of the end is what matters.
      incident.paged = [...new Set([...incident.paged, ...telling])];
      incident.telling = [];
      if (incident.status === 'resolved' && incident.paged.length > 0) void this.tellEnd(incident);
      return;
    }
    const targets = incident.telling.map((receiver) => ({ receiver, person: '', shown: receiver }));
    if (targets.length > 0) void this.#tell(incident, targets, 'first notification');
  }

  #moveOn(incident: Incident, chain: EscalationChain, nowMs: number): void {
    const state = incident.escalation;
    if (state === undefined) return;
    state.step++;
    if (state.step < chain.steps.length) {
      state.dueAtMs = nowMs + chain.steps[state.step].waitMs;
    } else if (state.round < chain.repeat.times) {
      state.round++;
      state.step = 0;
      state.dueAtMs = nowMs + chain.repeat.afterMs;
    } else {
      state.dueAtMs = undefined;
    }
    this.#options.changed(incident);
  }

  /** Resolves with whether anybody was told, or nobody was to be. */
  async #tell(
    incident: Incident,
    targets: readonly Target[],
    reason: TellAbout['reason'],
  ): Promise<boolean> {
    const { ports, store } = this.#options;
    const alerts = this.#audible(incident);
    if (alerts.length === 0) return true;
    const receivers = targets.map(({ receiver }) => receiver);
    incident.telling = [...new Set([...incident.telling, ...receivers])];
    store.saveLater(incident);
    const results = await Promise.all(
      targets.map(async ({ receiver, person }) => {
        const wasTold = await ports.tell(receiver, alerts, this.#about(incident, reason, person));
        if (this.#stopped && !wasTold) return false;
        incident.telling = incident.telling.filter((other) => other !== receiver);
        if (wasTold && !incident.paged.includes(receiver)) incident.paged.push(receiver);
        return wasTold;
      }),
    );
    if (this.#stopped) return true;
    // It ended while somebody was being told of it.
    if (incident.status === 'resolved') await this.tellEnd(incident);
    store.saveLater(incident);
    return results.includes(true) || targets.length === 0;
  }

  /** The alerts that fire and that nothing silences; notes where there are none. */
  #audible(incident: Incident): StoredAlert[] {
    const { ports } = this.#options;
    const nowMs = ports.clock.nowMs();
    const firing = firingAlerts(incident).map(
      (alert) => ports.alertOf(alert.fingerprint) ?? toStored(alert, nowMs + FIRING_MS, nowMs),
    );
    const quiet = firing.map((alert) => [
      ...ports.silencedBy(alert),
      ...this.#options.recurring(alert.labels),
    ]);
    const audible = firing.filter((_, i) => quiet[i].length === 0);
    if (audible.length === 0 && firing.length > 0) {
      const text = `silenced by ${[...new Set(quiet.flat())].slice(0, 5).join(', ')}`;
      this.#note(incident, { atMs: nowMs, kind: 'not notified', text });
    }
    return audible;
  }

  #about(incident: Incident, reason: TellAbout['reason'], person: string): TellAbout {
    return {
      groupKey: `incident/${incident.id}`,
      groupLabels: Labels.of(incident.labels),
      reason,
      links: this.#options.links(incident, person),
    };
  }

  /** Receivers, and the people who have the duty now; each receiver once. */
  #targets({ receivers, schedules }: Targets): Target[] {
    const config = this.#options.config();
    const nowMs = this.#options.ports.clock.nowMs();
    const targets: Target[] = receivers.map((receiver) => ({
      receiver,
      person: '',
      shown: receiver,
    }));
    for (const name of schedules) {
      const schedule = config.schedules.find((one) => one.name === name);
      if (schedule === undefined) continue;
      const { person } = onCall(schedule, nowMs);
      const { receiver } = config.people.find((one) => one.name === person) ?? { receiver: '' };
      const shown = `${person} (on call: ${name})`;
      if (receiver !== '') targets.push({ receiver, person, shown });
    }
    return targets.filter(
      ({ receiver }, i) => targets.findIndex((other) => other.receiver === receiver) === i,
    );
  }

  #note(incident: Incident, entry: TimelineEntry): void {
    note(incident, entry);
    this.#options.store.saveLater(incident);
  }
}
