/**
 * The page in a browser: how soon it can be used, also of a large host, what a change costs there, and what browsers cost the
 * page's process. The controller is a fake, and the page's process the built program.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { type Browser, startBrowser, type Visit } from '../../lab/browser.ts';
import { deniedId } from '../../src/live/tables.ts';
import { type FakeWatchSocket, serveFakeWatchSocket } from '../../test/support/fake-watch-socket.ts';
import { largeSample, liveSample } from '../../test/support/live-sample.ts';
import { sampleAnswers } from '../../test/support/live-sample-answers.ts';
import { PageProgram } from '../../test/support/page-program.ts';
import { type Figure, milliseconds, sample } from './measure.ts';

export interface BrowserBench {
  readonly program: string;
  readonly rounds: number;
  readonly workloads: number;
  readonly denials: number;
}

const GROUP = 'page, in a browser';
/** Milliseconds. */
const USABLE = 1_000;
const NOTICED = 100;

export async function benchBrowser(bench: BrowserBench): Promise<readonly Figure[]> {
  const { workloads, denials } = bench;
  const all = `${workloads} workloads, ${denials} denials`;
  return [
    ...(await withPage(bench, liveSample(Date.now()), async (parts) => opened('a small host', parts))),
    ...(await withPage(bench, largeSample(Date.now(), workloads, denials), async (parts) => [
      ...(await opened(all, parts)),
      ...(await changed(all, parts)),
      ...(await remembered(all, parts)),
    ])),
  ];
}

interface Parts {
  readonly program: PageProgram;
  readonly browser: Browser;
  readonly controller: FakeWatchSocket;
  readonly state: ReturnType<typeof liveSample>;
  readonly rounds: number;
}

async function withPage(
  { program, rounds }: BrowserBench,
  state: Parts['state'],
  measure: (parts: Parts) => Promise<readonly Figure[]>,
): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'egt-page-'));
  const socket = join(folder, 'watch.sock');
  const controller = await serveFakeWatchSocket(socket, state, sampleAnswers);
  try {
    await using page = await PageProgram.start(socket, program);
    await using browser = await startBrowser();
    return await measure({ program: page, browser, controller, state, rounds });
  } finally {
    await controller.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const figure = (what: string, value: number, unit: string, most?: number): Figure => ({
  ...{ group: GROUP, what, value, unit },
  ...(most === undefined ? {} : { most }),
});

/** By a browser that has nothing of it yet. */
async function opened(what: string, parts: Parts): Promise<readonly Figure[]> {
  const [seen, used, bytes]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round < parts.rounds; round += 1) {
    await using visit = await parts.browser.visit();
    const loaded = bytesOf(visit);
    seen.push(await milliseconds(() => open(parts.program, visit.page)));
    bytes.push(await loaded());
    used.push(await milliseconds(() => filter(visit.page)));
  }
  return [
    figure(`${what}: first opened until its workloads are seen`, sample(seen).median, 'ms', USABLE),
    figure(`${what}: a filter is typed until it is applied`, sample(used).median, 'ms', 2 * NOTICED),
    figure(`${what}: loaded until then, as sent`, sample(bytes).median / 1000, 'kB'),
  ];
}

async function open({ link }: PageProgram, page: Page): Promise<void> {
  await page.goto(link, { waitUntil: 'commit' });
  await rows(page).first().waitFor();
}

const rows = (page: Page) => page.locator('section:has(input[type=search]) tbody a[href^="/workloads/"]');

async function filter(page: Page): Promise<void> {
  await page.getByRole('searchbox').first().fill('no such workload');
  await rows(page).first().waitFor({ state: 'detached' });
}

/** Of the program's files, headers left out. */
function bytesOf({ context }: Visit): () => Promise<number> {
  const sizes: Promise<number>[] = [];
  context.on('requestfinished', (finished) => {
    if (new URL(finished.url()).pathname !== '/live')
      sizes.push(
        finished.sizes().then(
          ({ responseBodySize }) => responseBodySize,
          // Of what came after the figure was taken.
          () => 0,
        ),
      );
  });
  return async () => (await Promise.all(sizes)).reduce((sum, one) => sum + one, 0);
}

/** Ten rows change, again and again. */
async function changed(
  what: string,
  { program, browser, controller, state, rounds }: Parts,
): Promise<readonly Figure[]> {
  await using visit = await browser.visit();
  const { page } = visit;
  await open(program, page);
  await page.goto(`${program.origin}/denied`);
  await page.locator('main tbody tr').first().waitFor();
  const session = await visit.context.newCDPSession(page);
  await session.send('Performance.enable');
  const [times, delays]: [number[], number[]] = [[], []];
  for (let round = 1; round <= 10 * rounds; round += 1) {
    const before = await busy(session);
    delays.push(await milliseconds(() => change(page, controller, state, round)));
    times.push((await busy(session)) - before);
  }
  return [
    figure(`${what}: a change until it is seen`, sample(delays).median, 'ms'),
    figure(`${what}: what a change keeps the browser busy`, sample(times).median, 'ms', NOTICED),
  ];
}

async function change(
  page: Page,
  controller: FakeWatchSocket,
  { denied }: Parts['state'],
  round: number,
): Promise<void> {
  const packets = 1_000_000 + round;
  // The newest stand first.
  const set = [...denied.values()]
    .toSorted((one, other) => other.firstSeenAt - one.firstSeenAt)
    .slice(0, 10)
    .map((row) => [deniedId(row), { ...row, packets, lastSeenAt: Date.now() }] as const);
  controller.change({ denied: { set } });
  await page
    .locator('main tbody', { hasText: packets.toLocaleString('en-US') })
    .first()
    .waitFor();
}

interface Metrics {
  send(method: 'Performance.getMetrics'): Promise<{
    readonly metrics: readonly { readonly name: string; readonly value: number }[];
  }>;
}

/** Milliseconds for which the page's thread has worked so far. */
async function busy(session: Metrics): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? 0);
}

/** Memory of the page's process with streams of one, and of seven browsers. */
async function remembered(what: string, { program, browser }: Parts): Promise<readonly Figure[]> {
  await using visit = await browser.visit();
  await open(program, visit.page);
  const [cookie] = await visit.context.cookies();
  const header = `${cookie?.name}=${cookie?.value}`;
  await sleep(1_000);
  const one = memoryOf(program);
  const streams = await Promise.all(Array.from({ length: 6 }, () => stream(program, header)));
  await sleep(1_000);
  const seven = memoryOf(program);
  for (const end of streams) end();
  return [
    figure(`${what}: memory of the page's process with a browser`, one, 'MB'),
    {
      ...figure(`${what}: with seven`, seven, 'MB'),
      ...{ floor: one, floorName: 'with one', target: '≤ 1.5' },
    },
  ];
}

const memoryOf = ({ pid }: PageProgram): number =>
  Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;

/** Reads all of a stream; returns what ends it. */
const stream = ({ origin }: PageProgram, cookie: string): Promise<() => void> =>
  new Promise((resolve, reject) => {
    request(`${origin}/live`, { headers: { cookie } }, (response) => {
      response.once('data', () => resolve(() => response.destroy()));
      response.resume();
    })
      .on('error', reject)
      .end();
  });
