/** The home page: verdict, alerts, targets, host. */

import assert from 'node:assert/strict';
import { type BrowserTest, inkOf, textOf, until } from './harness.ts';

export const homeTests: readonly BrowserTest[] = [
  {
    name: 'the home page says in words what is wrong',
    async run(page) {
      const verdict = page.locator('[data-verdict]');
      await verdict.waitFor();
      assert.equal(await verdict.getAttribute('data-verdict'), 'firing');
      assert.match(await textOf(verdict.locator('h1')), /alert/);
      assert.match(await page.title(), /^\(\d+\) Home · Tyto$/);
    },
  },
  {
    name: 'a firing alert shows severity, summary, runbook and a way to its expression',
    async run(page) {
      const rule = page.locator('.firing-rule').first();
      await rule.waitFor();
      assert.match(await textOf(rule), /Critical|Warning/);
      await rule.getByRole('link', { name: 'Query' }).click();
      await page.waitForURL(/query\?g0\.expr=/);
    },
  },
  {
    name: 'a target that is down shows its error and what it means',
    async run(page) {
      await page.getByText('nothing listens on this port').first().waitFor();
      await page
        .getByText(/ECONNREFUSED|connection refused/)
        .first()
        .waitFor();
    },
  },
  {
    name: "the host's signals show live values and curves",
    async run(page) {
      const cpu = page.locator('.signal').first();
      await until('CPU usage is a number', async () =>
        /^[\d.]+$/.test(await textOf(cpu.locator('.big-digits'))),
      );
      await until('the curve is drawn', async () => (await inkOf(page, '.sparkline')) > 50);
      await page.locator('.space').first().waitFor();
    },
  },
  {
    name: 'nothing moves when the data is refreshed',
    async run(page) {
      await page.locator('.space').first().waitFor();
      await page.waitForTimeout(500);
      const top = () =>
        page
          .locator('.signal')
          .first()
          .evaluate((e) => Math.round(e.getBoundingClientRect().top));
      const before = await top();
      await page.waitForTimeout(6000);
      assert.equal(await top(), before);
    },
  },
  {
    name: 'when the server is away the page says so, keeps its data and recovers',
    async run(page) {
      await page.locator('.space').first().waitFor();
      await page.route('**/api/**', (route) => route.abort());
      await page.getByText('The server cannot be reached').waitFor();
      assert.ok((await page.locator('.space').count()) > 0);
      assert.equal(
        await page.locator('[data-verdict]').getAttribute('data-verdict'),
        'disconnected',
      );
      await page.unroute('**/api/**');
      await page.getByRole('button', { name: 'Retry now' }).last().click();
      await page.getByText('The server cannot be reached').waitFor({ state: 'detached' });
      await page.locator('[data-verdict="firing"]').waitFor();
    },
  },
  {
    name: 'a device whose clock is two hours late shows the same hour',
    async run(page) {
      await page.addInitScript(() => {
        const real = Date.now;
        Date.now = () => real() - 2 * 3_600_000;
      });
      await page.reload();
      await until('the curve is drawn', async () => (await inkOf(page, '.sparkline')) > 50);
      const cpu = page.locator('.signal .big-digits').first();
      await until('CPU usage is a number', async () => /^[\d.]+$/.test(await textOf(cpu)));
    },
  },
];
