/**
 * Where the reader is. Paths are relative to the document's base, so that the UI works below any
 * prefix: `''` is the home page, `query?g0.expr=up` the query page.
 */

import { createStore, useStore } from './store.ts';

export interface Location {
  /** Without the prefix and without slashes at either end. */
  readonly path: string;
  /** Empty or with its question mark. */
  readonly search: string;
}

/** The address under which the UI and the API are mounted, with a slash at its end. */
export const baseUrl = new URL('.', document.baseURI).href;
const basePath = new URL(baseUrl).pathname;

// Notifications link to `#/alerts?receiver=x`, as Alertmanager's do.
if (/^#\/(alerts|silences)(?=[/?]|$)/.test(window.location.hash)) {
  window.history.replaceState(null, '', new URL('alerts?view=notifications', baseUrl));
}

const store = createStore<Location>(readLocation());

window.addEventListener('popstate', () => store.set(readLocation()));

export function useLocation(): Location {
  return useStore(store);
}

export function currentLocation(): Location {
  return store.get();
}

export function navigate(to: string, options?: { replace?: boolean }): void {
  const url = new URL(to, baseUrl);
  if (options?.replace === true) window.history.replaceState(null, '', url);
  else if (url.href !== window.location.href) window.history.pushState(null, '', url);
  store.set(readLocation());
}

/** The address of a page for `href`. */
export function hrefOf(to: string): string {
  return new URL(to, baseUrl).href;
}

function readLocation(): Location {
  const { pathname, search } = window.location;
  const below = pathname.startsWith(basePath) ? pathname.slice(basePath.length) : pathname;
  return { path: safeDecode(below.replace(/^\/+|\/+$/g, '')), search };
}

function safeDecode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
