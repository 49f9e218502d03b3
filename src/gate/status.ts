/**
 * `egresstrator gate status`: whether the gate is on the host, current, and known to the Engine.
 */
import { readdirSync } from 'node:fs';
import { engineFacts } from './engine-answers.ts';
import { missingTools } from './host.ts';
import { type GateSettings, onHost, RUNTIME, runtimePath } from './layout.ts';
import { preparedFolder } from './names.ts';
import { outdated, parseConf, programFiles, readInstalled } from './programs.ts';

export interface GateStatus {
  readonly installed: boolean;
  /** The files on the host are those of this version. */
  readonly current: boolean;
  /** Undefined if no Engine answers. */
  readonly knownToEngine: boolean | undefined;
  readonly isDefault: boolean;
  /** Missing on the host, as `nft (package nftables)`. */
  readonly missingTools: readonly string[];
  readonly libDir: string;
  readonly runDir: string;
  readonly runtime: string | undefined;
  /** How many texts the controller has prepared. */
  readonly preparedTexts: number;
}

export async function gateStatus(settings: GateSettings): Promise<GateStatus> {
  const facts = await engineFacts(settings.socketPath);
  const conf = parseConf((await readInstalled(settings, 'gate.conf')) ?? '');
  const runDir = conf.run_dir ?? settings.runDir;
  const installed = conf.runtime !== undefined;
  return {
    installed,
    current: installed && (await outdated(settings, await programFiles())).length === 0,
    knownToEngine: facts === undefined ? undefined : facts.gatePath === runtimePath(settings),
    isDefault: facts?.defaultRuntime === RUNTIME,
    missingTools: missingTools(settings),
    libDir: settings.libDir,
    runDir,
    runtime: conf.runtime,
    preparedTexts: countTexts(onHost(settings, preparedFolder(runDir))),
  };
}

/** True if containers that use the gate start through a working one. */
export const isWorking = (status: GateStatus): boolean =>
  status.current && status.knownToEngine === true && status.missingTools.length === 0;

function countTexts(folder: string): number {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.nft')).length;
  } catch {
    return 0;
  }
}
