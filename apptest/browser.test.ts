/** The browser tests of the web UI against the real server, in Chromium. */
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { startTyto, type Tyto, waitFor } from './harness.ts';

interface Browser {
  close(): Promise<void>;
}

interface BrowserTest {
  readonly name: string;
}

/** What @tyto/web's tests export; described here, since their types need the DOM. */
interface BrowserTests {
  readonly DEAD_TARGET: string;
  readonly FIRING_RULES: string;
  readonly browserTests: readonly BrowserTest[];
  launchBrowser(): Promise<Browser>;
  runBrowserTest(browser: Browser, test: BrowserTest, baseUrl: string): Promise<void>;
}

const file = fileURLToPath(new URL('../packages/web/browser/index.ts', import.meta.url));
const tests: BrowserTests = await import(/* @vite-ignore */ pathToFileURL(file).href);

const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
const isMissing = !existsSync(chromium);
if (isMissing) process.stdout.write(`SKIPPED: there is no ${chromium}; set CHROMIUM to one\n`);

describe.skipIf(isMissing)('in a browser', () => {
  let tyto: Tyto;
  let browser: Browser;
  beforeAll(async () => {
    tyto = await startTyto({
      args: ['--config.file=tyto.yaml'],
      files: {
        'tyto.yaml': 'prometheus: prometheus.yml\n',
        'prometheus.yml': `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
${tests.DEAD_TARGET}`,
        'rules.yml': tests.FIRING_RULES,
      },
    });
    await waitFor('the machine has been watched for a while', async () => {
      const count = await tyto.value('count_over_time(node_load1[1m])');
      return count !== undefined && count >= 5;
    });
    browser = await tests.launchBrowser();
  });
  afterAll(() => browser?.close());

  for (const test of tests.browserTests) {
    it(test.name, () => tests.runBrowserTest(browser, test, tyto.baseUrl));
  }
});
