/**
 * Collects what networks.json needs, for `doctor`.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { messageOf } from '../../common/errors.ts';
import { readRegularFile } from '../../common/regular-file.ts';
import type { Config } from '../../config/config.ts';
import { runProgram } from '../../dataplane/run-program.ts';
import { checkNetworks } from '../../features/networks/check.ts';
import type { Found, NetworksFacts } from './facts.ts';

export async function collectNetworks({
  networks,
  stateDir,
}: Pick<Config, 'networks' | 'stateDir'>): Promise<NetworksFacts | undefined> {
  if (networks === undefined) return undefined;
  const path = resolve(networks);
  const [file, isMountedAlone, hasIp, forwards] = await Promise.all([
    readFileFacts(path),
    isMountPoint(path),
    runProgram({ file: 'ip', args: ['-V'], limit: 10_000, mostOutput: 10_000 }).then(
      ({ exitCode }) => exitCode === 0,
    ),
    readFile('/proc/sys/net/ipv4/ip_forward', 'utf8').then(
      (text) => text.trim() === '1',
      () => undefined,
    ),
  ]);
  return { path, file, isMountedAlone, hasIp, forwards, isKept: stateDir !== undefined };
}

async function readFileFacts(path: string): Promise<Found<{ readonly errors: number }>> {
  try {
    const checked = checkNetworks(await readRegularFile(path));
    if ('reason' in checked) return { error: `the file ${checked.reason}` };
    return { value: { errors: checked.problems.filter(({ severity }) => severity === 'error').length } };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

const isMountPoint = async (path: string): Promise<boolean> =>
  mountPoints(await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')).has(path);

/** The kernel writes spaces and the like as three octal digits. */
export const mountPoints = (mountinfo: string): ReadonlySet<string> =>
  new Set(
    mountinfo
      .split('\n')
      .flatMap((line) => line.split(' ')[4] ?? [])
      .map((path) =>
        path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
      ),
  );
