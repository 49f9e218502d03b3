/**
 * Looking at files of procfs that may be gone, or that somebody else may make as long as he likes.
 *
 * They are in memory, so they are read at once: through the thread pool each of these calls would cost two wake-ups,
 * and hundreds of namespaces are looked at every minute.
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

/** All that is read here is far shorter. */
const most = 64 * 1024;

/** What is read here mostly fits, so that one more read tells its end. */
const usual = 4 * 1024;

/** The file's text, of a longer one the start; undefined where it cannot be read. */
export async function readStart(path: string): Promise<string | undefined> {
  return attempt(() => {
    const file = openSync(path, 'r');
    try {
      return readFrom(file);
    } finally {
      closeSync(file);
    }
  });
}

/** procfs may give less than was asked for. */
function readFrom(file: number): string {
  const chunks: Buffer[] = [];
  for (let left = most; left > 0; ) {
    const buffer = Buffer.allocUnsafe(Math.min(left, usual));
    const bytesRead = readSync(file, buffer);
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    left -= bytesRead;
  }
  return Buffer.concat(chunks).toString();
}

/** Undefined where nobody can tell. */
export async function isSameFile(handle: FileHandle, path: string): Promise<boolean | undefined> {
  return attempt(() => {
    const one = fstatSync(handle.fd, { bigint: true });
    const other = statSync(path, { bigint: true });
    return one.dev === other.dev && one.ino === other.ino;
  });
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
