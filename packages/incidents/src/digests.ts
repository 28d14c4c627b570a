/**
 * Daily digests: what can wait is told once a day, at a local time. When the last one went out is
 * kept, so that none is lost over a restart; a day on which nothing happened has none.
 */
import { errorMessage } from '@tyto/base';
import { Labels } from '@tyto/model';
import type { DigestConfig } from './config.ts';
import { Deadlines } from './deadlines.ts';
import { type Incident, isOpen, note, toStored } from './incident.ts';
import { DIGEST_ALERTS_MAX } from './limits.ts';
import type { IncidentContext } from './ports.ts';
import { PRIORITIES, type Priority } from './severity.ts';
import { instantOf, localTime } from './zonedTime.ts';

interface DigestState {
  /** What fired until then was told. */
  readonly toldUntilMs: number;
}

const PREFIX = 'digest/';
/** After one that could not be told. */
const RETRY_MS = 5 * 60_000;

export class Digests {
  readonly #context: IncidentContext;
  readonly #deadlines: Deadlines;
  readonly #states = new Map<Priority, DigestState>();
  readonly #telling = new Set<Priority>();

  constructor(context: IncidentContext) {
    this.#context = context;
    const { clock, state } = context.ports;
    this.#deadlines = new Deadlines(clock, (priority) => this.#onDue(priority as Priority));
    for (const [key, value] of state.entries(PREFIX)) {
      this.#states.set(key.slice(PREFIX.length) as Priority, value as DigestState);
    }
  }

  start(): void {
    this.apply();
  }

  apply(): void {
    const nowMs = this.#context.ports.clock.nowMs();
    for (const priority of PRIORITIES) {
      const { digest } = this.#context.config().priorities[priority];
      if (digest === undefined) {
        this.#deadlines.set(priority, undefined);
        continue;
      }
      const state = this.#states.get(priority);
      if (state === undefined) void this.#keep(priority, { toldUntilMs: nowMs });
      this.#deadlines.set(priority, nextAt(digest, state?.toldUntilMs ?? nowMs));
    }
  }

  stop(): void {
    this.#deadlines.stop();
  }

  #onDue(priority: Priority): void {
    const { digest } = this.#context.config().priorities[priority];
    if (digest === undefined || this.#telling.has(priority)) return;
    this.#telling.add(priority);
    const { clock, logger } = this.#context.ports;
    void this.#send(priority, digest)
      .catch((error: unknown) => {
        logger.error('a digest could not be sent', { error: errorMessage(error) });
        return false;
      })
      .then((wasTold) => {
        this.#telling.delete(priority);
        const nowMs = clock.nowMs();
        this.#deadlines.set(priority, wasTold ? nextAt(digest, nowMs) : nowMs + RETRY_MS);
      });
  }

  /** Resolves with whether all receivers have it, or there was nothing to tell. */
  async #send(priority: Priority, digest: DigestConfig): Promise<boolean> {
    const { ports, store } = this.#context;
    const nowMs = ports.clock.nowMs();
    const sinceMs = this.#states.get(priority)?.toldUntilMs ?? nowMs;
    const incidents = [...store.all()].filter(
      (incident) => incident.priority === priority && isNews(incident, sinceMs),
    );
    const alerts = incidents
      .flatMap(({ alerts: own }) => own)
      .filter(({ endsAtMs }) => endsAtMs === undefined || endsAtMs >= sinceMs)
      .slice(0, DIGEST_ALERTS_MAX)
      .map((alert) => toStored(alert, alert.endsAtMs ?? nowMs + RETRY_MS, nowMs));
    if (alerts.length > 0) {
      const day = new Date(nowMs).toISOString().slice(0, 10);
      const about = {
        groupKey: `digest/${priority}/${day}`,
        groupLabels: Labels.of({ digest: priority }),
        reason: 'first notification' as const,
        links: undefined,
      };
      const results = await Promise.all(
        digest.receivers.map((receiver) => ports.tell(receiver, alerts, about)),
      );
      if (results.includes(false)) return false;
      for (const incident of incidents) {
        note(incident, { atMs: nowMs, kind: 'notified', text: `in the digest of ${day}` });
        store.saveLater(incident);
      }
    }
    await this.#keep(priority, { toldUntilMs: nowMs });
    return true;
  }

  async #keep(priority: Priority, state: DigestState): Promise<void> {
    this.#states.set(priority, state);
    const { state: store, logger } = this.#context.ports;
    await store.put(PREFIX + priority, state).catch((error: unknown) => {
      logger.error('cannot keep when a digest went out', { error: errorMessage(error) });
    });
  }
}

/** What fires or did since the last digest; not what somebody suppressed. */
function isNews(incident: Incident, sinceMs: number): boolean {
  if (incident.status === 'suppressed') return false;
  return isOpen(incident) || (incident.resolvedAtMs ?? 0) >= sinceMs;
}

/** The first time of a digest after a moment. */
function nextAt({ minute, timeZone }: DigestConfig, afterMs: number): number {
  const { day } = localTime(afterMs, timeZone);
  const todayMs = instantOf(day, minute, timeZone);
  return todayMs > afterMs ? todayMs : instantOf(day + 1, minute, timeZone);
}
