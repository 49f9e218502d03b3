/**
 * A folder of ours: what we know of is removed in it, and then the folder, if nothing else is in there. Whoever
 * called the controller with `--state-dir /srv` keeps the rest of /srv.
 */
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../common/errors.ts';
import type { Step } from './step.ts';

export interface Folder {
  readonly part: Step['part'];
  /** As the host knows it, and as it is seen from here. */
  readonly path: string;
  readonly seenAt: string;
  /** Names in there that are ours. A file's unfinished successor has a number behind its name. */
  readonly ours: readonly string[];
  /** Why it must stay; asked when its turn has come. */
  readonly keptFor?: () => Promise<string | undefined>;
}

export async function lookForFolder(folder: Folder): Promise<readonly Step[]> {
  const { part, path, seenAt } = folder;
  const names = await namesIn(seenAt);
  if (names === undefined) return [];
  return [{ part, what: path, remove: () => removeFolder(folder, seenAt) }];
}

async function removeFolder({ ours, keptFor }: Folder, seenAt: string): Promise<string | undefined> {
  const reason = await keptFor?.();
  if (reason !== undefined) return reason;
  for (const name of (await namesIn(seenAt)) ?? []) {
    if (ours.includes(name.replace(/\.\d+$/, ''))) await rm(join(seenAt, name), { recursive: true });
  }
  const others = (await namesIn(seenAt)) ?? [];
  if (others.length > 0) return `it has files of others: ${others.join(', ')}`;
  return rmdir(seenAt).then(() => undefined, unlessMissing);
}

/** `undefined`: there is no such folder. */
const namesIn = (path: string): Promise<readonly string[] | undefined> =>
  readdir(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });

const unlessMissing = (error: unknown): string | undefined =>
  isMissing(error) ? undefined : messageOf(error);

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';
