/**
 * A new text of a key is tried in the browser: findings and changes as one types, denials that it would end, an edit of
 * somebody else meanwhile, and a command to copy. The controller is asked for a service that no key names, and for nothing
 * else.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, startBrowser } from '../../lab/browser.ts';
import type { LiveState } from '../../src/live/state.ts';
import { liveSample } from '../support/live-sample.ts';
import { RunningPage, show } from './page.ts';

let browser: Browser;
let running: RunningPage;
const sample = liveSample(Date.now());
const asked: string[] = [];

beforeAll(async () => {
  browser = await startBrowser();
  running = await RunningPage.start(sample, {
    '/v1/services': (query) => {
      asked.push(query.get('name') ?? '');
      return { instances: [{ address: '10.0.7.7', port: 9200, tags: [], node: 'node-9' }] };
    },
  });
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
});

const open = async () => {
  const visit = await running.visit(browser, { permissions: ['clipboard-read', 'clipboard-write'] });
  const { page } = visit;
  const panel = (title: string) => page.getByRole('region', { name: title });
  return { visit, page, panel, text: page.getByRole('textbox', { name: /^The text of/ }) };
};

const withKey = (key: string, text: string): LiveState => ({
  ...sample,
  keys: new Map([...sample.keys, [key, { text }]]),
});

test('a line that one came to add is in the text, and what it changes is told', async () => {
  const { visit, page, panel, text } = await open();
  await using _ = visit;
  await show(page, '/what-if?key=payments&add=billing');
  await panel('Access').getByText('10.0.3.7:tcp/8443').waitFor();
  expect(await text.inputValue()).toBe('api.stripe.com:tcp/443\n*.paypal.com:tcp/443\nbilling\n');
  await panel('Denials it would end').getByRole('row').filter({ hasText: '10.0.3.7 tcp/8443' }).waitFor();
  await panel('Commands')
    .getByRole('button', { name: /stores it/ })
    .click();
  await panel('Commands').getByText('copied').first().waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    "consul kv put egress/acl/payments - <<'RULES'\napi.stripe.com:tcp/443\n*.paypal.com:tcp/443\nbilling\nRULES",
  );
  running.isFine(visit);
});

test('lint answers as one types, beside the line', async () => {
  const { visit, page, panel, text } = await open();
  await using _ = visit;
  await show(page, '/what-if?key=db');
  await text.fill('redis\n10.0.0.300\n');
  await panel('Findings').getByText('10.0.0.300').first().waitFor();
  await page.locator('.gutter .error').filter({ hasText: '2' }).waitFor();
  await text.fill('redis\n10.0.0.30:tcp/1\n');
  await page.locator('.gutter .error').waitFor({ state: 'detached' });
  await panel('Access').getByText('10.0.0.30:tcp/1').waitFor();
  running.isFine(visit);
});

test('a service that no key names is asked for once', async () => {
  const { visit, page, panel, text } = await open();
  await using _ = visit;
  await show(page, '/what-if?key=db');
  await text.fill('elastic\n');
  await panel('Access').getByText('10.0.7.7:tcp/9200').waitFor();
  await text.fill('elastic\nredis\n');
  await panel('Access').getByText('10.0.1.21:tcp/6379').waitFor({ state: 'detached' });
  expect(asked).toEqual(['elastic']);
  running.isFine(visit);
});

test('an edit in Consul meanwhile is told, compared, and does not take what one has typed', async () => {
  const { visit, page, panel, text } = await open();
  await using _ = visit;
  await show(page, '/what-if?key=mail');
  await text.fill('redis\n');
  running.controller.set(withKey('mail', '198.51.100.9:tcp/25\n'));
  await page.getByText('The key was edited in Consul since you began').waitFor();
  expect(await text.inputValue()).toBe('redis\n');
  await page.getByRole('button', { name: 'Compare' }).click();
  await panel('Text').locator('.text-diff .removed').filter({ hasText: '198.51.100.9:tcp/25' }).waitFor();
  running.controller.set(withKey('mail', 'redis\n'));
  await panel('Text').getByText('as in Consul').waitFor();
  running.controller.set(sample);
  running.isFine(visit);
});

test('a text is lost neither by a look at another screen nor by a way back', async () => {
  const { visit, page, text } = await open();
  await using _ = visit;
  await show(page, '/what-if?key=metrics');
  await text.fill('mine\n');
  await show(page, '/keys/metrics');
  await page.getByRole('link', { name: 'Try an edit' }).click();
  await text.waitFor();
  expect(await text.inputValue()).toBe('mine\n');
  running.isFine(visit);
});

test('a node of the picture shows its paths while it has the focus, and leads to its screen', async () => {
  const { visit, page } = await open();
  await using _ = visit;
  await show(page, '/picture');
  const node = page.getByRole('link', { name: /^payments:/ });
  await node.focus();
  expect(await page.locator('.picture .node.on').allTextContents()).toEqual(
    expect.arrayContaining([expect.stringContaining('shop-api-1'), expect.stringContaining('*.paypal.com')]),
  );
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { level: 1, name: 'payments' }).waitFor();
  expect(new URL(page.url()).pathname).toBe('/keys/payments');
  running.isFine(visit);
});
