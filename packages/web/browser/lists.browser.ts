/** Targets, alerts, status. */

import assert from 'node:assert/strict';
import { type BrowserTest, textOf, until } from './harness.ts';

export const listTests: readonly BrowserTest[] = [
  {
    name: 'targets show their state, and the error of one that is down in full',
    async run(page, baseUrl) {
      await page.goto(`${baseUrl}targets`);
      await page.locator('.target-error').first().waitFor();
      assert.match(
        await textOf(page.locator('.target-error').first()),
        /Get "http|ECONNREFUSED|refused/,
      );
      await page.getByRole('button', { name: /^up \d+$/ }).click();
      await until(
        'only targets that are up are left',
        async () => (await page.locator('.target-error').count()) === 0,
      );
      assert.match(page.url(), /state=up/);
      await page.getByPlaceholder('Filter by label, URL or error').fill('job=node');
      await until('the filter holds', async () => (await page.locator('.pool').count()) === 1);
    },
  },
  {
    name: 'alerts show every state, and filters keep to it',
    async run(page, baseUrl) {
      await page.goto(`${baseUrl}alerts`);
      await page.locator('.rule .tone-critical').filter({ visible: true }).first().waitFor();
      for (const state of ['firing', 'pending', 'inactive']) {
        await page.getByRole('button', { name: new RegExp(`^${state} [1-9]`) }).click();
        await page.locator('.rule summary', { hasText: state }).first().waitFor();
      }
    },
  },
  {
    name: 'a pending alert says since when, and its expression opens',
    async run(page, baseUrl) {
      await page.goto(`${baseUrl}alerts?state=pending`);
      await page.locator('.rule summary').first().click();
      await page.getByText('Active for').first().waitFor();
      await page.getByRole('link', { name: 'Open in the query page' }).first().click();
      await page.waitForURL(/query\?g0\.expr=/);
    },
  },
  {
    name: 'the status page shows version, flags and configuration',
    async run(page, baseUrl) {
      await page.goto(`${baseUrl}status`);
      await page.locator('pre.yaml').waitFor();
      await page.getByText('--storage.tsdb.path').first().waitFor();
      assert.match(await textOf(page.locator('.facts').first()), /Version/);
    },
  },
];
