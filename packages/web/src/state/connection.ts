/** Whether the server answers: the outcome of the latest call, whichever page made it. */

import { type ApiError, createApiClient } from '@tyto/api';
import { baseUrl } from './router.ts';
import { noteServerDate, serverNowMs } from './serverClock.ts';
import { createStore, useStore } from './store.ts';

export interface Connection {
  readonly lastSuccessMs: number | undefined;
  /** Set from the first call that failed until the next that succeeds. */
  readonly failingSinceMs: number | undefined;
  readonly reason: string;
}

const store = createStore<Connection>({
  lastSuccessMs: undefined,
  failingSinceMs: undefined,
  reason: '',
});

const recoveryListeners = new Set<() => void>();

export const api = createApiClient({
  baseUrl,
  fetch: async (url, request) => {
    const response = await window.fetch(url, request);
    noteServerDate(response.headers.get('date'));
    return response;
  },
  createAbort: () => new AbortController(),
  observe,
});

export function useConnection(): Connection {
  return useStore(store);
}

/** Calls `listener` whenever the server answers again after it did not. */
export function onRecovery(listener: () => void): () => void {
  recoveryListeners.add(listener);
  return () => recoveryListeners.delete(listener);
}

function observe(error: ApiError | undefined): void {
  const { lastSuccessMs, failingSinceMs } = store.get();
  const nowMs = serverNowMs();
  if (error === undefined || !error.isUnreachable) {
    if (error?.errorType === 'canceled') return;
    store.set({ lastSuccessMs: nowMs, failingSinceMs: undefined, reason: '' });
    if (failingSinceMs !== undefined) for (const listener of [...recoveryListeners]) listener();
    return;
  }
  store.set({ lastSuccessMs, failingSinceMs: failingSinceMs ?? nowMs, reason: error.message });
}
