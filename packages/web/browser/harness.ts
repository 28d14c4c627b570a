/**
 * What the browser tests stand on. Each test is a plain function of a page that is already at the
 * base address, so the same tests run against a development server and against the real one.
 * The server must watch itself as job "tyto", a host as job "node", have a target that refuses
 * connections and a rule that fires; `DEAD_TARGET` and `FIRING_RULES` are such a configuration.
 */

import { type Browser, chromium, type Locator, type Page } from 'playwright-core';

export interface BrowserTest {
  /** A sentence. */
  readonly name: string;
  readonly width?: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
  readonly language?: 'ko' | 'en';
  readonly run: (page: Page, baseUrl: string) => Promise<void>;
}

/** For `scrape_configs`. Nothing listens on port 1. */
export const DEAD_TARGET = `  - job_name: dead
    static_configs: [{targets: ['127.0.0.1:1']}]
`;

/** A rule file: one alert that fires at once, one that stays pending, one that is quiet. */
export const FIRING_RULES = `groups:
  - name: browser
    interval: 1s
    rules:
      - alert: BrowserFiring
        expr: vector(42) > 0
        labels: {severity: critical}
        annotations:
          summary: A rule that always fires
          runbook_url: https://runbooks.example.com/browser
      - alert: BrowserPending
        expr: vector(1) > 0
        for: 6h
        labels: {severity: warning}
      - alert: BrowserQuiet
        expr: vector(1) < 0
`;

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const WAIT_MS = 15_000;

/** The caller closes it. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--no-sandbox',
      '--headless',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}

/** Runs `test` on a fresh page; fails on errors that the page did not catch. */
export async function runBrowserTest(
  browser: Browser,
  test: BrowserTest,
  baseUrl: string,
): Promise<void> {
  const context = await browser.newContext({
    viewport: { width: test.width ?? 1440, height: test.height ?? 900 },
    colorScheme: test.theme ?? 'light',
    locale: test.language === 'ko' ? 'ko-KR' : 'en-US',
    timezoneId: 'Asia/Seoul',
  });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const errors: string[] = [];
    const outside: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(baseUrl) && !/^(?:data|blob):/.test(url)) outside.push(url);
    });
    await page.goto(baseUrl);
    await test.run(page, baseUrl);
    if (errors.length > 0) throw new Error(`The page failed: ${errors.join('; ')}`);
    if (outside.length > 0) throw new Error(`The page asked elsewhere: ${outside.join(' ')}`);
  } finally {
    await context.close();
  }
}

/** Waits until `condition` holds. */
export async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + WAIT_MS;
  while (Date.now() < endMs) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Waited in vain until ${what}`);
}

export async function textOf(locator: Locator): Promise<string> {
  return (await locator.textContent()) ?? '';
}

/** How many pixels of the first chart below `selector` are drawn on. */
export function inkOf(page: Page, selector: string): Promise<number> {
  return page.evaluate((where) => {
    const canvas = document.querySelector<HTMLCanvasElement>(`${where} canvas`);
    const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data;
    let count = 0;
    for (let i = 3; i < (pixels?.length ?? 0); i += 4) if ((pixels?.[i] ?? 0) > 0) count++;
    return count;
  }, selector);
}
