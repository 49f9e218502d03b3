/**
 * Checks whether the gate can work on this host: the file system, the user, the programs that it calls, and a kernel
 * that accepts its rules.
 */
import { existsSync, lstatSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { UserError } from '../common/errors.ts';
import { runProgram } from '../dataplane/run-program.ts';
import { type GateSettings, onHost } from './layout.ts';
import { lockdownText } from './programs.ts';

/** The programs that the gate calls, and their packages on the usual distributions. */
const TOOLS: Readonly<Record<string, string>> = {
  nft: 'nftables',
  nsenter: 'util-linux',
  awk: 'mawk or gawk',
  sha256sum: 'coreutils',
  timeout: 'coreutils',
};

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** How to run a command of the gate from the image. */
export const FROM_CONTAINER = `in a container, run it with the host's files and processes: docker run --rm --privileged --pid host --network none -v /:/host -v /var/run/docker.sock:/var/run/docker.sock <image> gate install --root /host`;

/** Throws a `UserError` if the gate's files cannot be changed from here. */
export function requireHost({ root }: GateSettings): void {
  if (process.platform !== 'linux')
    throw new UserError('the gate needs Linux, where the Docker Engine runs containers itself');
  if (process.getuid?.() !== 0)
    throw new UserError("the gate changes the host's Docker Engine: run this as root");
  if (!existsSync(join(root, 'etc')))
    throw new UserError(`--root ${root}: no host's file system is mounted there`);
}

/** The missing programs, as `nft (package nftables)`. */
export const missingTools = (settings: Pick<GateSettings, 'root'>): readonly string[] =>
  Object.entries(TOOLS)
    .filter(([tool]) => findProgram(settings, tool) === undefined)
    .map(([tool, packageName]) => `${tool} (package ${packageName})`);

export function requireTools(settings: GateSettings): void {
  const missing = missingTools(settings);
  if (missing.length > 0)
    throw new UserError(`the host lacks programs that the gate needs: ${missing.join(', ')}`);
}

/** Finds a program of the host by its name or path. A link counts, even if it leads out of the mounted root. */
export function findProgram(
  settings: Pick<GateSettings, 'root'>,
  program: string,
  path = '',
): string | undefined {
  const folders = [...path.split(':').filter((folder) => isAbsolute(folder)), ...FOLDERS];
  const candidates = program.includes('/') ? [program] : folders.map((folder) => join(folder, program));
  return candidates.find(
    (candidate) => lstatSync(onHost(settings, candidate), { throwIfNoEntry: false }) !== undefined,
  );
}

/** Loads the lockdown rules in an empty namespace with the host's own programs. Throws a `UserError`. */
export async function testLockdown({ root, libDir }: GateSettings): Promise<void> {
  const load = ['timeout', '10', 'unshare', '--net', 'sh', join(libDir, 'netns'), 'load', 'egress'];
  const ended = await runProgram({
    file: 'chroot',
    args: [root, ...load],
    stdin: lockdownText(),
    limit: 15_000,
    mostOutput: 100_000,
  });
  if (ended.exitCode === 0) return;
  const reason = ended.failure ?? ended.stderr.trim().split('\n').at(-1) ?? '';
  throw new UserError(
    `this host's kernel or nft rejects the gate's rules, so nothing was changed: ${reason}`,
  );
}
