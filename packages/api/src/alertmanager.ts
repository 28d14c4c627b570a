/**
 * The answers of Alertmanager's HTTP API under `/api/v2`, as its OpenAPI file describes them.
 * Unlike `/api/v1` there is no envelope: an error is a JSON string with a status of 4xx or 5xx.
 */

import type { LabelMap } from './prometheus.ts';

export interface ReceiverRef {
  readonly name: string;
}

export type NotificationState = 'unprocessed' | 'active' | 'suppressed';

export interface NotificationStatus {
  readonly state: NotificationState;
  /** Identifiers of silences, fingerprints of alerts, names of time intervals. */
  readonly silencedBy: readonly string[];
  readonly inhibitedBy: readonly string[];
  readonly mutedBy?: readonly string[];
}

export interface NotifiedAlert {
  readonly labels: LabelMap;
  readonly annotations: LabelMap;
  readonly generatorURL?: string;
  readonly fingerprint: string;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly updatedAt: string;
  readonly receivers: readonly ReceiverRef[];
  readonly status: NotificationStatus;
}

export interface AlertGroup {
  readonly labels: LabelMap;
  /** Labels of the route, which its configuration gives it. */
  readonly routeLabels?: LabelMap;
  readonly receiver: ReceiverRef;
  readonly alerts: readonly NotifiedAlert[];
}

export interface SilenceMatcher {
  readonly name: string;
  readonly value: string;
  readonly isRegex: boolean;
  /** Absent means true. */
  readonly isEqual?: boolean;
}

export interface PostableSilence {
  readonly id?: string;
  readonly matchers: readonly SilenceMatcher[];
  readonly startsAt: string;
  readonly endsAt: string;
  readonly createdBy: string;
  readonly comment: string;
  readonly annotations?: LabelMap;
}

export interface Silence extends PostableSilence {
  readonly id: string;
  readonly updatedAt: string;
  readonly status: { readonly state: 'expired' | 'active' | 'pending' };
}

export interface AlertmanagerStatus {
  readonly cluster: {
    readonly name?: string;
    readonly status: 'ready' | 'settling' | 'disabled';
    readonly peers?: readonly { readonly name: string; readonly address: string }[];
  };
  readonly versionInfo: {
    readonly version: string;
    readonly revision: string;
    readonly branch: string;
    readonly buildUser: string;
    readonly buildDate: string;
    readonly goVersion: string;
  };
  readonly config: { readonly original: string };
  readonly uptime: string;
}

/** What `/alerts` and `/alerts/groups` take; every flag is true when absent. */
export interface NotifiedAlertFilter {
  readonly active?: boolean;
  readonly silenced?: boolean;
  readonly inhibited?: boolean;
  readonly unprocessed?: boolean;
  readonly muted?: boolean;
  readonly filter?: readonly string[];
  readonly receiver?: string;
}
