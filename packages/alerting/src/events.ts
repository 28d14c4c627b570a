/**
 * What alerting tells those who keep its history, and what it asks those who take part in it:
 * incidents, statistics, digests.
 */
import type { NotificationLinks } from './notify/notification.ts';
import type { NotifyReason } from './routing/notificationLog.ts';
import type { StoredAlert } from './routing/alertStore.ts';

/** One attempt to tell a receiver. */
export interface NotifyAttempt {
  readonly atMs: number;
  readonly durationMs: number;
  readonly receiver: string;
  /** `webhook`, `email`, `slack` …, and its place among those of the receiver. */
  readonly integration: string;
  readonly index: number;
  readonly groupKey: string;
  readonly reason: NotifyReason;
  readonly firing: readonly StoredAlert[];
  readonly resolved: readonly StoredAlert[];
  /** 1 for the first; those that follow are of the same notification. */
  readonly attempt: number;
  /** `interrupted`: the process ended meanwhile, so that it may have arrived or not. */
  readonly outcome: 'delivered' | 'will be retried' | 'failed' | 'interrupted';
  /** '' for one that was delivered. */
  readonly error: string;
}

/** Called at once, before anything is notified; none of them may throw. */
export interface AlertEvents {
  /** An alert fires that did not. */
  fired(alert: StoredAlert): void;
  /** It is over, by its own word or because nobody has sent it for long enough. */
  resolved(alert: StoredAlert): void;
  attempted(attempt: NotifyAttempt): void;
}

/** Those who take part in what is notified. */
export interface NotifyAdvisor {
  /** Reasons for which an alert is not told now, besides silences, inhibition and intervals. */
  mutedBy(alert: StoredAlert, receiver: string): readonly string[];
  links(alerts: readonly StoredAlert[]): NotificationLinks | undefined;
}
