/**
 * One of our folders: removes our files, and then the folder if it is empty. With `--state-dir /srv` the rest of
 * /srv stays.
 */
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../common/errors.ts';
import type { UninstallStep } from './step.ts';

export interface Folder {
  readonly part: UninstallStep['part'];
  /** Its path on the host, and its path in this process. */
  readonly path: string;
  readonly seenAt: string;
  /** The names of our files. An unfinished new version has a number after the name. */
  readonly ours: readonly string[];
  /** The reason why it must stay; evaluated right before the removal. */
  readonly keptFor?: () => Promise<string | undefined>;
}

export async function findFolder(folder: Folder): Promise<readonly UninstallStep[]> {
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
