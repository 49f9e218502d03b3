/**
 * The page's process with a controller that is a fake, and ways to open its screens in the lab's browser.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Browser, Visit, VisitOptions } from '../../lab/browser.ts';
import { freePorts } from '../../lab/ports.ts';
import { SCREENS } from '../../page/screens/index.ts';
import type { LiveState } from '../../src/live/state.ts';
import { servePage } from '../../src/page-server/serve-page.ts';
import { type Answers, type FakeWatchSocket, serveFakeWatchSocket } from '../support/fake-watch-socket.ts';

/** The page as it was bundled for this run (test/support/build-program.ts). */
const ASSETS = join(dirname(process.env.EGRESSTRATOR_TEST_PROGRAM ?? 'dist/cli/main.js'), '../page');

export class RunningPage implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'egt-page-'));
  #server = new AsyncDisposableStack();
  readonly #printed: string[] = [];
  readonly #answers: Answers;
  readonly #now: () => number;
  #controller: FakeWatchSocket | undefined;
  origin = '';

  private constructor(answers: Answers, now: () => number) {
    this.#answers = answers;
    this.#now = now;
  }

  /** `answers`: what the controller answers to questions; `now`: when it says that it has made its state. */
  static async start(state: LiveState, answers: Answers = {}, now = Date.now): Promise<RunningPage> {
    const page = new RunningPage(answers, now);
    await page.startController(state);
    await page.startServer();
    return page;
  }

  get controller(): FakeWatchSocket {
    if (this.#controller === undefined) throw new Error('the controller is away');
    return this.#controller;
  }

  /** The newest address that was printed: it works once. */
  get link(): string {
    return this.#printed.at(-1) ?? '';
  }

  async startController(state: LiveState): Promise<void> {
    this.#controller = await serveFakeWatchSocket(this.#watchSocket, state, this.#answers, this.#now);
  }

  async stopController(): Promise<void> {
    await this.#controller?.close();
    this.#controller = undefined;
  }

  get #watchSocket(): string {
    return join(this.folder, 'watch.sock');
  }

  /** At the same address as before, if there was one. */
  async startServer(): Promise<void> {
    const port = this.origin === '' ? ((await freePorts(1))[0] ?? 0) : Number(new URL(this.origin).port);
    this.origin = `http://127.0.0.1:${port}`;
    const config = {
      ...{ watchSocket: this.#watchSocket, listen: { host: '127.0.0.1', port }, hosts: [] },
      ...{ tokenFile: undefined, cert: undefined, key: undefined, isPublishedOnLoopback: false },
    };
    const print = (line: string) => this.#printed.push(line);
    await servePage(
      { config, assets: ASSETS, version: '1.0.0', print, report: () => undefined },
      this.#server,
    );
  }

  async stopServer(): Promise<void> {
    await this.#server.disposeAsync();
    this.#server = new AsyncDisposableStack();
  }

  /** Opens the page in a browser of its own, logged in. */
  async visit(browser: Browser, options: VisitOptions = {}): Promise<Visit> {
    const visit = await browser.visit(options);
    await visit.page.goto(this.link);
    await isLive(visit.page);
    return visit;
  }

  /** Nothing has happened that must not. `except`: what the test itself has provoked. */
  isFine(visit: Visit, except = /^$/): void {
    expect(visit.problems(this.origin).filter((one) => !except.test(one))).toEqual([]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopServer();
    await this.stopController();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits until the page shows what is. */
export const isLive = (page: Page): Promise<void> => page.locator('.live.live').waitFor();

/** Goes to an address of the page as a link on it does, and waits for the screen. */
export async function show(page: Page, address: string): Promise<void> {
  await page.evaluate((to) => {
    history.pushState(null, '', to);
    dispatchEvent(new PopStateEvent('popstate'));
  }, address);
  await page.locator('main h1').waitFor();
}

/** An address for each screen, with these names in those that have one. */
export const addressesFor = (names: Readonly<Record<string, string>>): readonly string[] =>
  SCREENS.map(({ path }) =>
    path.replace(/:(\w+)/g, (given, name: string) => encodeURIComponent(names[name] ?? given)),
  );

export const ADDRESSES = addressesFor({ name: 'shop-api-1', key: 'db' });
