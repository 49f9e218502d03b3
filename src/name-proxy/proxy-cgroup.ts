/**
 * The cgroup of our sockets in namespaces of workloads. A rule that lets them ask Docker's resolver knows them by it: a
 * workload can send packets from our address and port, but cannot put a socket of its own into this cgroup.
 */
import { mkdirSync, readFileSync } from 'node:fs';
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
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw unavailable(`${folder} cannot be created: ${messageOf(error)}`, error);
  }
  return { folder, processes: join(folder, 'cgroup.procs'), path: relative(NFT_ROOT, folder), level: 1 };
}

/** Where cgroups of version 2 are mounted, among the places where nft finds them. */
export function findCgroup2(mountInfo: string): string | undefined {
  const mounts = mountInfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type] = after.split(' ');
    return type === 'cgroup2' ? (before.split(' ')[4] ?? []) : [];
  });
  return mounts.find((mount) => mount === NFT_ROOT || mount.startsWith(`${NFT_ROOT}/`));
}

const unavailable = (reason: string, cause?: unknown): UserError =>
  new UserError(
    `Names of Docker's networks cannot be resolved beside rules by name: ${reason}. Mount cgroups of version 2, and for a controller in a container give it the host's (--cgroupns host, /sys/fs/cgroup writable).`,
    { cause },
  );
