/**
 * Where the watch socket is, and who may use it: the socket is for one group, and so is its folder. A folder that
 * holds anything else stays as it is.
 */
import { chmod, chown, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Logger } from '../../common/logger.ts';

export interface SocketPlace {
  readonly path: string;
  /** The number of the group; undefined: that of the controller. */
  readonly group: number | undefined;
}

/** `group`: its name or number. One that does not exist is logged. */
export async function socketPlace(
  { socket: path, group }: { readonly socket: string; readonly group: string },
  log: Logger,
): Promise<SocketPlace> {
  const found = groupIn(await readFile('/etc/group', 'utf8').catch(() => ''), group);
  if (found === undefined)
    log.warn({ group, socket: path }, "no such group: only the controller's own group may use this socket");
  return { path, group: found };
}

/** `file`: the content of /etc/group. */
export function groupIn(file: string, group: string): number | undefined {
  if (/^\d{1,10}$/.test(group)) return Number(group);
  const line = file.split('\n').find((one) => one.startsWith(`${group}:`));
  const [, , number = ''] = line?.split(':') ?? [];
  return /^\d+$/.test(number) ? Number(number) : undefined;
}

/** Makes the folder, and removes a socket that a crash has left. */
export async function prepareFolder({ path, group }: SocketPlace): Promise<void> {
  const folder = dirname(path);
  const isMade = (await mkdir(folder, { recursive: true, mode: 0o750 })) !== undefined;
  if (isMade || (await isOnlyFor(folder, basename(path)))) await giveTo(folder, 0o750, group);
  await rm(path, { force: true });
}

/** The group may use it once it listens. */
export const openToGroup = ({ path, group }: SocketPlace): Promise<void> => giveTo(path, 0o660, group);

async function giveTo(path: string, mode: number, group: number | undefined): Promise<void> {
  if (group !== undefined) await chown(path, -1, group);
  await chmod(path, mode);
}

const isOnlyFor = async (folder: string, name: string): Promise<boolean> =>
  (await readdir(folder)).every((one) => one === name);
