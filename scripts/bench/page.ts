/**
 * What the watch socket costs a controller, and how soon a reader sees a denial.
 */
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Consul } from '../../lab/consul.ts';
import type { Engine } from '../../lab/engine.ts';
import { type RunningController, startController } from '../../test/support/egresstrator.ts';
import { type LiveReader, readLive } from '../../test/support/live-stream.ts';
import { connects, type Workload, Workloads } from '../../test/support/workloads.ts';
import { type Figure, sample } from './measure.ts';
import { usageOf } from './usage.ts';

export interface PageBench {
  readonly engine: Engine;
  readonly consul: Consul;
  readonly image: string;
  readonly program: string;
  readonly seconds: number;
  readonly denials: number;
}

/** Milliseconds until all work of the start is over. */
const SETTLE_TIME = 25_000;
/** Milliseconds from its packet until a denial is in the stream. */
const MOST_DELAY = 1_500;

export async function benchPage(bench: PageBench): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'egt-page-'));
  try {
    return [
      ...(await benchNobody(bench, folder)),
      ...(await benchDenials(bench, 'nsenter', folder)),
      ...(await benchDenials(bench, 'helper', folder)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Two controllers, one with the socket: nobody reads it. */
async function benchNobody(bench: PageBench, folder: string): Promise<readonly Figure[]> {
  const { seconds } = bench;
  await using off = await start(bench, 'nsenter', ['--node', 'without']);
  await using on = await start(bench, 'nsenter', ['--watch-socket', join(folder, 'idle', 'watch.sock')]);
  await sleep(SETTLE_TIME);
  const [without, used] = await Promise.all([off, on].map(({ pid }) => usageOf(pid, seconds)));
  const group = 'page, with the socket on and nobody there';
  return [
    {
      ...{ group, what: 'memory of its own', unit: 'MB', value: used?.anonymous ?? 0 },
      ...{ floor: without?.anonymous ?? 0, floorName: 'without the socket', target: '≤ 1.03' },
    },
    {
      ...{ group, what: 'connections', unit: 'sockets', value: socketsOf(on) - 1 },
      ...{ floor: socketsOf(off), floorName: 'without the socket', target: '≤ 1' },
    },
    {
      ...{ group, what: 'wake-ups', unit: '1/s', value: used?.wakeUps ?? 0 },
      ...{ floor: without?.wakeUps ?? 0, floorName: 'without the socket' },
    },
  ];
}

async function benchDenials(
  bench: PageBench,
  loader: 'nsenter' | 'helper',
  folder: string,
): Promise<readonly Figure[]> {
  const path = join(folder, loader, 'watch.sock');
  await using workloads = await Workloads.on(bench.engine);
  await using controller = await start(bench, loader, ['--watch-socket', path]);
  const web = await workloads.run('web', { acl: 'page' });
  await controller.logged(
    ({ msg, container }) => msg === 'rules loaded' && container === web.name,
    'rules loaded',
  );
  const reader = readLive(path);
  try {
    const delays = await delaysOf(reader, web, bench.denials);
    const { median, most } = sample(delays);
    const what = `a denial is seen by a reader, by ${loader}`;
    const figure = { group: 'page, with a reader', unit: 'ms' };
    return [
      { ...figure, what: `${what}, median`, value: median, most: MOST_DELAY },
      { ...figure, what: `${what}, the latest of ${delays.length}`, value: most },
    ];
  } finally {
    reader.close();
  }
}

/** Milliseconds from the end of a call that was denied until the reader has it. */
async function delaysOf(reader: LiveReader, web: Workload, count: number): Promise<readonly number[]> {
  await reader.until(({ workloads }) => workloads.size > 0);
  const delays: number[] = [];
  for (let port = 1; port <= count; port += 1) {
    // At different moments of a round.
    await sleep(700 + 97 * (port % 10));
    const outcome = await connects(web, '10.254.254.254', port);
    if (outcome !== 'refused') throw new Error(`a call that must be denied ended as ${outcome}`);
    const from = performance.now();
    await reader.until(({ denied }) => [...denied.values()].some((one) => one.port === port));
    delays.push(performance.now() - from);
  }
  return delays;
}

const start = (
  { engine, consul, image, program }: PageBench,
  loader: string,
  args: readonly string[],
): Promise<RunningController> =>
  startController({
    ...{ engine, program },
    args: [
      '-c',
      consul.address,
      '-k',
      'page/',
      '-i',
      image,
      '--loader',
      loader,
      '--register',
      'none',
      ...args,
    ],
  });

const socketsOf = ({ pid }: RunningController): number =>
  readdirSync(`/proc/${pid}/fd`).filter((fd) => isSocket(`/proc/${pid}/fd/${fd}`)).length;

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:');
  } catch {
    return false;
  }
}
