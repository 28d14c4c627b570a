/**
 * Requests to one integration at once: after a start, thousands of groups have something to tell at
 * the same moment. The rest waits for its turn; other integrations are not held up by it.
 */
import type { Integration } from '../notify/notification.ts';
import { NOTIFY_REQUESTS_MAX } from './limits.ts';

interface Queue {
  active: number;
  readonly waiting: Set<() => void>;
}

export class NotifyTurns {
  readonly #queues = new WeakMap<Integration, Queue>();

  /** Resolves when it is its turn, or as soon as the signal is aborted; then `end` is called. */
  async begin(integration: Integration, signal: AbortSignal): Promise<() => void> {
    let queue = this.#queues.get(integration);
    if (queue === undefined) {
      queue = { active: 0, waiting: new Set() };
      this.#queues.set(integration, queue);
    }
    const own = queue;
    if (own.active >= NOTIFY_REQUESTS_MAX && !signal.aborted) {
      await new Promise<void>((resolve) => {
        own.waiting.add(resolve);
        const leave = () => {
          own.waiting.delete(resolve);
          resolve();
        };
        signal.addEventListener('abort', leave, { once: true });
      });
    }
    own.active++;
    return () => {
      own.active--;
      const [next] = own.waiting;
      own.waiting.delete(next);
      next?.();
    };
  }
}
