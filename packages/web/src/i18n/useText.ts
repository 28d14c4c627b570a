/** The texts in the reader's language. */

import type { Language } from '../lib/format.ts';
import { useSettings } from '../state/settings.ts';
import type { Dictionary } from './dictionary.ts';
import { en } from './en.ts';
import { ko } from './ko.ts';

const DICTIONARIES: Readonly<Record<Language, Dictionary>> = { en, ko };

export function useText(): Dictionary {
  return DICTIONARIES[useSettings().language];
}
