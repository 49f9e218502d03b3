/**
 * Adds the gate to the Engine's daemon.json and removes it, and changes nothing else in the file.
 */
import { constants, copyFile, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { UserError } from '../common/errors.ts';
import { removeMember, setMember } from './json-text.ts';
import { RUNTIME } from './layout.ts';

const RuntimeEntry = z.object({ path: z.string().optional(), runtimeArgs: z.array(z.string()).optional() });

const Content = z.object({
  runtimes: z.record(z.string(), RuntimeEntry).optional(),
  'default-runtime': z.string().optional(),
});

export type DaemonJson = z.infer<typeof Content>;

/** Undefined if there is no such file. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new UserError(`${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}

/** Throws a `UserError` with the file and the position. An empty file counts as an empty object. */
export function parseDaemonJson(text: string, path: string): DaemonJson {
  const result = Content.safeParse(parseJson(text, path));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue?.path.join('.') ?? '';
  throw new UserError(
    `${path} was not changed: ${place === '' ? 'its content' : `"${place}"`} is not valid for Docker: ${issue?.message}`,
  );
}

function parseJson(text: string, path: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : '';
    const place =
      /at position \d+( \(line \d+ column \d+\))?/.exec(message)?.[0] ??
      `at its end (position ${text.length})`;
    throw new UserError(`${path} is not valid JSON ${place}, so it was not changed; fix it first`, {
      cause: error,
    });
  }
}

/** Adds the gate as a runtime. `asDefault`: also as the default runtime. */
export function withGate(text: string | undefined, runtime: string, asDefault: boolean): string {
  const start = text === undefined || text.trim() === '' ? '{}\n' : text;
  const { runtimes } = parseDaemonJson(start, '');
  const known = runtimes?.[RUNTIME];
  const same = known?.path === runtime && known.runtimeArgs === undefined;
  const added = same ? start : setMember(start, ['runtimes', RUNTIME], { path: runtime });
  const isDefault = parseDaemonJson(added, '')['default-runtime'] === RUNTIME;
  return asDefault && !isDefault ? setMember(added, ['default-runtime'], RUNTIME) : added;
}

/** Removes everything of ours. `previousDefault`: the default runtime before the installation. */
export function withoutGate(text: string, previousDefault: string | undefined): string {
  const isDefault = parseDaemonJson(text, '')['default-runtime'] === RUNTIME;
  const member = ['default-runtime'] as const;
  const restored =
    previousDefault === undefined ? removeMember(text, member) : setMember(text, member, previousDefault);
  const left = removeMember(isDefault ? restored : text, ['runtimes', RUNTIME]);
  const { runtimes } = parseDaemonJson(left, '');
  return runtimes !== undefined && Object.keys(runtimes).length === 0
    ? removeMember(left, ['runtimes'])
    : left;
}

/** A text that resets the Engine: it has all settings that `text` leaves out, with their default values. */
export function withoutRuntimes(text: string | undefined): string {
  const start = text === undefined || text.trim() === '' ? '{}\n' : text;
  const content = parseDaemonJson(start, '');
  const named = content.runtimes === undefined ? setMember(start, ['runtimes'], {}) : start;
  return content['default-runtime'] === undefined ? setMember(named, ['default-runtime'], 'runc') : named;
}

/** Replaces the file atomically, with its owner and mode. The first time the old file is kept beside it. */
export async function writeDaemonJson(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const exists = (await stat(path).catch(() => undefined)) !== undefined;
  if (exists) await copyFile(path, backupOf(path), constants.COPYFILE_EXCL).catch(ignoreExisting);
  await writeFileAtomic(path, text, exists ? {} : { mode: 0o644 });
}

/** `undefined`: there was no file. Also removes the copy beside it. */
export async function restoreDaemonJson(path: string, text: string | undefined): Promise<void> {
  if (text === undefined) await rm(path, { force: true });
  else await writeFileAtomic(path, text);
  const backup = await readText(backupOf(path));
  if (backup === text) await rm(backupOf(path), { force: true });
}

export const backupOf = (path: string): string => `${path}.before-egresstrator`;

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}
