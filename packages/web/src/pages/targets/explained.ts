/** What a scrape's error means, in the reader's language. */

import type { Dictionary } from '../../i18n/dictionary.ts';
import { scrapeCauseOf } from '../../lib/scrapeErrors.ts';

export function explainScrapeError(message: string, text: Dictionary): string {
  const cause = scrapeCauseOf(message);
  return cause === undefined ? '' : text.targets.causes[cause];
}
