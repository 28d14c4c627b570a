/** What people do about incidents, and what ends by itself. Each is kept before it resolves. */
import type { SilenceMatcher } from '@tyto/alerting';
import { formatDuration, TytoError } from '@tyto/base';
import type { Escalator } from './escalator.ts';
import { firingAlerts, type Incident, isOpen, labelsOf, note, shorten } from './incident.ts';
import { NOTE_LENGTH_MAX, SPAN_MS_MAX } from './limits.ts';
import type { IncidentContext } from './ports.ts';
import type { Responses } from './responses.ts';
import type { Suppression, Suppressions } from './suppressions.ts';

/** Who does something, and from where: `api 10.0.0.7`, `link`. */
export interface Actor {
  readonly by: string;
  readonly from: string;
}

interface ActionsOptions extends IncidentContext {
  readonly escalator: Escalator;
  readonly suppressions: Suppressions;
  readonly responses: Responses;
}

export class Actions {
  readonly #options: ActionsOptions;

  constructor(options: ActionsOptions) {
    this.#options = options;
  }

  /**
   * Somebody takes it. `forMs` ends the acknowledgement by itself; undefined: as configured.
   * Throws TytoError `not_found` and `bad_data`, as all of these do.
   */
  async acknowledge(id: string, actor: Actor, forMs?: number, text = ''): Promise<Incident> {
    const incident = this.#open(id, actor, 'acknowledged');
    const nowMs = this.#options.ports.clock.nowMs();
    const spanMs = checkSpan(forMs) ?? this.#options.config().ackTimeoutMs;
    incident.status = 'acknowledged';
    incident.acknowledgedAtMs = nowMs;
    incident.firstAcknowledgedAtMs ??= nowMs;
    incident.acknowledgedBy = who(actor);
    incident.ackUntilMs = spanMs > 0 ? nowMs + spanMs : undefined;
    clearSuppression(incident);
    this.#options.escalator.pause(incident);
    const more = [text, spanMs > 0 ? `for ${formatDuration(spanMs)}` : ''].filter(Boolean);
    this.#note(incident, 'acknowledged', actor, more.join('; '));
    return await this.#done(incident);
  }

  /** It is nobody's again: the escalation begins anew. */
  async unacknowledge(id: string, actor: Actor): Promise<Incident> {
    const incident = this.#open(id, actor, 'unacknowledged');
    if (incident.status !== 'acknowledged') {
      throw new TytoError('bad_data', `incident ${id} is not acknowledged`);
    }
    this.#note(incident, 'unacknowledged', actor);
    this.#release(incident);
    return await this.#done(incident);
  }

  expireAcknowledgement(incident: Incident): void {
    const atMs = this.#options.ports.clock.nowMs();
    const text = `nobody has resolved it since ${incident.acknowledgedBy} took it`;
    note(incident, { atMs, kind: 'acknowledgement expired', text });
    this.#release(incident);
    this.#options.changed(incident);
  }

  async addNote(id: string, actor: Actor, text: string): Promise<Incident> {
    const incident = this.#get(id, actor);
    if (text.trim() === '') throw new TytoError('bad_data', 'the note is empty');
    if (text.length > NOTE_LENGTH_MAX) {
      const message = `a note has at most ${NOTE_LENGTH_MAX} characters, not ${text.length}`;
      throw new TytoError('bad_data', message);
    }
    this.#note(incident, 'note', actor, text);
    return await this.#done(incident);
  }

  /** Not told for a time; `forMs` undefined: until it is resolved. */
  async suppress(id: string, actor: Actor, forMs?: number, text = ''): Promise<Incident> {
    const incident = this.#open(id, actor, 'suppressed');
    const spanMs = checkSpan(forMs);
    const nowMs = this.#options.ports.clock.nowMs();
    this.#quieten(incident, who(actor), spanMs === undefined ? undefined : nowMs + spanMs);
    const span = spanMs === undefined ? 'until it is resolved' : `for ${formatDuration(spanMs)}`;
    this.#note(incident, 'suppressed', actor, [span, text].filter(Boolean).join('; '));
    return await this.#done(incident);
  }

  async unsuppress(id: string, actor: Actor): Promise<Incident> {
    const incident = this.#open(id, actor, 'told again');
    if (incident.status !== 'suppressed') {
      throw new TytoError('bad_data', `incident ${id} is not suppressed`);
    }
    this.endSuppression(incident, actor);
    return await this.#done(incident);
  }

  /** Suppresses open incidents that match, and those to come. */
  async suppressMatching(
    matchers: readonly SilenceMatcher[],
    actor: Actor,
    forMs: number,
    comment: string,
  ): Promise<Suppression> {
    const startsAtMs = this.#options.ports.clock.nowMs();
    const endsAtMs = startsAtMs + (checkSpan(forMs) ?? 0);
    const createdBy = who(actor);
    const given = { matchers, createdBy, comment: shorten(comment), startsAtMs, endsAtMs };
    const suppression = await this.#options.suppressions.add(given);
    for (const incident of this.#options.store.all()) {
      const isLonger = (incident.suppressedUntilMs ?? Infinity) >= endsAtMs;
      if (incident.status === 'suppressed' && isLonger) continue;
      if (!isOpen(incident) || incident.status === 'acknowledged') continue;
      if (!this.#options.suppressions.matches(suppression.id, labelsOf(incident))) continue;
      this.#quieten(incident, suppression.id, endsAtMs);
      this.#note(incident, 'suppressed', actor, `for ${formatDuration(forMs)}; ${comment}`);
      await this.#done(incident);
    }
    return suppression;
  }

  async endSuppressing(id: string, actor: Actor): Promise<void> {
    await this.#options.suppressions.remove(id);
    for (const incident of this.#options.store.all()) {
      if (incident.status !== 'suppressed' || incident.suppressedBy !== id) continue;
      this.endSuppression(incident, actor);
      await this.#done(incident);
    }
  }

  /** It is told again, as it still fires. */
  endSuppression(incident: Incident, actor: Actor | undefined): void {
    const { ports, escalator } = this.#options;
    clearSuppression(incident);
    incident.status = 'triggered';
    const nowMs = ports.clock.nowMs();
    if (actor === undefined) note(incident, { atMs: nowMs, kind: 'suppression ended' });
    else this.#note(incident, 'suppression ended', actor);
    this.#options.suppressions.told(labelsOf(incident), nowMs);
    incident.beganSuppressed = false;
    escalator.begin(incident);
    escalator.tellRoutedAgain(incident);
    this.#options.responses.run(incident);
    this.#options.changed(incident);
  }

  /** By hand. Alerts that still fire are not told any more; firing anew, they open it again. */
  async resolve(id: string, actor: Actor, text = ''): Promise<Incident> {
    const incident = this.#open(id, actor, 'resolved');
    incident.wasActedOn = true;
    this.close(incident, actor, text === '' ? {} : { text: shorten(text) });
    return await this.#done(incident);
  }

  /** It is over; those who were paged are told. */
  close(
    incident: Incident,
    actor: Actor | undefined,
    more: { readonly value?: number; readonly text?: string },
  ): void {
    const { ports, escalator } = this.#options;
    const nowMs = ports.clock.nowMs();
    const lasted = `after ${formatDuration(Math.max(0, nowMs - incident.triggeredAtMs))}`;
    const text = [lasted, more.text ?? ''].filter(Boolean).join('; ');
    incident.status = 'resolved';
    incident.resolvedAtMs = nowMs;
    incident.resolvedBy = actor === undefined ? undefined : who(actor);
    incident.ackUntilMs = undefined;
    clearSuppression(incident);
    escalator.pause(incident);
    note(incident, {
      atMs: nowMs,
      kind: 'resolved',
      ...more,
      text,
      ...(actor === undefined ? {} : { by: who(actor), from: actor.from }),
    });
    if (incident.paged.length > 0) void escalator.tellEnd(incident);
    this.#options.changed(incident);
  }

  #release(incident: Incident): void {
    incident.status = 'triggered';
    incident.acknowledgedAtMs = undefined;
    incident.acknowledgedBy = undefined;
    incident.ackUntilMs = undefined;
    this.#options.escalator.begin(incident);
  }

  #quieten(incident: Incident, by: string, untilMs: number | undefined): void {
    incident.status = 'suppressed';
    incident.suppressedBy = by;
    incident.suppressedUntilMs = untilMs;
    incident.acknowledgedAtMs = undefined;
    incident.acknowledgedBy = undefined;
    incident.ackUntilMs = undefined;
    this.#options.escalator.pause(incident);
  }

  #note(
    incident: Incident,
    kind: 'acknowledged' | 'unacknowledged' | 'note' | 'suppressed' | 'suppression ended',
    actor: Actor,
    text = '',
  ): void {
    incident.wasActedOn = true;
    const atMs = this.#options.ports.clock.nowMs();
    const entry = { atMs, kind, by: who(actor), from: shorten(actor.from) };
    note(incident, text === '' ? entry : { ...entry, text: shorten(text, NOTE_LENGTH_MAX) });
  }

  /** Who asks is checked first: what is refused changes nothing. */
  #get(id: string, actor: Actor): Incident {
    who(actor);
    const incident = this.#options.store.get(id);
    if (incident === undefined) throw new TytoError('not_found', `there is no incident ${id}`);
    return incident;
  }

  #open(id: string, actor: Actor, what: string): Incident {
    const incident = this.#get(id, actor);
    if (isOpen(incident)) return incident;
    const fires = firingAlerts(incident).length > 0;
    const hint = fires ? '; it was resolved by hand while it fires' : '';
    throw new TytoError('bad_data', `incident ${id} is over and cannot be ${what}${hint}`);
  }

  async #done(incident: Incident): Promise<Incident> {
    this.#options.changed(incident);
    await this.#options.store.save(incident);
    return incident;
  }
}

function who({ by }: Actor): string {
  const name = shorten(by.trim(), 200);
  if (name === '') throw new TytoError('bad_data', 'who does it is missing: "by"');
  return name;
}

function checkSpan(spanMs: number | undefined): number | undefined {
  if (spanMs === undefined) return undefined;
  if (spanMs > 0 && spanMs <= SPAN_MS_MAX) return spanMs;
  const message = `a duration must be longer than 0 and at most ${formatDuration(SPAN_MS_MAX)}`;
  throw new TytoError('bad_data', message);
}

function clearSuppression(incident: Incident): void {
  incident.suppressedUntilMs = undefined;
  incident.suppressedBy = undefined;
}
