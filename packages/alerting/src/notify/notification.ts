/** What a receiver is told, and how it is told: the port of an integration. */
import type { Labels } from '@tyto/model';
import type { StoredAlert } from '../routing/alertStore.ts';
import type { NotifyReason } from '../routing/notificationLog.ts';

export interface Notification {
  readonly receiver: string;
  readonly groupKey: string;
  readonly groupLabels: Labels;
  readonly firing: readonly StoredAlert[];
  readonly resolved: readonly StoredAlert[];
  readonly reason: NotifyReason;
  readonly externalUrl: string;
  readonly nowMs: number;
  /** What this integration's last notification of the group gave back; empty at first. */
  readonly data: NotifyData;
  /** Pages of ours where somebody sees and takes the incident; undefined where there is none. */
  readonly links: NotificationLinks | undefined;
  /** The `labels` of the route, which are templates; none where it is not given. */
  readonly routeLabels?: Readonly<Record<string, string>>;
}

/** What an integration has to know the next time: the id of the message to update, say. */
export type NotifyData = Readonly<Record<string, string>>;

export interface NotificationLinks {
  readonly incident: string;
  readonly acknowledge: string;
}

/** What came of an attempt: `retry` says whether another one may help. */
export class NotifyError extends Error {
  readonly retry: boolean;
  constructor(message: string, retry: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.retry = retry;
  }
}

export interface Integration {
  /** `webhook`, `email`, `slack`: as the metrics name it. */
  readonly kind: string;
  readonly index: number;
  readonly sendResolved: boolean;
  /**
   * Delivers one notification; resolves with what it wants to know the next time, undefined for
   * nothing. Rejects with NotifyError.
   */
  notify(notification: Notification, signal: AbortSignal): Promise<NotifyData | undefined>;
}
