/**
 * The page follows the host: changes appear, and what is not known any more is said, whether the controller, the page's
 * process or the session has gone. All tabs of a browser share one stream.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Browser, startBrowser } from '../../lab/browser.ts';
import type { LiveState } from '../../src/live/state.ts';
import { liveSample } from '../support/live-sample.ts';
import { isLive, RunningPage, show } from './page.ts';

let browser: Browser;
let running: RunningPage;
const sample = liveSample(Date.now());

beforeAll(async () => {
  browser = await startBrowser();
  running = await RunningPage.start(sample, { '/v1/status': () => ({ namespaces: [] }) });
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
});
beforeEach(() => running.controller.set(sample));

/** The same host, called otherwise. */
const called = (node: string): LiveState => {
  const controller = sample.controller.get('controller');
  if (controller === undefined) throw new Error('the sample has no controller');
  return { ...sample, controller: new Map([['controller', { ...controller, node }]]) };
};

const shows = (page: Page, node: string): Promise<void> =>
  page.locator('.brand .node').filter({ hasText: node }).waitFor();

const banner = (page: Page) => page.locator('.banner');

/** As when another window covers it, which headless browsers do not do. */
const setHidden = (page: Page, isHidden: boolean): Promise<void> =>
  page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, isHidden);

test('seven tabs are all live, and each can ask', async () => {
  await using visit = await running.visit(browser);
  const tabs = [visit.page];
  for (let count = 1; count < 7; count++) {
    const tab = await visit.tab();
    await tab.goto(running.origin);
    tabs.push(tab);
  }
  await Promise.all(tabs.map(isLive));
  running.controller.set(called('seven'));
  await Promise.all(tabs.map((tab) => shows(tab, 'seven')));
  const answers = tabs.map((tab) => tab.evaluate(async () => (await fetch('/api/status')).status));
  expect(await Promise.all(answers)).toEqual(tabs.map(() => 200));
  running.isFine(visit);
});

test('when the tab with the stream is hidden or closed, the others go on', async () => {
  await using visit = await running.visit(browser);
  const [second, third] = [await visit.tab(), await visit.tab()];
  for (const tab of [second, third]) {
    await tab.goto(running.origin);
    await isLive(tab);
  }
  await setHidden(visit.page, true);
  running.controller.set(called('hidden'));
  await Promise.all([second, third].map((tab) => shows(tab, 'hidden')));
  await second.close();
  running.controller.set(called('closed'));
  await shows(third, 'closed');
  await setHidden(visit.page, false);
  await shows(visit.page, 'closed');
  running.controller.set(called('again'));
  await Promise.all([visit.page, third].map((tab) => shows(tab, 'again')));
  running.isFine(visit);
});

test('a question is asked again when rules have changed, and not because they were verified', async () => {
  await using visit = await running.visit(browser);
  const { page } = visit;
  const asked = () => running.controller.requests.filter((one) => one.includes('/v1/explain')).length;
  const workload = [...sample.workloads.values()][0];
  if (workload === undefined) throw new Error('the sample has no workload');
  const changed = (changes: object) =>
    running.controller.change({ workloads: { set: [[workload.id, { ...workload, ...changes }]] } });
  await page.goto(`${running.origin}/workloads/${workload.target}?ask=db`);
  await expect.poll(asked).toBe(1);
  changed({ verifiedAt: Date.now() });
  running.controller.set(called('verified'));
  await shows(page, 'verified');
  changed({ verifiedAt: Date.now(), fingerprint: 'another' });
  await expect.poll(asked).toBeGreaterThan(1);
  // What it has asked before this has come.
  await page.evaluate(async () => (await fetch('/api/status')).status);
  expect(asked()).toBe(2);
});

test('while nobody sees the page, it has no stream', async () => {
  await using visit = await running.visit(browser);
  const { page } = visit;
  const ended = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/live'));
  await setHidden(page, true);
  await ended;
  running.controller.set(called('unseen'));
  expect(await page.locator('.brand .node').textContent()).toBe('node-1');
  const opened = page.waitForRequest((request) => request.url().endsWith('/live'));
  await setHidden(page, false);
  await opened;
  await shows(page, 'unseen');
  running.isFine(visit);
});

test('while the controller is away, all is shown as last known; and what has changed, when it is back', async () => {
  await using visit = await running.visit(browser);
  const { page } = visit;
  const tab = await visit.tab();
  await tab.goto(running.origin);
  await isLive(tab);
  await running.stopController();
  for (const one of [page, tab]) {
    await expect
      .poll(() => banner(one).textContent())
      .toMatch(/controller does not answer: last known, \d+ ?s ago/);
    await shows(one, 'node-1');
  }
  // It goes on counting.
  await expect.poll(() => banner(page).textContent()).toMatch(/[2-9] ?s ago/);
  await running.startController(called('restarted'));
  for (const one of [page, tab]) {
    await shows(one, 'restarted');
    await banner(one).waitFor({ state: 'detached' });
  }
  running.isFine(visit);
});

test('while the page does not answer, all is shown as last known; its next run asks for a login, in each tab', async () => {
  await using visit = await running.visit(browser);
  const { page } = visit;
  const tab = await visit.tab();
  await tab.goto(running.origin);
  await isLive(tab);
  await running.stopServer();
  for (const one of [page, tab])
    await expect.poll(() => banner(one).textContent()).toMatch(/The page does not answer: last known/);
  await running.startServer();
  for (const one of [page, tab]) await one.locator('main.login').waitFor();
  const token = new URL(running.link).hash.replace('#token=', '');
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  for (const one of [page, tab]) {
    await isLive(one);
    await shows(one, 'node-1');
  }
  running.isFine(visit, /Failed to load resource/);
});

test('ages are right where the clock of the browser is wrong, and the last change is long ago', async () => {
  await using quiet = await RunningPage.start(sample, {}, () => Date.now() - 3_600_000);
  await using visit = await browser.visit({
    setUp: 'const real = Date.now; Date.now = () => real() - 7_200_000;',
  });
  await visit.page.goto(quiet.link);
  await isLive(visit.page);
  await quiet.stopController();
  await expect.poll(() => banner(visit.page).textContent()).toMatch(/last known, \d ?s ago/);
});

test('a part of the page that cannot be loaded is said, and the rest stays', async () => {
  await using visit = await running.visit(browser);
  await visit.page.route(/\/reach-of-/, (route) => route.abort());
  await show(visit.page, '/workloads/shop-api-1');
  await banner(visit.page).filter({ hasText: 'A part of the page could not be loaded.' }).waitFor();
  expect(await visit.page.locator('main h1').textContent()).toBe('shop-api-1');
  running.isFine(visit, /reach-of-/);
});
