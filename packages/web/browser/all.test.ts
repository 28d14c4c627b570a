/** Runs the browser tests against the server at `TYTO_BASE_URL`. */

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { browserTests, launchBrowser, runBrowserTest } from './index.ts';

const baseUrl = process.env.TYTO_BASE_URL ?? 'http://127.0.0.1:9090/';

describe(`the web UI at ${baseUrl}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());
  for (const test of browserTests) {
    it(test.name, () => runBrowserTest(browser, test, baseUrl));
  }
});
