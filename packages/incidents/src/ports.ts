/** What incidents need of the world around them; the server wires it. */
import type { NotificationLinks, NotifyAttempt, StateStore, StoredAlert } from '@tyto/alerting';
import type { Clock, Logger } from '@tyto/base';
import type { Alert, Labels } from '@tyto/model';
import type { IncidentsConfig } from './config.ts';
import type { Incident } from './incident.ts';
import type { IncidentStore } from './incidentStore.ts';

export interface TellAbout {
  /** What is told under one key is one matter to the receiver. */
  readonly groupKey: string;
  readonly groupLabels: Labels;
  readonly reason: NotifyAttempt['reason'];
  readonly links: NotificationLinks | undefined;
}

export interface CommandResult {
  /** Undefined where it ended by a signal or did not begin. */
  readonly exitCode: number | undefined;
  /** What it wrote, both outputs, shortened to the limit. */
  readonly output: string;
  /** '' where it went well. */
  readonly error: string;
}

export interface CommandRequest {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly timeoutMs: number;
  readonly outputBytesMax: number;
}

/** What a rule of ours says, for the review. */
export interface RuleFacts {
  readonly name: string;
  readonly group: string;
  readonly file: string;
  readonly labels: Labels;
  readonly annotations: Labels;
}

export interface IncidentPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly state: StateStore;
  /** Where people reach Tyto, without a slash at the end. */
  readonly externalUrl: string;
  /** Tells a receiver, with retries; resolves with whether it got it. Never rejects. */
  tell(receiver: string, alerts: readonly StoredAlert[], about: TellAbout): Promise<boolean>;
  alertOf(fingerprint: string): StoredAlert | undefined;
  /** All alerts that are known, also those that are over. */
  alerts(): Iterable<StoredAlert>;
  /** Silences that match, and alerts that inhibit. */
  silencedBy(alert: StoredAlert): readonly string[];
  rules(): readonly RuleFacts[];
  receivers(): readonly string[];
  /** Alerts of our own, on the way of all others. */
  raise(alert: Alert): void;
  /** Posts JSON; rejects with what went wrong. Resolves with the beginning of the answer. */
  post(url: string, body: unknown, timeoutMs: number): Promise<string>;
  /** Runs a program without a shell; undefined where the flag for it is off. Never rejects. */
  readonly run: ((request: CommandRequest) => Promise<CommandResult>) | undefined;
  /** The status of an answer to HEAD or GET; rejects where there is none. */
  probe(url: string, method: 'HEAD' | 'GET', timeoutMs: number): Promise<number>;
}

/** What the parts of this package share. */
export interface IncidentContext {
  readonly ports: IncidentPorts;
  readonly store: IncidentStore;
  config(): IncidentsConfig;
  /** An incident is to be kept, and may have another next moment. */
  changed(incident: Incident): void;
}
