/**
 * A real Docker Engine: the machine's own if it has one, else a dockerd that the lab starts. It
 * keeps running after the process that started it, so that the next run finds it and starts quicker.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { claimAddressBlock, releaseAddressBlock } from './engine/address-block.ts';
import { answeringVersion, removeAllContainers, removeNetworks } from './engine/api.ts';
import { type DaemonOptions, endDaemon, ensureDaemon, killDaemon, reloadDaemon } from './engine/daemon.ts';
import { engineLayout } from './engine/layout.ts';
import { unmountBelow } from './engine/mounts.ts';
import { engineNetwork, type NetworkKind } from './engine/network.ts';
import { type EngineVersion, enginePrograms, withLegacyIptables } from './engine/programs.ts';
import { readRecord } from './engine/record.ts';
import { LabError } from './errors.ts';
import { withLock } from './lock.ts';
import { log } from './log.ts';

export type { NetworkKind } from './engine/network.ts';
export type { EngineVersion } from './engine/programs.ts';

export interface EngineOptions {
  readonly version: EngineVersion;
  /** Engines of different names run side by side; default: the version. */
  readonly name?: string;
  /** More options of dockerd: `['--live-restore']`. Different options restart a running engine. */
  readonly daemonOptions?: readonly string[];
  /** dockerd's daemon.json; default: one of the lab's own. It must not repeat an option given here. */
  readonly configFile?: string;
  /** Default: `machine` for `host`, `own` for the others; see `engine/network.ts`. */
  readonly network?: NetworkKind;
  /** Which tools it makes its rules with; default: the machine's own. */
  readonly iptables?: 'legacy';
  /** The engine ends with this process; default false. */
  readonly diesWithParent?: boolean;
  /** The environment with DOCKER_HOST; default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
}

export interface Engine {
  readonly name: string;
  /** The version that it reports: `20.10.24+dfsg1`. */
  readonly version: string;
  readonly socketPath: string;
  /** False for an Engine that existed before the lab, which the lab does not stop or restart. */
  readonly isOwn: boolean;
  /** The prefix of a command that runs in the network namespace of the Engine and of `--network host` containers. */
  readonly networkPrefix: readonly string[];
  /** The address at which this machine reaches the ports that containers publish. */
  readonly publishedAddress: string;
  stop(): Promise<void>;
  restart(): Promise<void>;
  kill(): Promise<void>;
}

/** An engine that the lab itself started. */
export interface OwnEngine extends Engine {
  readonly configFile: string;
  readonly dataRoot: string;
  readonly logFile: string;
  /** The address at which its containers reach programs that listen on all of this machine's addresses. */
  readonly machineAddress: string;
  /** Starts it again after `stop()` or `kill()`; a no-op if it runs. */
  start(): Promise<void>;
  /** SIGTERM; containers are stopped too, unless the Engine has live-restore. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash; containers go on. */
  kill(): Promise<void>;
  /** Makes it read its daemon.json again. */
  reload(): void;
  /** Stops it and removes all but its images, which the next Engine of its name need not import. */
  reset(): Promise<void>;
  /** Stops it and removes its containers, images and all its files. */
  remove(): Promise<void>;
}

/** The requested Engine; `host` is one that already answers, if there is one. */
export async function ensureEngine(options: EngineOptions): Promise<Engine> {
  const found = options.version === 'host' ? await enginePresent(options.env) : undefined;
  return found ?? startEngine(options);
}

/** An engine that the lab starts, even if the machine has one. */
export async function startEngine(options: EngineOptions): Promise<OwnEngine> {
  const { version, name = version, daemonOptions = [], diesWithParent = false } = options;
  const layout = engineLayout(name, options.configFile);
  return withLock(`engine-${name}`, async () => {
    const installed = await enginePrograms(version);
    const programs = options.iptables === 'legacy' ? withLegacyIptables(installed) : installed;
    const block = await claimAddressBlock(layout.folder);
    const network = engineNetwork(options.network ?? (version === 'host' ? 'machine' : 'own'), block);
    const daemon = { layout, programs, block, network, daemonOptions, diesWithParent };
    const wasRunning = readRecord(layout.recordFile) !== undefined;
    const from = performance.now();
    const answered = await ensureDaemon(daemon);
    const seconds = ((performance.now() - from) / 1000).toFixed(1);
    log(
      `${wasRunning ? 'found' : 'started'} Docker Engine ${answered} at ${layout.socketPath} (${seconds} s)`,
    );
    return ownEngine(name, answered, daemon);
  });
}

function ownEngine(name: string, version: string, daemon: DaemonOptions): OwnEngine {
  const { layout, network } = daemon;
  const { socketPath, configFile, dataRoot, logFile } = layout;
  const start = async () => void (await ensureDaemon(daemon));
  const stop = () => endDaemon(layout);
  return {
    ...{ name, version, socketPath, configFile, dataRoot, logFile, isOwn: true, start, stop },
    networkPrefix: network.prefix,
    publishedAddress: network.publishedAddress,
    machineAddress: network.machineAddress,
    restart: async () => {
      await stop();
      await start();
    },
    kill: () => killDaemon(layout),
    reload: () => reloadDaemon(layout),
    reset: () => resetEngine(daemon),
    remove: () => removeEngine(daemon),
  };
}

async function resetEngine(daemon: DaemonOptions): Promise<void> {
  const { layout, network, block } = daemon;
  // Containers that still run after a kill or a live-restore can only be ended through an Engine.
  await ensureDaemon(daemon);
  await removeAllContainers(layout.socketPath);
  await removeNetworks(layout.socketPath);
  await endDaemon(layout);
  await network.dispose();
  releaseAddressBlock(block);
  await unmountBelow([layout.folder, layout.runFolder]);
  rmSync(join(layout.folder, 'daemon.json'), { force: true });
}

async function removeEngine(daemon: DaemonOptions): Promise<void> {
  const { layout } = daemon;
  await resetEngine(daemon);
  for (const folder of [layout.folder, layout.runFolder]) rmSync(folder, { recursive: true, force: true });
}

async function enginePresent(env = process.env): Promise<Engine | undefined> {
  const address = env.DOCKER_HOST ?? 'unix:///var/run/docker.sock';
  const socketPath = /^unix:\/\/(.+)$/.exec(address)?.[1];
  if (socketPath === undefined) {
    throw new LabError(`DOCKER_HOST is ${address}; the lab needs unix://… or an unset DOCKER_HOST.`);
  }
  const version = await answeringVersion(socketPath);
  if (version === undefined) return undefined;
  log(`found Docker Engine ${version} at ${socketPath}`);
  return foreignEngine(socketPath, version);
}

function foreignEngine(socketPath: string, version: string): Engine {
  const refuse = async () => {
    throw new LabError(`The Engine at ${socketPath} is not the lab's, so the lab does not stop or kill it.`);
  };
  const stop = async () => {};
  return {
    ...{ name: 'host', version, socketPath, isOwn: false, networkPrefix: [], publishedAddress: '127.0.0.1' },
    ...{ stop, restart: refuse, kill: refuse },
  };
}
