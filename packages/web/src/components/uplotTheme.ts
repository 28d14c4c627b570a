/** Colours of charts, read from the style sheet at the moment of drawing. */

import { useSyncExternalStore } from 'react';

/** As many as `--series-N` in tokens.css. */
const SERIES_COLORS = 12;

export function cssColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function seriesColor(index: number): string {
  return cssColor(`--series-${(index % SERIES_COLORS) + 1}`);
}

/** Changes whenever the colours do: by the toggle or by the system. */
export function useThemeKey(): string {
  return useSyncExternalStore(subscribe, read);
}

function read(): string {
  const chosen = document.documentElement.dataset.theme;
  if (chosen !== undefined) return chosen;
  return window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

function subscribe(listener: () => void): () => void {
  const query = window.matchMedia('(prefers-color-scheme: dark)');
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  query.addEventListener('change', listener);
  return () => {
    observer.disconnect();
    query.removeEventListener('change', listener);
  };
}
