/**
 * Names and texts that others write are texts, whatever they contain: on every screen no script of theirs runs, nothing of
 * theirs becomes an element or an address, the layout holds, and no command that the page offers does what they say.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Browser, startBrowser, type Visit } from '../../lab/browser.ts';
import { printableLines } from '../../src/common/text.ts';
import { hostileState } from '../support/hostile-live.ts';
import { liveSample } from '../support/live-sample.ts';
import { sampleAnswers } from '../support/live-sample-answers.ts';
import { tooWide } from './checks.ts';
import { addressesFor, RunningPage, show } from './page.ts';

let browser: Browser;
let running: RunningPage;
let visit: Visit;

const state = hostileState(liveSample(Date.now()));
const targets = [...state.workloads.values()].map(({ target }) => target);
const keys = [...state.keys.keys()];
const ADDRESSES = new Set(
  targets.flatMap((name, at) => addressesFor({ name, key: keys[at % keys.length] ?? '' })),
);

const COLLECT = `Object.defineProperty(navigator, 'clipboard', { value: {
  writeText: async (text) => { (window.copied ??= []).push(text); } } });`;

declare global {
  interface Window {
    readonly pwned?: unknown;
    copied?: string[];
  }
}

beforeAll(async () => {
  browser = await startBrowser();
  running = await RunningPage.start(state, sampleAnswers);
  visit = await running.visit(browser, { width: 360, setUp: COLLECT });
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await running[Symbol.asyncDispose]();
});

/** What others have made of the page. */
const madeByOthers = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() => {
    const elements =
      'img, iframe, object, embed, base, meta[http-equiv], script:not([src^="/assets/"]), style';
    const handlers = '[onerror], [onload], [onfocus], [onclick], [autofocus], [style*="url"]';
    const links = [...document.querySelectorAll('a')].filter((one) => {
      const { origin, protocol } = new URL(one.getAttribute('href') ?? '', location.href);
      return origin !== location.origin || !/^https?:$/.test(protocol);
    });
    const all = [...document.querySelectorAll(`${elements}, ${handlers}`), ...links];
    return [...all.map((one) => one.outerHTML.slice(0, 200)), ...('pwned' in window ? ['a script ran'] : [])];
  });

/** Characters that cannot be seen, or move others. */
const hidden = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() => document.body.textContent?.match(/(?![\n\t])[\p{C}\p{Zl}\p{Zp}].{0,20}/gu) ?? []);

describe.each([...ADDRESSES])('%j', (address) => {
  test('shows texts as texts', async () => {
    const { page } = visit;
    await show(page, address);
    await page.locator('main .empty[role=status]').waitFor({ state: 'detached' });
    expect(await madeByOthers(page)).toEqual([]);
    expect(await hidden(page)).toEqual([]);
    expect(await tooWide(page)).toEqual([]);
    running.isFine(visit);
  });
});

test('the names are there, with characters that cannot be seen as others', async () => {
  await show(visit.page, '/');
  const text = (await visit.page.locator('main').textContent()) ?? '';
  for (const name of targets) expect(text).toContain(printableLines(name));
});

test('no command that is offered runs what is in a name', async () => {
  const commands = new Set<string>();
  for (const address of ADDRESSES) for (const one of await commandsOn(address)) commands.add(one);
  expect(commands.size).toBeGreaterThan(10);
  const folder = mkdtempSync(join(tmpdir(), 'egt-shell-'));
  try {
    for (const name of ['egresstrator', 'consul', 'docker', 'printf', 'curl', 'sudo'])
      writeFileSync(join(folder, name), '#!/bin/sh\n', { mode: 0o755 });
    for (const command of commands) {
      await promisify(execFile)('/bin/sh', ['-c', command], { cwd: folder, env: { PATH: folder } }).catch(
        () => undefined,
      );
      expect([command, existsSync(join(folder, 'pwned'))]).toEqual([command, false]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('no link of others puts characters that control a terminal into a command', async () => {
  const hostile = encodeURIComponent('x\u0003\n\u001b[201~touch pwned\n\u202e');
  for (const address of [
    `/denied?container=${hostile}`,
    `/workloads/${encodeURIComponent(targets[0] ?? '')}?ask=${hostile}`,
  ]) {
    const commands = await commandsOn(address);
    expect(commands.filter((one) => one.includes('touch'))).not.toEqual([]);
    for (const one of commands) expect(printableLines(one)).toBe(one);
  }
});

/** Presses all buttons that copy, but for those that copy a line of a key alone. */
async function commandsOn(address: string): Promise<readonly string[]> {
  const { page } = visit;
  await show(page, address);
  const copied = await page.evaluate(async () => {
    window.copied = [];
    for (const button of document.querySelectorAll<HTMLElement>('button.copy')) button.click();
    await new Promise((resolve) => setTimeout(resolve));
    return window.copied;
  });
  return copied.filter((text) => /^(sudo )?(egresstrator|consul|docker|printf|curl)\b/.test(text));
}
