export {
  type BrowserTest,
  DEAD_TARGET,
  FIRING_RULES,
  launchBrowser,
  runBrowserTest,
} from './harness.ts';

import { homeTests } from './home.browser.ts';
import { listTests } from './lists.browser.ts';
import { queryTests } from './query.browser.ts';
import { shellTests } from './shell.browser.ts';

export const browserTests = [...homeTests, ...queryTests, ...listTests, ...shellTests];
