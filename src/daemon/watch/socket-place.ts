/**
 * Where the watch socket is, and who may use it: the socket is for one group, and so is its folder. A folder that
 * holds anything else stays as it is.
 */
import { chmod, chown, mkdir, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { UserError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { removeLeftSocket } from '../../http/unix-socket.ts';

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

/**
 * Makes the folder, and removes a socket that a crash has left. The controller is root and changes owner and mode of this
 * path, so nobody else may be able to put a link in its place.
 */
export async function prepareFolder({ path, group }: SocketPlace): Promise<void> {
  const folder = dirname(path);
  const isMade = (await mkdir(folder, { recursive: true, mode: 0o750 })) !== undefined;
  await requireSafe(await realpath(folder));
  if (isMade || (await isOnlyFor(folder, basename(path)))) await giveTo(folder, 0o750, group);
  await removeLeftSocket(path);
}

/** Throws if another user could replace what is in `folder`, or the folder itself. */
async function requireSafe(folder: string): Promise<void> {
  const { uid, gid, mode } = await stat(folder);
  const isOwn = uid === 0 || uid === process.geteuid?.();
  const isForOthers =
    (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0 && gid !== process.getegid?.());
  if (!isOwn || (isForOthers && !isSticky(mode)))
    throw new UserError(`another user could replace what is in ${folder}`);
  if (dirname(folder) !== folder) await requireSafe(dirname(folder));
}

/** As /tmp: everybody may add files, and only replace their own. */
const isSticky = (mode: number): boolean => (mode & 0o1000) !== 0;

/** The group may use it once it listens. */
export const openToGroup = ({ path, group }: SocketPlace): Promise<void> => giveTo(path, 0o660, group);

async function giveTo(path: string, mode: number, group: number | undefined): Promise<void> {
  if (group !== undefined) await chown(path, -1, group);
  await chmod(path, mode);
}

/** Never /tmp, which is for all, even if it is empty. */
const isOnlyFor = async (folder: string, name: string): Promise<boolean> =>
  !isSticky((await stat(folder)).mode) && (await readdir(folder)).every((one) => one === name);
