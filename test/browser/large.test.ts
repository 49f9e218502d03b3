/**
 * A large host: 1,000 workloads and 10,000 denied destinations. What is drawn has a limit, whatever the host has.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, startBrowser, type Visit } from '../../lab/browser.ts';
import { deniedId } from '../../src/live/tables.ts';
import { largeSample } from '../support/live-sample.ts';
import { sampleAnswers } from '../support/live-sample-answers.ts';
import { ADDRESSES, RunningPage, show } from './page.ts';

/** Elements of a screen. */
const MOST_ELEMENTS = 6_000;

const large = largeSample(Date.now());
let browser: Browser;
let running: RunningPage;
let visit: Visit;

beforeAll(async () => {
  browser = await startBrowser();
  running = await RunningPage.start(large, sampleAnswers);
  visit = await running.visit(browser);
});
afterAll(async () => {
  running.isFine(visit);
  await browser[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
});

test.each(ADDRESSES)('%s draws a limited number of elements', async (address) => {
  await show(visit.page, address);
  await visit.page.locator('main .empty[role=status]').waitFor({ state: 'detached' });
  expect(await visit.page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThan(MOST_ELEMENTS);
});

test('what is not drawn is found by a filter, and counted', async () => {
  const { page } = visit;
  const row = [...large.denied.values()].at(-1);
  if (row === undefined) throw new Error('the sample has no denials');
  await show(page, '/denied');
  expect(await page.locator('main').textContent()).toContain('10,000');
  await page.getByRole('searchbox').fill(row.address);
  await page.locator('main tbody tr', { hasText: row.address }).first().waitFor();
});

test('many changes at once are few updates', async () => {
  const { page } = visit;
  await show(page, '/denied');
  const rows = [...large.denied.values()].slice(0, 200);
  await page.evaluate(() => {
    Object.assign(window, { updates: 0 });
    new MutationObserver(() =>
      Object.assign(window, { updates: Number(Reflect.get(window, 'updates')) + 1 }),
    ).observe(document.body, { childList: true, subtree: true, characterData: true });
  });
  for (const row of rows) {
    const next = { ...row, packets: row.packets + 1_000_000, lastSeenAt: Date.now() };
    running.controller.change({ denied: { set: [[deniedId(row), next]] } });
  }
  const [controller] = large.controller.values();
  if (controller === undefined) throw new Error('the sample has no controller');
  running.controller.change({ controller: { set: [['controller', { ...controller, node: 'the last' }]] } });
  await page.locator('.brand .node', { hasText: 'the last' }).waitFor();
  expect(await page.evaluate(() => Reflect.get(window, 'updates'))).toBeLessThan(rows.length / 2);
});
