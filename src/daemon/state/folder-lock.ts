/**
 * Allows one controller for each state folder: two would mix their recorded loads and overrides.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { UserError } from '../../common/errors.ts';
import { isListening } from '../../http/unix-socket.ts';
import { STATE_FILES } from './file-names.ts';

const Holder = z.object({ socket: z.string() });

/**
 * Throws a `UserError` if another controller uses the folder and answers; otherwise records the controller at
 * `socket`.
 */
export async function claimState(directory: string, socket: string): Promise<void> {
  const path = join(directory, STATE_FILES.holder);
  const holder = await holderIn(path);
  if (holder !== undefined && holder !== socket && (await isListening(holder)))
    throw new UserError(
      `another controller, at ${holder}, uses ${directory}; stop it, or give this one another --state-dir, --run-dir and Engine (--docker-host)`,
    );
  // A missing or read-only folder is reported by the files in it.
  await writeFileAtomic(path, `${JSON.stringify({ socket })}\n`, { mode: 0o600 }).catch(() => {});
}

async function holderIn(path: string): Promise<string | undefined> {
  try {
    return Holder.parse(JSON.parse(await readFile(path, 'utf8'))).socket;
  } catch {
    return undefined;
  }
}
