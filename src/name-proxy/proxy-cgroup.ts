/**
 * The cgroup of our sockets in namespaces of workloads. A rule that lets them ask Docker's resolver knows them by it: a
 * workload can send packets from our address and port, but cannot put a socket of its own into this cgroup.
 *
 * Rules in kernels know it by its number, so it stays when a controller ends. Each controller has a folder of its own in
 * it, so that nobody removes it from under another one.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { messageOf, UserError } from '../common/errors.ts';

export interface ProxyCgroup {
  /** Its folder. */
  readonly folder: string;
  /** The file that a process writes to in order to join it. */
  readonly processes: string;
  /** As nft reads it: below `/sys/fs/cgroup`. */
  readonly path: string;
  /** How deep it is below the root of its hierarchy, as `socket cgroupv2 level` counts. */
  readonly level: number;
  /** Says that this process has no sockets in it any more. */
  release(): void;
}

const NAME = 'egresstrator-names';
/** Where nft looks for cgroups, whether that is the hierarchy of version 2 or a folder with several. */
const NFT_ROOT = '/sys/fs/cgroup';
const MOUNTS = '/proc/self/mountinfo';

/** Creates it, or finds it; throws an error that says why there is none. */
export function prepareCgroup(mountInfo: string = readFileSync(MOUNTS, 'utf8')): ProxyCgroup {
  const mount = findCgroup2(mountInfo);
  if (mount === undefined)
    throw unavailable(`no hierarchy of cgroups version 2 is mounted at ${NFT_ROOT} or below it`);
  const folder = join(mount, NAME);
  return { ...joinFolder(folder), folder, path: relative(NFT_ROOT, folder), level: 1 };
}

/** This process's part of it, in place of those of processes that have ended. */
export function joinFolder(folder: string): Pick<ProxyCgroup, 'processes' | 'release'> {
  const own = join(folder, `${process.pid}.${startOf(process.pid)}`);
  try {
    mkdirSync(own, { recursive: true });
  } catch (error) {
    throw unavailable(`${own} cannot be created: ${messageOf(error)}`, error);
  }
  removeEnded(folder);
  return { processes: join(own, 'cgroup.procs'), release: () => remove(own) };
}

/** Its folder as this process sees it, if it is there. `root`: where the host's files are. */
export function existingCgroup(
  root = '/',
  mountInfo: string = readFileSync(MOUNTS, 'utf8'),
): string | undefined {
  const mount = findCgroup2(mountInfo, root);
  const folder = mount && join(mount, NAME);
  return folder !== undefined && partsOf(folder) !== undefined ? folder : undefined;
}

/** Removes it. Returns who uses it, if it must stay; rules that have it must be gone. */
export function removeCgroup(folder: string): string | undefined {
  const [user] = removeEnded(folder);
  if (user !== undefined) return `the process ${user} uses it`;
  rmdirSync(folder);
  return undefined;
}

/**
 * Where cgroups of version 2 are mounted, among the places where nft finds them. `root`: where the host's files are.
 */
export function findCgroup2(mountInfo: string, root = '/'): string | undefined {
  const expected = join(root, NFT_ROOT);
  const mounts = mountInfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type] = after.split(' ');
    return type === 'cgroup2' ? (before.split(' ')[4] ?? []) : [];
  });
  return mounts.find((mount) => mount === expected || mount.startsWith(`${expected}/`));
}

/** Returns the ids of the processes that go on. */
function removeEnded(folder: string): readonly string[] {
  const parts = (partsOf(folder) ?? []).map((name) => ({ name, id: name.split('.')[0] ?? '' }));
  const isUsed = ({ name, id }: (typeof parts)[number]) => name === `${id}.${startOf(id)}`;
  for (const one of parts) if (!isUsed(one)) remove(join(folder, one.name));
  return parts.filter(isUsed).map(({ id }) => id);
}

/** The folders in it. Undefined: it is not there. */
function partsOf(folder: string): readonly string[] | undefined {
  try {
    return readdirSync(folder).filter((name) => /^\d+\.\d+$/.test(name));
  } catch {
    return undefined;
  }
}

/** When a process began, in ticks since the boot: its id alone may be another process's one day. Empty: it has ended. */
function startOf(pid: number | string): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

/** Somebody may have done so before. */
function remove(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // It is only in the way of who removes the whole.
  }
}

const unavailable = (reason: string, cause?: unknown): UserError =>
  new UserError(
    `Names of Docker's networks cannot be resolved beside rules by name: ${reason}. Mount cgroups of version 2, and for a controller in a container give it the host's (--cgroupns host, /sys/fs/cgroup writable).`,
    { cause },
  );
