/**
 * Looking at files that may be gone, or that somebody else may make as long as he likes.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';

/** All that is read here is far shorter. */
const most = 64 * 1024;

/** The file's text, of a longer one the start; undefined where it cannot be read. */
export async function readStart(path: string): Promise<string | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const chunks: Buffer[] = [];
    // procfs may give less than was asked for.
    for (let left = most; left > 0; ) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(left), 0, left);
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    return Buffer.concat(chunks).toString();
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

/** Undefined where nobody can tell. */
export async function isSameFile(handle: FileHandle, path: string): Promise<boolean | undefined> {
  const [one, other] = await Promise.allSettled([
    handle.stat({ bigint: true }),
    stat(path, { bigint: true }),
  ]);
  if (one.status === 'rejected' || other.status === 'rejected') return undefined;
  return one.value.dev === other.value.dev && one.value.ino === other.value.ino;
}
