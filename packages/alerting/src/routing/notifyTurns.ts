/**
 * Requests to one integration at once: after a start, thousands of groups have something to tell at
 * the same moment. The rest waits for its turn; other integrations are not held up by it.
 */
import type { Integration } from '../notify/notification.ts';
import { NOTIFY_ALERTS_MAX, NOTIFY_REQUESTS_MAX } from './limits.ts';
import { LoopTurns } from './slices.ts';

interface Waiting {
  readonly alerts: number;
  begin(): void;
}

interface Queue {
  /** Requests under way, and the alerts in them. */
  active: number;
  alerts: number;
  readonly waiting: Set<Waiting>;
}

export class NotifyTurns {
  readonly #queues = new WeakMap<Integration, Queue>();
  readonly #loop = new LoopTurns();

  /**
   * Resolves when it is its turn, or as soon as the signal is aborted; then `end` is called.
   * `alerts` is how many of them the request has.
   */
  async begin(integration: Integration, alerts: number, signal: AbortSignal): Promise<() => void> {
    const queue = this.#queueOf(integration);
    if ((queue.waiting.size > 0 || !hasRoom(queue, alerts)) && !signal.aborted) {
      await waitIn(queue, alerts, signal);
    } else {
      enter(queue, alerts);
    }
    // Each is on its way before the next is made.
    await this.#loop.take(alerts);
    return () => {
      queue.active--;
      queue.alerts -= alerts;
      for (const next of queue.waiting) {
        if (!hasRoom(queue, next.alerts)) break;
        next.begin();
      }
    };
  }

  #queueOf(integration: Integration): Queue {
    let queue = this.#queues.get(integration);
    if (queue === undefined) {
      queue = { active: 0, alerts: 0, waiting: new Set() };
      this.#queues.set(integration, queue);
    }
    return queue;
  }
}

/** One that has more alerts than may be under way goes alone. */
function hasRoom({ active, alerts }: Queue, more: number): boolean {
  return active === 0 || (active < NOTIFY_REQUESTS_MAX && alerts + more <= NOTIFY_ALERTS_MAX);
}

function enter(queue: Queue, alerts: number): void {
  queue.active++;
  queue.alerts += alerts;
}

async function waitIn(queue: Queue, alerts: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const waiting: Waiting = {
      alerts,
      begin: () => {
        signal.removeEventListener('abort', waiting.begin);
        queue.waiting.delete(waiting);
        enter(queue, alerts);
        resolve();
      },
    };
    queue.waiting.add(waiting);
    signal.addEventListener('abort', waiting.begin, { once: true });
  });
}
