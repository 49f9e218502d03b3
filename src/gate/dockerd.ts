/**
 * Finds the dockerd process of a socket and its arguments, and makes it read its daemon.json again.
 *
 * Several may run on one host. The right one listens on the socket: its network namespace lists the socket's inode,
 * and the inode is among its open files.
 */
import { readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';

export interface Dockerd {
  readonly pid: number;
  readonly args: readonly string[];
  /** Its search path, for programs without a path in daemon.json. */
  readonly path: string;
}

/** `undefined` if no dockerd is visible from here. */
export function findDockerd(socketPath: string, proc = '/proc'): Dockerd | undefined {
  const all = numbers(proc).flatMap((pid) => dockerdOf(pid, proc) ?? []);
  if (all.length < 2) return all[0];
  return all.find(({ pid }) => listensOn(pid, socketPath, proc));
}

/** The value of `--name value` or `--name=value` in its command line. */
export function argument({ args }: Pick<Dockerd, 'args'>, name: string): string | undefined {
  const index = args.findLastIndex((word) => word === name || word.startsWith(`${name}=`));
  const word = args[index];
  return word === name ? args[index + 1] : word?.slice(name.length + 1);
}

/** Whether dockerd has the file system at `root`: it reads daemon.json from there. */
export function sharesRoot({ pid }: Dockerd, root: string, proc = '/proc'): boolean {
  const [its, ours] = [`${proc}/${pid}/root/`, root].map((path) =>
    attempt(() => statSync(path, { bigint: true })),
  );
  return its !== undefined && its.dev === ours?.dev && its.ino === ours.ino;
}

/** SIGHUP: dockerd reads its daemon.json again. */
export const reload = ({ pid }: Dockerd): void => {
  process.kill(pid, 'SIGHUP');
};

function dockerdOf(pid: number, proc: string): Dockerd | undefined {
  const [program = '', ...args] = readStrings(`${proc}/${pid}/cmdline`);
  if (basename(program) !== 'dockerd') return undefined;
  const path = readStrings(`${proc}/${pid}/environ`).find((word) => word.startsWith('PATH='));
  return { pid, args, path: path?.slice('PATH='.length) ?? '' };
}

function listensOn(pid: number, socketPath: string, proc: string): boolean {
  const wanted = real(socketPath);
  const inodes = lines(`${proc}/${pid}/net/unix`).flatMap((line) => {
    const [, , , , , , inode, path] = line.trim().split(/\s+/);
    return path !== undefined && inode !== undefined && real(path) === wanted ? [`socket:[${inode}]`] : [];
  });
  return inodes.length > 0 && openFiles(`${proc}/${pid}/fd`).some((file) => inodes.includes(file));
}

const numbers = (folder: string): readonly number[] =>
  readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

const readStrings = (path: string): readonly string[] =>
  attempt(() => readFileSync(path, 'utf8'))?.split('\0') ?? [];

const lines = (path: string): readonly string[] =>
  attempt(() => readFileSync(path, 'utf8'))?.split('\n') ?? [];

const openFiles = (folder: string): readonly string[] =>
  (attempt(() => readdirSync(folder)) ?? []).flatMap(
    (name) => attempt(() => readlinkSync(`${folder}/${name}`)) ?? [],
  );

const real = (path: string): string => attempt(() => realpathSync(path)) ?? resolve(path);

/** Undefined for a process that ended meanwhile. */
function attempt<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
