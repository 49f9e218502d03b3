/**
 * Who gets in: by a link that works once, and from no other site, whether by another name for this address, by a script, in
 * a frame or by a link.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, startBrowser, type Visit } from '../../lab/browser.ts';
import { liveSample } from '../support/live-sample.ts';
import { isLive, RunningPage } from './page.ts';

let browser: Browser;
let running: RunningPage;
/** Other sites: all names below `.example` and all ports lead to this machine. */
let others: Server;
let otherPort: number;

beforeAll(async () => {
  browser = await startBrowser();
  running = await RunningPage.start(liveSample(Date.now()), { '/v1/status': () => ({ secret: true }) });
  others = createServer((_request, response) => {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end('<!doctype html><title>another site</title>');
  });
  await once(others.listen(0, '127.0.0.1'), 'listening');
  const address = others.address();
  otherPort = typeof address === 'object' ? (address?.port ?? 0) : 0;
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
  others.close();
});

describe('a link', () => {
  test('works once, leaves the address bar, and makes a cookie that no script sees', async () => {
    const { link } = running;
    await using visit = await running.visit(browser);
    expect(visit.page.url()).toBe(`${running.origin}/`);
    await visit.page.goBack();
    expect(visit.page.url()).not.toContain('token');
    const [cookie, ...more] = await visit.context.cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/', domain: '127.0.0.1' });
    expect(more).toEqual([]);
    await visit.page.goto(running.origin);
    await isLive(visit.page);
    expect(await visit.page.evaluate(() => document.cookie)).toBe('');
    running.isFine(visit);

    await using other = await browser.visit();
    await other.page.goto(link);
    await expect
      .poll(() => other.page.getByRole('alert').textContent())
      .toMatch(/this token is wrong, used or too old: open the newest address/);
    expect(other.page.url()).not.toContain('token');
    expect(await other.page.content()).not.toContain('shop-api-1');
  });

  test('that is newer can be pasted, whole or its token', async () => {
    for (const text of [running.link, () => new URL(running.link).hash.replace('#token=', '')]) {
      await using visit = await browser.visit();
      await visit.page.goto(`${running.origin}/denied`);
      await visit.page.getByLabel('Token').fill(typeof text === 'string' ? text : text());
      await visit.page.getByRole('button', { name: 'Open' }).click();
      await isLive(visit.page);
      expect(visit.page.url()).toBe(`${running.origin}/denied`);
    }
  });
});

describe('another site', () => {
  let visit: Visit;
  beforeAll(async () => {
    visit = await running.visit(browser);
  });
  afterAll(() => visit[Symbol.asyncDispose]());

  /** The first is another site; the second the same site, to which cookies go, but another origin. */
  const SITES = ['http://attacker.example', 'http://127.0.0.1'] as const;

  const openOther = async (site: string): Promise<Page> => {
    const tab = await visit.tab();
    await tab.goto(`${site}:${otherPort}/`);
    return tab;
  };

  test('that calls itself so by its own DNS gets nothing', async () => {
    const tab = await visit.tab();
    const { port } = new URL(running.origin);
    for (const path of ['/', '/api/status', '/live', '/assets/main.js']) {
      const response = await tab.goto(`http://rebound.example:${port}${path}`);
      expect(response?.status()).toBe(421);
      expect(await response?.text()).not.toMatch(/secret|shop-api|<div/);
    }
  });

  test.each(SITES)('%s cannot ask or read, with the cookie or without', async (site) => {
    const own = await visit.page.evaluate(async () => (await fetch('/api/status')).text());
    expect(own).toContain('secret');
    const tab = await openOther(site);
    const asked = running.controller.requests.length;
    const got = await tab.evaluate(async (origin) => {
      const read = async (path: string, options: RequestInit) => {
        try {
          const response = await fetch(origin + path, options);
          return `${response.type} ${response.status} ${await response.text()}`;
        } catch {
          return 'nothing';
        }
      };
      const stream = (path: string) =>
        new Promise<string>((resolve) => {
          const source = new EventSource(origin + path, { withCredentials: true });
          source.onerror = () => resolve('nothing');
          source.onmessage = ({ data }) => resolve(String(data));
        });
      const script = (path: string) =>
        new Promise<string>((resolve) => {
          const element = document.createElement('script');
          element.onload = () => resolve('loaded');
          element.onerror = () => resolve('nothing');
          element.src = origin + path;
          document.head.append(element);
        });
      const credentials = 'include';
      return [
        await read('/api/status', { credentials }),
        await read('/api/status', { credentials, mode: 'no-cors' }),
        await read('/session', { credentials, method: 'POST', mode: 'no-cors', body: '{"token":"x"}' }),
        await read('/', { credentials, mode: 'no-cors' }),
        await stream('/live'),
        await script('/api/status'),
        await script('/assets/main.js'),
      ];
    }, running.origin);
    expect(got).toEqual(got.map(() => 'nothing'));
    expect(running.controller.requests.slice(asked).filter((one) => !one.endsWith('/live'))).toEqual([]);
  });

  test.each(SITES)('%s cannot show it in a frame, nor hold its window', async (site) => {
    const tab = await openOther(site);
    await tab.evaluate((origin) => {
      const frame = document.createElement('iframe');
      frame.src = `${origin}/`;
      document.body.append(frame);
      return new Promise((resolve) => {
        frame.onload = resolve;
      });
    }, running.origin);
    const [, frame] = tab.frames();
    expect(await frame?.content()).not.toMatch(/id="page"|shop-api-1/);
    const opened = visit.context.waitForEvent('page');
    await tab.evaluate((origin) => {
      Object.assign(window, { held: open(`${origin}/`) });
    }, running.origin);
    await isLive(await opened);
    expect(await tab.evaluate('window.held.closed')).toBe(true);
    expect(await (await opened).evaluate(() => opener)).toBe(null);
  });

  test('may have a link to a screen, and not to an answer', async () => {
    const tab = await openOther(SITES[0]);
    const follow = async (path: string) => {
      const arrived = tab.waitForEvent('response', (response) => response.url().startsWith(running.origin));
      await tab.evaluate((to) => {
        location.href = to;
      }, running.origin + path);
      return (await arrived).status();
    };
    expect(await follow('/denied')).toBe(200);
    await isLive(tab);
    await tab.goto(`${SITES[0]}:${otherPort}/`);
    expect(await follow('/api/status')).toBe(403);
  });
});
