/**
 * All alerts that were sent here and are not long over, by fingerprint. They are kept in the state
 * store too: after a restart one whose rule is quiet by then still ends, and its end is told.
 */
import { type Clock, TytoError } from '@tyto/base';
import { type Alert, Labels } from '@tyto/model';
import { fingerprint } from './fingerprint.ts';
import {
  ALERT_ANNOTATION_CHARACTERS_MAX,
  ALERT_CHARACTERS_TOTAL_MAX,
  ALERT_LABEL_CHARACTERS_MAX,
  ALERT_LABELS_MAX,
  ALERTS_MAX,
} from './limits.ts';
import { SharedTexts } from './sharedTexts.ts';
import type { StateKeeper } from './stateKeeper.ts';

export interface PostedAlert extends Alert {
  /** Its end was not told: it is when the resolve timeout ends it. */
  readonly isTimeout?: boolean;
}

export interface StoredAlert extends PostedAlert {
  readonly fingerprint: string;
  readonly updatedAtMs: number;
}

const PREFIX = 'alert/';

export class AlertStore {
  readonly #clock: Clock;
  readonly #keeper: StateKeeper;
  readonly #alerts = new Map<string, StoredAlert>();
  readonly #texts = new SharedTexts();
  #unsaved: StoredAlert[] = [];
  #characters = 0;
  #rejected = 0;

  constructor(clock: Clock, keeper: StateKeeper) {
    this.#clock = clock;
    this.#keeper = keeper;
    for (const [, value] of keeper.entries(PREFIX)) {
      const alert = reviveAlert(value);
      if (alert === undefined) continue;
      this.#set(this.#shared(alert, alert.fingerprint, alert.updatedAtMs));
    }
    this.#texts.clear();
  }

  /** Alerts that were refused because there are too many, or because one is too large. */
  get rejected(): number {
    return this.#rejected;
  }

  get size(): number {
    return this.#alerts.size;
  }

  all(): IterableIterator<StoredAlert> {
    return this.#alerts.values();
  }

  get(key: string): StoredAlert | undefined {
    return this.#alerts.get(key);
  }

  /** Whether an alert's end has passed. */
  isResolved(alert: Alert): boolean {
    return alert.endsAtMs <= this.#clock.nowMs();
  }

  /**
   * Merges an alert with what is known of it; `save` writes it. Throws TytoError `bad_data` for one
   * that is too large, `unavailable` where there are too many.
   */
  put(alert: PostedAlert): StoredAlert {
    const key = fingerprint(alert.labels);
    const known = this.#alerts.get(key);
    const updatedAtMs = this.#clock.nowMs();
    let stored: StoredAlert;
    if (known === undefined) {
      this.#refuse(this.#tooMany(alert) ?? tooLarge(alert));
      stored = this.#shared(alert, key, updatedAtMs);
    } else {
      const isSame = known.annotations.equals(alert.annotations);
      if (!isSame) this.#refuse(tooLarge(alert) ?? this.#tooLong(alert, charactersOf(known)));
      const annotations = isSame ? known.annotations : alert.annotations;
      const merged = overlaps(known, alert) ? merge(known, alert, updatedAtMs) : alert;
      stored = { ...merged, labels: known.labels, annotations, fingerprint: key, updatedAtMs };
    }
    this.#set(stored);
    const isNews = known === undefined || isChanged(known, stored);
    if (isNews || this.#keeper.owes(PREFIX + key)) this.#unsaved.push(stored);
    return stored;
  }

  /**
   * Resolves when all that was put would survive the death of the process. Rejects with TytoError
   * `io` where it could not be written; it is tried again.
   */
  async save(): Promise<void> {
    const alerts = this.#unsaved;
    if (alerts.length === 0) return;
    this.#unsaved = [];
    await this.#keeper.putAll(
      alerts.map((alert) => [PREFIX + alert.fingerprint, () => plainAlert(alert)] as const),
    );
  }

  /** Rejects with TytoError `io`. */
  async remove(alerts: readonly StoredAlert[]): Promise<void> {
    for (const alert of alerts) {
      this.#alerts.delete(alert.fingerprint);
      this.#characters -= charactersOf(alert);
    }
    await this.#keeper.removeAll(alerts.map(({ fingerprint: key }) => PREFIX + key));
  }

  /** After the wall clock was set: what was firing fires for as long as before. */
  shift(jumpMs: number): void {
    const beforeMs = this.#clock.nowMs() - jumpMs;
    for (const alert of [...this.#alerts.values()]) {
      if (alert.endsAtMs <= beforeMs) continue;
      this.#alerts.set(alert.fingerprint, { ...alert, endsAtMs: alert.endsAtMs + jumpMs });
    }
  }

  /** Lets go of texts that no alert has any more. */
  forgetTexts(): void {
    this.#texts.clear();
  }

  #set(alert: StoredAlert): void {
    const known = this.#alerts.get(alert.fingerprint);
    if (known?.annotations !== alert.annotations) {
      this.#characters += charactersOf(alert) - (known === undefined ? 0 : charactersOf(known));
    }
    this.#alerts.set(alert.fingerprint, alert);
  }

  #tooMany(alert: Alert): TytoError | undefined {
    if (this.#alerts.size >= ALERTS_MAX) {
      return new TytoError('unavailable', `there are ${ALERTS_MAX} alerts already`);
    }
    return this.#tooLong(alert, 0);
  }

  /** `before` is what the alert has had so far. */
  #tooLong(alert: Alert, before: number): TytoError | undefined {
    const after = this.#characters + charactersOf(alert) - before;
    if (after <= ALERT_CHARACTERS_TOTAL_MAX) return undefined;
    const message = `all alerts together have ${ALERT_CHARACTERS_TOTAL_MAX} characters already`;
    return new TytoError('unavailable', message);
  }

  #refuse(error: TytoError | undefined): void {
    if (error === undefined) return;
    this.#rejected++;
    throw error;
  }

  /** The alert with texts that others have too where they are equal. */
  #shared(alert: PostedAlert, key: string, updatedAtMs: number): StoredAlert {
    const { startsAtMs, endsAtMs, value, isTimeout } = alert;
    return {
      labels: this.#sharedTexts(alert.labels),
      annotations: this.#sharedTexts(alert.annotations),
      startsAtMs,
      endsAtMs,
      generatorUrl: this.#texts.share('', alert.generatorUrl),
      fingerprint: key,
      updatedAtMs,
      ...(value === undefined ? {} : { value }),
      ...(isTimeout === undefined ? {} : { isTimeout }),
    };
  }

  #sharedTexts(labels: Labels): Labels {
    const pairs: string[] = new Array(labels.pairs.length);
    // Names are shared already: the reader of JSON does that.
    for (let i = 0; i < pairs.length; i += 2) {
      pairs[i] = labels.pairs[i];
      pairs[i + 1] = this.#texts.share(pairs[i], labels.pairs[i + 1]);
    }
    return Labels.fromSorted(pairs);
  }
}

/** Whether one of the ends of the new outage lies within the known one. */
function overlaps(known: Alert, alert: Alert): boolean {
  const isInside = (timeMs: number) => timeMs > known.startsAtMs && timeMs < known.endsAtMs;
  return isInside(alert.endsAtMs) || isInside(alert.startsAtMs);
}

/** The same outage told again: its beginning stays, and an end that was told rules. */
function merge(known: PostedAlert, alert: PostedAlert, nowMs: number): PostedAlert {
  const startsAtMs = Math.min(known.startsAtMs, alert.startsAtMs);
  const isLater = known.endsAtMs > alert.endsAtMs;
  const isOver = alert.endsAtMs <= nowMs;
  const keepsEnd = isLater && (isOver ? known.endsAtMs <= nowMs : known.isTimeout !== true);
  return { ...alert, startsAtMs, endsAtMs: keepsEnd ? known.endsAtMs : alert.endsAtMs };
}

function isChanged(known: StoredAlert, stored: StoredAlert): boolean {
  return (
    known.startsAtMs !== stored.startsAtMs ||
    known.endsAtMs !== stored.endsAtMs ||
    known.annotations !== stored.annotations ||
    known.generatorUrl !== stored.generatorUrl ||
    known.value !== stored.value
  );
}

function tooLarge({ labels, annotations }: Alert): TytoError | undefined {
  const name = labels.get('alertname');
  const bad = (reason: string) =>
    new TytoError('bad_data', `the alert "${name.slice(0, 100)}" is too large: ${reason}`);
  if (labels.size > ALERT_LABELS_MAX) {
    return bad(`it has ${labels.size} labels, and may have ${ALERT_LABELS_MAX}`);
  }
  const [inLabels, inAnnotations] = [length(labels), length(annotations)];
  if (inLabels > ALERT_LABEL_CHARACTERS_MAX) {
    return bad(`its labels have ${inLabels} characters of ${ALERT_LABEL_CHARACTERS_MAX}`);
  }
  if (inAnnotations > ALERT_ANNOTATION_CHARACTERS_MAX) {
    const limit = ALERT_ANNOTATION_CHARACTERS_MAX;
    return bad(`its annotations have ${inAnnotations} characters of ${limit}`);
  }
  return undefined;
}

function charactersOf({ labels, annotations, generatorUrl }: Alert): number {
  return length(labels) + length(annotations) + generatorUrl.length;
}

function length(labels: Labels): number {
  return labels.pairs.reduce((sum, text) => sum + text.length, 0);
}

function plainAlert(alert: StoredAlert): unknown {
  return { ...alert, labels: alert.labels.pairs, annotations: alert.annotations.pairs };
}

/** Pairs, or an object as they were written before. */
function reviveLabels(value: unknown): Labels {
  const isText = (text: unknown) => typeof text === 'string';
  if (Array.isArray(value)) {
    return value.length % 2 === 0 && value.every(isText) ? Labels.fromSorted(value) : Labels.empty;
  }
  return Labels.of((value ?? {}) as Record<string, string>);
}

function reviveAlert(value: unknown): StoredAlert | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const alert = value as Record<string, unknown>;
  const { labels, annotations, fingerprint: key } = alert;
  if (typeof labels !== 'object' || labels === null || typeof key !== 'string') return undefined;
  return {
    labels: reviveLabels(labels),
    annotations: reviveLabels(annotations),
    startsAtMs: Number(alert.startsAtMs),
    endsAtMs: Number(alert.endsAtMs),
    generatorUrl: String(alert.generatorUrl ?? ''),
    fingerprint: key,
    updatedAtMs: Number(alert.updatedAtMs),
    ...(typeof alert.value === 'number' ? { value: alert.value } : {}),
    ...(alert.isTimeout === true ? { isTimeout: true } : {}),
  };
}
