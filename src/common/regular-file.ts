/**
 * The text of a file that people write. A named pipe is none, as nobody may ever write to it, nor is a device or a file of
 * a size that nobody writes.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { UserError } from './errors.ts';

/** Bytes. */
export const MOST_TEXT = 16 * 1024 * 1024;

export const TOO_LONG = `it has more than ${MOST_TEXT / 1024 / 1024} MiB`;

/** What is opened is what is looked at, so that a pipe cannot take the place of a file between. */
export async function readRegularFile(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (found.isDirectory()) throw new UserError('it is a folder; name the file in it');
    if (!found.isFile()) throw new UserError('it is no regular file');
    if (found.size > MOST_TEXT) throw new UserError(TOO_LONG);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
