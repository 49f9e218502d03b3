/**
 * One at a time across processes: several test files, or a test and a demo, may ask for the same
 * engine or image at the same moment. A lock whose holder died is taken over.
 */
import { linkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from './errors.ts';
import { labRunFolder } from './paths.ts';
import { identify, isAlive, type ProcessIdentity, readOrUndefined } from './process.ts';
import { waitFor } from './wait.ts';

/** Runs `work` while holding the lock `name`; waits up to 10 minutes for it. */
export function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  return withLockIn(labRunFolder('locks'), name, work);
}

/** The same among all that use `folder`. */
export async function withLockIn<T>(folder: string, name: string, work: () => Promise<T>): Promise<T> {
  const path = join(folder, `${name.replaceAll(/[^\w.-]/g, '_')}.lock`);
  await waitFor(() => take(path), { what: `the lock ${path}`, timeout: 600_000, interval: 100 });
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  const holder = holderOf(path);
  if (holder !== undefined && !isAlive(holder)) rmSync(path, { force: true });
  // A file linked into place is never seen half-written.
  const draft = `${path}.${process.pid}.${crypto.randomUUID()}`;
  writeFileSync(draft, JSON.stringify(ourselves()));
  try {
    linkSync(draft, path);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

function ourselves(): ProcessIdentity {
  const identity = identify(process.pid);
  if (identity === undefined) throw new LabError('The lab needs /proc, which is Linux only.');
  return identity;
}

function holderOf(path: string): ProcessIdentity | undefined {
  const text = readOrUndefined(path);
  if (text === undefined) return undefined;
  const { pid, startTime } = JSON.parse(text);
  return { pid: Number(pid), startTime: String(startTime) };
}
