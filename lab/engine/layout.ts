/** The files of one engine of the lab. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '../errors.ts';
import { labFolder, labRunFolder } from '../paths.ts';

export interface EngineLayout {
  readonly folder: string;
  readonly dataRoot: string;
  readonly logFile: string;
  readonly recordFile: string;
  /** Read at start and at `reload()`; made as `{}` if it is missing. */
  readonly configFile: string;
  readonly runFolder: string;
  readonly execRoot: string;
  readonly pidFile: string;
  readonly socketPath: string;
}

export function engineLayout(name: string, configFile?: string): EngineLayout {
  if (!/^[\w.-]{1,40}$/.test(name)) {
    throw new LabError(`"${name}" is no engine name: use up to 40 letters, digits, dots and dashes.`);
  }
  const folder = labFolder('engines', name);
  const runFolder = labRunFolder('engines', name);
  return {
    folder,
    dataRoot: join(folder, 'data'),
    logFile: join(folder, 'dockerd.log'),
    recordFile: join(folder, 'process.json'),
    configFile: withDefaultContent(configFile ?? join(folder, 'daemon.json')),
    runFolder,
    execRoot: join(runFolder, 'exec'),
    pidFile: join(runFolder, 'dockerd.pid'),
    socketPath: join(runFolder, 'docker.sock'),
  };
}

function withDefaultContent(configFile: string): string {
  if (!existsSync(configFile)) writeFileSync(configFile, '{}\n');
  return configFile;
}
