/**
 * `npm run screenshots`: builds the page, shows it the invented host of test/support/live-sample.ts, and writes images of
 * its screens to docs/images. `--serve`: prints an address to look at instead, until it is stopped. `--to <folder>`, `--only
 * <name>`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { startBrowser, type Visit } from '../lab/browser.ts';
import { inCheckout } from '../lab/paths.ts';
import { freePorts } from '../lab/ports.ts';
import { servePage } from '../src/page-server/serve-page.ts';
import { serveFakeWatchSocket } from '../test/support/fake-watch-socket.ts';
import { liveSample } from '../test/support/live-sample.ts';
import { sampleAnswers } from '../test/support/live-sample-answers.ts';
import { atSignals } from './signals.ts';

/** The time of all images, so that they differ only where the page does. */
const TIME = Date.parse('2026-11-29T09:00:00Z');

/** The most bytes of an image: the repository keeps each version. */
const MOST = 150_000;

/** How often it looks whether a screen has come to rest, and after how many milliseconds each. */
const MOST_TRIES = 20;
const PAUSE = 500;

interface Shot {
  /** Undefined: as its address. */
  readonly name?: string;
  readonly address: string;
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

const SHOTS: readonly Shot[] = [
  { name: 'host', address: '/' },
  { name: 'host-dark', address: '/', colorScheme: 'dark' },
  { name: 'workload', address: '/workloads/shop-api-1' },
  { name: 'denied', address: '/denied' },
  { name: 'denied-narrow', address: '/denied', width: 360, height: 780 },
  { address: '/picture', height: 620 },
  { name: 'keys', address: '/keys/db' },
  { name: 'what-if', address: '/what-if?key=db&add=10.0.3.7%3Atcp%2F8443' },
  { name: 'timeline', address: '/timeline' },
  { name: 'host-rules', address: '/host?from=10.0.7.7&to=shop-db-1&at=tcp%2F5432' },
  { name: 'networks', address: '/networks' },
  { name: 'names', address: '/names' },
  { name: 'cluster', address: '/cluster?q=production.postgresql' },
];

const { values } = parseArgs({
  options: { serve: { type: 'boolean' }, to: { type: 'string' }, only: { type: 'string', multiple: true } },
});

await using resources = new AsyncDisposableStack();
const { origin, link } = await startPage(values.serve === true ? Date.now() : TIME, resources);
if (values.serve === true) {
  console.log(`The page of an invented host, until it is stopped (ctrl-c):\n\n  ${link}\n`);
  await new Promise<void>((resolve) => atSignals(() => resolve()));
} else {
  const folder = values.to ?? inCheckout('docs/images');
  mkdirSync(folder, { recursive: true });
  const browser = resources.use(await startBrowser());
  await using visit = await browser.visit({ reducedMotion: 'reduce' });
  await visit.context.clock.setFixedTime(TIME);
  await visit.page.goto(link);
  await visit.page.locator('.live.live').waitFor();
  const { only } = values;
  for (const one of SHOTS.filter((one) => only?.includes(nameOf(one)) ?? true))
    await take(one, visit, folder);
}

function nameOf({ name, address }: Shot): string {
  return name ?? address.slice(1);
}

async function take(shot: Shot, { page }: Visit, folder: string): Promise<void> {
  const { address, width = 1280, height = 720, colorScheme = 'light' } = shot;
  const name = nameOf(shot);
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme });
  await page.goto(`${origin}${address}`);
  await settled(page);
  const bytes = await stableShot(page);
  if (bytes.length > MOST) throw new Error(`${name}.png has ${bytes.length} bytes; at most ${MOST}`);
  writeFileSync(join(folder, `${name}.png`), bytes);
  console.log(`${name}.png, ${Math.round(bytes.length / 1000)} kB`);
}

/** What a screen asks and loads comes later than its heading: two that are equal are the whole of it. */
async function stableShot(page: Page): Promise<Buffer> {
  const shoot = () => page.screenshot({ animations: 'disabled', caret: 'hide' });
  let last = await shoot();
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    await page.waitForTimeout(PAUSE);
    const next = await shoot();
    if (next.equals(last)) return next;
    last = next;
  }
  throw new Error('the screen does not come to rest');
}

/** Waits for the screen and its state. */
async function settled(page: Page): Promise<void> {
  await page.locator('main h1').waitFor();
  await page.locator('.live.live').waitFor();
  await page.locator('main .empty[role=status]').first().waitFor({ state: 'detached' });
}

/** A page's process with a controller that is a fake. */
async function startPage(
  time: number,
  stack: AsyncDisposableStack,
): Promise<{ readonly origin: string; readonly link: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'egt-screenshots-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  const assets = join(folder, 'page');
  execFileSync(process.execPath, ['scripts/bundle-page.ts', assets], { stdio: 'inherit' });
  const watchSocket = join(folder, 'watch.sock');
  const controller = await serveFakeWatchSocket(watchSocket, liveSample(time), sampleAnswers, () => time);
  stack.defer(() => controller.close());
  const [port = 0] = await freePorts(1);
  const config = {
    ...{ watchSocket, listen: { host: '127.0.0.1', port }, hosts: [] },
    ...{ tokenFile: undefined, cert: undefined, key: undefined, isPublishedOnLoopback: false },
  };
  const printed: string[] = [];
  const print = (line: string) => printed.push(line);
  await servePage({ config, assets, version: '1.0.0', print, report: console.error }, stack);
  return { origin: `http://127.0.0.1:${port}`, link: printed.at(-1) ?? '' };
}
