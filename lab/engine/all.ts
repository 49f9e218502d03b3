/** All engines that this lab has started, for `lab/cli.ts`. */
import { existsSync, readdirSync } from 'node:fs';
import { labFolder } from '../paths.ts';
import { claimedBlock, releaseAddressBlock } from './address-block.ts';
import { answeringVersion } from './api.ts';
import { endDaemon } from './daemon.ts';
import { engineLayout } from './layout.ts';
import { unmountBelow } from './mounts.ts';
import { engineNetwork } from './network.ts';
import { readRecord } from './record.ts';

export interface EngineStatus {
  readonly name: string;
  readonly socketPath: string;
  /** Undefined if it does not run. */
  readonly pid: number | undefined;
  readonly version: string | undefined;
}

export function labEngines(): Promise<readonly EngineStatus[]> {
  return Promise.all(engineNames().map(statusOf));
}

/** Stops the engine and removes its interfaces and mounts from the machine; its images and containers are kept. */
export async function stopLabEngine(name: string): Promise<void> {
  const layout = engineLayout(name);
  await endDaemon(layout);
  await unmountBelow([layout.folder, layout.runFolder]);
  const block = claimedBlock(layout.folder);
  if (block === undefined) return;
  for (const kind of ['machine', 'own'] as const) await engineNetwork(kind, block).dispose();
  releaseAddressBlock(block);
}

async function statusOf(name: string): Promise<EngineStatus> {
  const { recordFile, socketPath } = engineLayout(name);
  const pid = readRecord(recordFile)?.process.pid;
  const version = existsSync(socketPath) ? await answeringVersion(socketPath) : undefined;
  return { name, socketPath, pid, version };
}

function engineNames(): readonly string[] {
  return readdirSync(labFolder('engines'));
}
