/** Alerts on their way from rules to receivers. */
import type { Labels } from './labels.ts';

export interface Alert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAtMs: number;
  /** When it ended or, for a firing one, when it counts as resolved unless it is sent again. */
  readonly endsAtMs: number;
  readonly generatorUrl: string;
  /** The expression's latest value, of one that a rule of ours made: the last while it fired. */
  readonly value?: number | undefined;
}

/** Where rule groups send their alerts: the dispatcher in this process, or other Alertmanagers. */
export interface AlertSink {
  send(alerts: readonly Alert[]): void;
}
