/**
 * One notification to one integration: tried until it works, time runs out or the receiver refuses
 * for good. Groups use it, and whoever tells a receiver directly.
 */
import { type Clock, errorMessage, type Logger } from '@tyto/base';
import type { AlertEvents, NotifyAttempt } from '../events.ts';
import { type Integration, type Notification, NotifyError } from '../notify/notification.ts';
import type { NotifyTurns } from './notifyTurns.ts';
import { type DeliveriesUnderWay, NOTED_ALERTS_MAX } from './underWay.ts';

export interface NotifyObserver {
  /** One request to a receiver, and whether it worked. */
  attempt(kind: string, durationMs: number, isDelivered: boolean): void;
  /** A whole notification, with its retries: whether the receiver got it. */
  told(kind: string, wasTold: boolean): void;
}

export interface DeliveryDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: NotifyObserver;
  readonly events: AlertEvents | undefined;
  readonly turns: NotifyTurns;
  readonly underWay: DeliveriesUnderWay;
}

/** What came of it; `data` is what the integration gave back. */
export interface Delivered {
  readonly wasTold: boolean;
  readonly data: Notification['data'] | undefined;
  /** To be called once it is noted that they were told: until then it counts as under way. */
  end(): void;
}

const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 60_000;
/** As Alertmanager waits longer from one try to the next, without its randomness. */
const RETRY_FACTOR = 1.5;

/** Never rejects. Ends early when the signal does; `timeoutMs` is for all tries together. */
export async function deliver(
  integration: Integration,
  notification: Omit<Notification, 'nowMs'>,
  timeoutMs: number,
  abort: AbortSignal,
  deps: DeliveryDependencies,
): Promise<Delivered> {
  const { clock, observer, turns, underWay } = deps;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  const { receiver, groupKey, reason } = notification;
  const about = {
    receiver,
    integration: integration.kind,
    index: integration.index,
    groupKey,
    reason,
  };
  for (let attempt = 1; !abort.aborted; attempt++) {
    const leftMs = deadlineMs - clock.monotonicMs();
    const timer = new AbortController();
    const timeout = clock.schedule(leftMs, () => timer.abort(new Error('time is up')));
    const signal = AbortSignal.any([abort, timer.signal]);
    const alerts = notification.firing.length + notification.resolved.length;
    const endTurn = await turns.begin(integration, alerts, signal);
    const startedMs = clock.monotonicMs();
    const nowMs = clock.nowMs();
    const end = await underWay.begin({ ...about, ...keysOf(notification), attempt, atMs: nowMs });
    let delay = 0;
    try {
      const data = await integration.notify({ ...notification, nowMs }, signal);
      note('delivered', '');
      observer.told(integration.kind, true);
      return { wasTold: true, data, end };
    } catch (error) {
      end();
      const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * RETRY_FACTOR ** (attempt - 1));
      const mayRetry = error instanceof NotifyError && error.retry && !abort.aborted;
      const isLast = !mayRetry || clock.monotonicMs() + delayMs >= deadlineMs;
      note(isLast ? 'failed' : 'will be retried', errorMessage(error));
      if (isLast) break;
      delay = delayMs;
    } finally {
      timeout.cancel();
      endTurn();
    }
    await pause(delay, abort, clock);

    function note(outcome: NotifyAttempt['outcome'], error: string): void {
      const durationMs = clock.monotonicMs() - startedMs;
      observer.attempt(integration.kind, durationMs, outcome === 'delivered');
      const { firing, resolved } = notification;
      const came = { atMs: nowMs, durationMs, attempt, outcome, error };
      deps.events?.attempted({ ...about, ...came, firing, resolved });
      log(deps.logger, { ...about, attempt }, notification, outcome, error);
    }
  }
  observer.told(integration.kind, false);
  return { wasTold: false, data: undefined, end() {} };
}

function keysOf({ firing, resolved }: Pick<Notification, 'firing' | 'resolved'>) {
  const keys = (alerts: Notification['firing']) =>
    alerts.slice(0, NOTED_ALERTS_MAX).map(({ fingerprint }) => fingerprint);
  return { firing: keys(firing), resolved: keys(resolved) };
}

function log(
  logger: Logger,
  about: Readonly<Record<string, unknown>>,
  { firing, resolved }: Pick<Notification, 'firing' | 'resolved'>,
  outcome: NotifyAttempt['outcome'],
  error: string,
): void {
  if (outcome === 'delivered') {
    logger.info('notified', { ...about, firing: firing.length, resolved: resolved.length });
    return;
  }
  const isLast = outcome === 'failed';
  const message = isLast ? 'a notification failed' : 'a notification failed; it is retried';
  logger.warn(message, { ...about, error });
}

function pause(ms: number, abort: AbortSignal, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      timer.cancel();
      abort.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.schedule(ms, end);
    abort.addEventListener('abort', end, { once: true });
  });
}
