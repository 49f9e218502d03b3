/**
 * The resources of a running controller: descriptors, child processes, memory, helper containers. A comparison
 * before and after a fault shows leaks.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { waitFor } from '../../lab/wait.ts';
import { assertConsistent } from './agreement.ts';
import type { RunningController } from './egresstrator.ts';
import type { Workloads } from './workloads.ts';

export interface Footprint {
  readonly descriptors: number;
  readonly children: number;
  readonly helpers: number;
}

/** Connections that wait to be used again come and go. */
const SLACK = 6;

export async function footprint(controller: RunningController, workloads: Workloads): Promise<Footprint> {
  const pid = pidOf(controller);
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    children: childrenOf(pid).length,
    helpers: (await helpersIn(workloads)).length,
  };
}

/** Waits until nothing more is held than `before`; what it then tells of itself must agree with the kernel. */
export async function nothingLeaked(
  before: Footprint,
  controller: RunningController,
  workloads: Workloads,
): Promise<void> {
  let now = before;
  const look = async () => {
    now = await footprint(controller, workloads);
    return now.descriptors <= before.descriptors + SLACK && now.children + now.helpers === 0;
  };
  await waitFor(look, { what: 'nothing to be left', timeout: 60_000, interval: 100 }).catch((error) => {
    const open = readdirSync(`/proc/${pidOf(controller)}/fd`).map((fd) => linkOf(controller, fd));
    throw new Error(`${error} ${JSON.stringify({ before, now })}\n${open.join('\n')}`);
  });
  await assertConsistent(controller, workloads);
}

/** Resident memory in MiB. */
export function memoryOf(controller: RunningController): number {
  const status = readFileSync(`/proc/${pidOf(controller)}/status`, 'utf8');
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** The process that was told this controller's socket. */
export function pidOf({ socket }: RunningController): number {
  const isIt = (pid: string) => readText(`/proc/${pid}/cmdline`).split('\0').includes(socket);
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isIt(name));
  if (pid === undefined) throw new Error(`no controller runs at ${socket}`);
  return Number(pid);
}

function childrenOf(pid: number): readonly string[] {
  const lists = readdirSync(`/proc/${pid}/task`).map((task) =>
    readText(`/proc/${pid}/task/${task}/children`),
  );
  return lists.flatMap((list) => list.split(' ')).filter((child) => child.trim() !== '');
}

/** Helpers in namespaces of these workloads: an Engine may be shared with others. */
async function helpersIn(workloads: Workloads): Promise<readonly string[]> {
  const list = (...filter: readonly string[]) =>
    workloads.must('ps', '--all', '--quiet', '--no-trunc', ...filter.flatMap((one) => ['--filter', one]));
  const [ours, helpers] = await Promise.all([
    list(`label=egresstrator-test=${workloads.prefix}`),
    list('label=egresstrator.role=helper'),
  ]);
  const ids = helpers.split('\n').filter(Boolean);
  if (ids.length === 0) return [];
  const seen = await workloads.docker('inspect', '--format', '{{.HostConfig.NetworkMode}}', ...ids);
  const modes = seen.stdout.split('\n').filter(Boolean);
  return modes.filter((mode) => ours.split('\n').includes(mode.replace(/^container:/, '')));
}

function linkOf(controller: RunningController, fd: string): string {
  try {
    return readlinkSync(`/proc/${pidOf(controller)}/fd/${fd}`);
  } catch {
    return '';
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/**
 * Makes a controller that runs with `NODE_OPTIONS=--inspect=127.0.0.1:0` collect its garbage, and returns
 * the MiB of its heap that are left: alone, it grows to whatever the machine has to spare.
 */
export async function heapOf({ output }: RunningController): Promise<number> {
  const address = output.match(/Debugger listening on (ws:\S+)/)?.[1];
  if (address === undefined) throw new Error('this controller has no inspector');
  const socket = new WebSocket(address);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const ask = (id: number, method: string) => socket.send(JSON.stringify({ id, method }));
  socket.addEventListener('error', () => reject(new Error(`no answer from ${address}`)));
  socket.addEventListener('open', () => ask(1, 'HeapProfiler.collectGarbage'));
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(String(data));
    if (id === 1) ask(2, 'Runtime.getHeapUsage');
    if (id === 2) resolve(Number(result.usedSize) / 2 ** 20);
  });
  return promise.finally(() => socket.close());
}
