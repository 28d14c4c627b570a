/** What the reader chose, remembered in the browser and shown as attributes of the document. */

import type { Language } from '../lib/format.ts';
import type { Zone } from '../lib/time.ts';
import { readStored, writeStored } from './storage.ts';
import { createStore, useStore } from './store.ts';

export type Theme = 'system' | 'light' | 'dark';
export type Density = 'comfortable' | 'compact';

export interface Settings {
  readonly language: Language;
  readonly theme: Theme;
  readonly zone: Zone;
  readonly density: Density;
}

const store = createStore<Settings>(readSettings());

export function useSettings(): Settings {
  return useStore(store);
}

export function changeSettings(change: Partial<Settings>): void {
  const next = { ...store.get(), ...change };
  store.set(next);
  writeStored('settings', JSON.stringify(next));
  applySettings();
}

/** Puts the settings where the style sheets look for them. */
export function applySettings(): void {
  const { language, theme, density } = store.get();
  const root = document.documentElement;
  root.lang = language;
  root.dataset.density = density;
  if (theme === 'system') delete root.dataset.theme;
  else root.dataset.theme = theme;
}

function readSettings(): Settings {
  const defaults: Settings = {
    language: navigator.language.toLowerCase().startsWith('ko') ? 'ko' : 'en',
    theme: 'system',
    zone: 'local',
    density: 'comfortable',
  };
  try {
    const stored: unknown = JSON.parse(readStored('settings') ?? '{}');
    return typeof stored === 'object' && stored !== null ? checked(stored, defaults) : defaults;
  } catch {
    return defaults;
  }
}

function checked(stored: object, defaults: Settings): Settings {
  const value = (name: string): unknown => Reflect.get(stored, name);
  const among = <Choice extends string>(
    name: string,
    choices: readonly Choice[],
    fallback: Choice,
  ): Choice => choices.find((choice) => choice === value(name)) ?? fallback;
  return {
    language: among('language', ['ko', 'en'], defaults.language),
    theme: among('theme', ['system', 'light', 'dark'], defaults.theme),
    zone: among('zone', ['local', 'utc'], defaults.zone),
    density: among('density', ['comfortable', 'compact'], defaults.density),
  };
}
