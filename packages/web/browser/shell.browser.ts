/** Language, theme, keyboard, narrow screens, unknown pages. */

import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { type BrowserTest, until } from './harness.ts';

const PAGES = ['', 'query?g0.expr=up&g0.tab=0', 'targets', 'alerts', 'status', 'nowhere'];

function background(page: Page): Promise<string> {
  return page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
}

export const shellTests: readonly BrowserTest[] = [
  {
    name: 'the language follows the browser, changes at once and is remembered',
    language: 'ko',
    async run(page) {
      await page.getByRole('link', { name: '타깃' }).waitFor();
      await page.getByRole('button', { name: 'English' }).first().click();
      await page.getByRole('link', { name: 'Targets' }).waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
      await page.reload();
      await page.getByRole('link', { name: 'Targets' }).waitFor();
    },
  },
  {
    name: 'dark follows the system and can be overruled',
    theme: 'dark',
    async run(page) {
      const dark = await background(page);
      await page.locator('summary[aria-label="Settings"]').click();
      await page.getByRole('button', { name: 'Light' }).click();
      assert.notEqual(await background(page), dark);
      await page.reload();
      assert.notEqual(await background(page), dark);
    },
  },
  {
    name: 'no page scrolls sideways on a phone',
    width: 390,
    height: 844,
    language: 'ko',
    async run(page, baseUrl) {
      for (const path of PAGES) {
        await page.goto(baseUrl + path);
        await page.waitForTimeout(1500);
        const excess = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        assert.ok(excess <= 0, `page /${path} is ${excess} px too wide`);
      }
    },
  },
  {
    name: 'the keyboard goes to every page and into the editor',
    async run(page, baseUrl) {
      await page.locator('[data-verdict]').waitFor();
      for (const [keys, path] of ['gt targets', 'ga alerts', 'gq query'].map((s) => s.split(' '))) {
        for (const key of keys ?? '') await page.keyboard.press(key);
        await page.waitForURL(`${baseUrl}${path}`);
      }
      for (const key of 'gh') await page.keyboard.press(key);
      await page.waitForURL(baseUrl);
      await page.keyboard.press('/');
      await until('the editor has the focus', () =>
        page.evaluate(() => document.activeElement?.classList.contains('cm-content') ?? false),
      );
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
    },
  },
  {
    name: 'going back shows the page before, and an unknown page leads home',
    async run(page, baseUrl) {
      await page.getByRole('link', { name: 'Alerts' }).click();
      await page.waitForURL(`${baseUrl}alerts`);
      await page.goBack();
      await page.locator('[data-verdict]').waitFor();
      await page.goto(`${baseUrl}nowhere`);
      await page.getByText('There is no such page').waitFor();
      await page.getByRole('link', { name: 'Go to the home page' }).click();
      await page.locator('[data-verdict]').waitFor();
    },
  },
];
