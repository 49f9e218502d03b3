/** One dockerd of the lab: starts, ends, kills and recognises its process. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LabError, tail } from '../errors.ts';
import {
  end,
  gone,
  identify,
  isAlive,
  launch,
  type ProcessIdentity,
  readOrUndefined,
  signal,
} from '../process.ts';
import { waitFor } from '../wait.ts';
import type { AddressBlock } from './address-block.ts';
import { answeringVersion } from './api.ts';
import type { EngineLayout } from './layout.ts';
import type { EngineNetwork } from './network.ts';
import type { EnginePrograms } from './programs.ts';
import { readRecord, removeRecord, writeRecord } from './record.ts';

export interface DaemonOptions {
  readonly layout: EngineLayout;
  readonly programs: EnginePrograms;
  readonly block: AddressBlock;
  readonly network: EngineNetwork;
  readonly daemonOptions: readonly string[];
  readonly diesWithParent: boolean;
}

/** Returns the Engine's version once it answers. A dockerd that already runs with the same options is kept. */
export async function ensureDaemon(options: DaemonOptions): Promise<string> {
  const { layout } = options;
  const command = commandLine(options);
  const running = readRecord(layout.recordFile);
  if (running !== undefined && JSON.stringify(running.command) !== JSON.stringify(command)) {
    await endDaemon(layout);
  }
  const process = readRecord(layout.recordFile)?.process ?? (await startDaemon(options));
  return untilItAnswers(layout, process);
}

export async function endDaemon(layout: EngineLayout): Promise<void> {
  const running = readRecord(layout.recordFile);
  // Containers get 10 s each to end, side by side; dockerd itself gives up after 15.
  if (running !== undefined) await end(running.process, 60_000);
  await endContainerd(layout);
  removeRecord(layout.recordFile);
}

/** Kills it, as a crash does: containers continue without an Engine. */
export async function killDaemon(layout: EngineLayout): Promise<void> {
  const running = readRecord(layout.recordFile);
  if (running === undefined) return;
  signal(running.process, 'SIGKILL');
  await gone(running.process);
  await endContainerd(layout);
  removeRecord(layout.recordFile);
}

/** Makes dockerd read its daemon.json again. */
export function reloadDaemon(layout: EngineLayout): void {
  const running = readRecord(layout.recordFile);
  if (running === undefined) throw new LabError(`No Engine of the lab runs at ${layout.socketPath}.`);
  signal(running.process, 'SIGHUP');
}

async function startDaemon(options: DaemonOptions): Promise<ProcessIdentity> {
  const { layout, programs, network, diesWithParent } = options;
  const command = commandLine(options);
  const [file = programs.dockerd, ...args] = command;
  await endContainerd(layout);
  for (const leftover of [layout.pidFile, layout.socketPath]) rmSync(leftover, { force: true });
  await network.prepare();
  const process = launch({
    command: file,
    args,
    logFile: layout.logFile,
    env: { PATH: programs.path },
    parentDeathSignal: diesWithParent ? 'TERM' : undefined,
  });
  writeRecord(layout.recordFile, { process, command });
  return process;
}

function commandLine({ layout, programs, block, network, daemonOptions }: DaemonOptions): readonly string[] {
  return [
    ...network.prefix,
    programs.dockerd,
    ...['--config-file', layout.configFile],
    ...['--data-root', layout.dataRoot],
    ...['--exec-root', layout.execRoot],
    ...['--pidfile', layout.pidFile],
    ...['--host', `unix://${layout.socketPath}`],
    ...['--default-address-pool', `base=${block.pool},size=24`],
    ...programs.daemonOptions,
    ...network.daemonOptions,
    ...daemonOptions,
  ];
}

async function untilItAnswers(layout: EngineLayout, process: ProcessIdentity): Promise<string> {
  const what = 'dockerd to answer';
  try {
    return await waitFor(() => versionOrDeath(layout, process), { what, timeout: 120_000 });
  } catch (error) {
    const log = tail(readOrUndefined(layout.logFile) ?? '');
    throw new LabError(`dockerd did not come up. The end of ${layout.logFile}:\n${log}`, { cause: error });
  }
}

async function versionOrDeath(layout: EngineLayout, process: ProcessIdentity): Promise<string | undefined> {
  if (!isAlive(process)) throw new LabError('dockerd ended.');
  return existsSync(layout.socketPath) ? answeringVersion(layout.socketPath) : undefined;
}

/** dockerd ends its containerd with itself, but not when it is killed. */
async function endContainerd(layout: EngineLayout): Promise<void> {
  const pidFile = join(layout.execRoot, 'containerd/containerd.pid');
  const pid = Number(readOrUndefined(pidFile));
  const identity = pid > 0 ? identify(pid) : undefined;
  const isOurs = readOrUndefined(`/proc/${pid}/cmdline`)?.includes(layout.execRoot) ?? false;
  if (identity !== undefined && isOurs) await end(identity);
  // Engine 20.10 mistakes a zombie for a running containerd, and waits for it until a time-out.
  rmSync(pidFile, { force: true });
}
