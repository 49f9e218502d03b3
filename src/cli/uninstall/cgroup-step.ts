/**
 * The cgroup of sockets that answered names. Nothing is looked for on a host whose state folder has no names: another
 * controller, with a state folder of its own, may have it.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { STATE_FILES } from '../../daemon/state/file-names.ts';
import { existingCgroup, removeCgroup } from '../../name-proxy/proxy-cgroup.ts';
import type { UninstallStep } from './step.ts';

/** `root`: where the host's files are; `stateDir`: as this process sees it. */
export async function findCgroup(
  root: string,
  stateDir: string | undefined,
  find: (root: string) => string | undefined = existingCgroup,
): Promise<readonly UninstallStep[]> {
  if (stateDir !== undefined && !(await exists(join(stateDir, STATE_FILES.names)))) return [];
  const folder = find(root);
  if (folder === undefined) return [];
  const remove = async () => {
    const reason = removeCgroup(folder);
    return reason && `${reason}; when that has ended: find ${folder} -depth -type d -exec rmdir {} +`;
  };
  return [{ part: 'cgroup', what: folder, remove }];
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
