/** The query page: editing, running, drawing, sharing. */

import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { type BrowserTest, inkOf, textOf, until } from './harness.ts';

async function typeQuery(page: Page, expr: string): Promise<void> {
  const editor = page.locator('.cm-content').first();
  await editor.click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.insertText(expr);
  await page.keyboard.press('Enter');
}

export const queryTests: readonly BrowserTest[] = [
  {
    name: 'a query runs on Enter and is in the address',
    async run(page, baseUrl) {
      await page.goto(`${baseUrl}query`);
      await typeQuery(page, 'up{job="tyto"}');
      await page.locator('table.result tbody tr').first().waitFor();
      assert.equal(new URL(page.url()).searchParams.get('g0.expr'), 'up{job="tyto"}');
      assert.match(await textOf(page.locator('.run-stats')), /series in/);
    },
  },
  {
    name: 'a graph is drawn and shows values under the pointer',
    async run(page, baseUrl) {
      await page.goto(`${baseUrl}graph?g0.expr=up&g0.tab=0&g0.range_input=5m`);
      await until('the chart is drawn', async () => (await inkOf(page, '.chart')) > 500);
      const over = page.locator('.chart .u-over');
      const box = await over.boundingBox();
      assert.ok(box !== null);
      await page.mouse.move(box.x + box.width - 6, box.y + 60);
      await page.locator('.chart-tip-row').first().waitFor();
    },
  },
  {
    name: 'dragging over the graph zooms in',
    async run(page, baseUrl) {
      await page.goto(`${baseUrl}query?g0.expr=up&g0.tab=0&g0.range_input=1h`);
      await until('the chart is drawn', async () => (await inkOf(page, '.chart')) > 500);
      const box = await page.locator('.chart .u-over').boundingBox();
      assert.ok(box !== null);
      await page.mouse.move(box.x + box.width * 0.5, box.y + 60);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width * 0.75, box.y + 60, { steps: 5 });
      await page.mouse.up();
      await page.waitForURL(/g0\.range_input=1[45]m/);
      assert.match(page.url(), /g0\.end_input=/);
    },
  },
  {
    name: 'a link of an alert from Prometheus opens as a table',
    async run(page, baseUrl) {
      await page.goto(`${baseUrl}graph?g0.expr=up+%3D%3D+0&g0.tab=1`);
      await page.locator('table.result tbody tr').first().waitFor();
      assert.match(await textOf(page.locator('.cm-content')), /up == 0/);
    },
  },
  {
    name: 'an invalid expression shows what is wrong',
    async run(page, baseUrl) {
      await page.goto(`${baseUrl}query`);
      await typeQuery(page, 'sum(up) by by');
      await page.getByText('The expression is not valid').waitFor();
    },
  },
  {
    name: 'completion offers metrics, labels and values of the server',
    async run(page, baseUrl) {
      await page.goto(`${baseUrl}query`);
      await page.locator('.cm-content').click();
      await page.keyboard.type('node_lo');
      await page
        .locator('.cm-tooltip-autocomplete')
        .getByText('node_load1', { exact: true })
        .waitFor();
      await page.keyboard.press('Tab');
      await page.keyboard.type('{jo');
      await page.locator('.cm-tooltip-autocomplete').getByText('job', { exact: true }).waitFor();
      await page.keyboard.type('b="');
      await page.locator('.cm-tooltip-autocomplete').getByText('node', { exact: true }).waitFor();
    },
  },
  {
    name: 'panels are added, duplicated and removed, and what ran is in the history',
    async run(page, baseUrl) {
      await page.goto(`${baseUrl}query`);
      await typeQuery(page, 'node_load1');
      await page.locator('table.result').waitFor();
      await page.getByRole('button', { name: 'Add query' }).click();
      assert.equal(await page.locator('.panel').count(), 2);
      await page.getByRole('button', { name: 'Duplicate' }).first().click();
      assert.equal(await page.locator('.panel').count(), 3);
      await page.getByRole('button', { name: 'Remove' }).first().click();
      assert.equal(await page.locator('.panel').count(), 2);
      await page.locator('.panel').first().locator('summary[title="History"]').click();
      await page.getByRole('button', { name: 'node_load1' }).first().waitFor();
    },
  },
];
