/**
 * The lab's browser and the checks of screens notice what they are there for: a page that does everything wrong.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, startBrowser } from '../../lab/browser.ts';
import { axeFindings, byColourAlone, moving, notReached, tabStops, tooWide } from './checks.ts';

const WRONG = `<!doctype html><html lang="en"><title>wrong</title><link rel="stylesheet" href="/style.css">
  <main><h1>wrong</h1><img src="http://other.example/picture"><p class="pale">pale</p><div class="wide">wide</div>
  <button class="plain">one</button><button tabindex="-1">two</button><p class="moving">moving</p><i class="bad"></i>
  <script>throw new Error('inline')</script><script src="/script.js"></script></main></html>`;
const POLICY = `default-src 'none'; script-src 'self'; style-src 'self'; require-trusted-types-for 'script'`;
const STYLE = `.pale { color: #ddd; background: #fff } .wide { width: 3000px } .plain { outline: none }
  .moving { transition: color 1s }`;

let browser: Browser;
let server: Server;
let origin: string;

beforeAll(async () => {
  browser = await startBrowser();
  const answers: Record<string, readonly [string, string]> = {
    '/style.css': ['text/css', STYLE],
    '/script.js': ['text/javascript', `throw new Error('thrown')`],
  };
  server = createServer(({ url = '' }, response) => {
    const [type, text] = answers[url] ?? ['text/html', WRONG];
    response.writeHead(200, { 'content-security-policy': POLICY, 'content-type': type }).end(text);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  server.close();
});

test('errors, violations of the policy, exceptions and requests to others are told', async () => {
  await using visit = await browser.visit();
  await visit.page.goto(origin);
  const problems = visit.problems(origin).join('\n');
  expect(problems).toContain('the policy forbids script-src-elem inline');
  expect(problems).toContain('the policy forbids img-src http://other.example/picture');
  expect(problems).toContain('asked http://other.example/picture');
  expect(problems).toContain('Error: thrown');
  expect(problems).not.toContain('Error: inline');
});

test('what a screen does wrong is found', async () => {
  await using visit = await browser.visit({ width: 360 });
  await visit.page.goto(origin);
  const findings = (await axeFindings(visit.page)).join('\n');
  expect(findings).toContain('color-contrast: .pale');
  expect(findings).toContain('image-alt');
  expect((await tooWide(visit.page)).join()).toContain('class="wide"');
  expect((await moving(visit.page)).join()).toContain('class="moving"');
  expect((await byColourAlone(visit.page)).join()).toContain('class="bad"');
  expect(await tabStops(visit.page)).toMatchObject([
    { element: expect.stringContaining('plain'), isSeen: false },
  ]);
  expect((await notReached(visit.page)).join()).toContain('two</button>');
});

test('a name or an address elsewhere is not found', async () => {
  await using visit = await browser.visit();
  for (const place of ['http://name.test/', 'http://192.0.2.9/', 'http://[2001:db8::1]/'])
    await expect(visit.page.goto(place)).rejects.toThrow('ERR_NAME_NOT_RESOLVED');
});
