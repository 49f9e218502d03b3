/**
 * Looking at files of procfs that may be gone, or that somebody else may make as long as he likes.
 *
 * They are in memory, so they are read at once: through the thread pool each of these calls would cost two wake-ups,
 * and hundreds of namespaces are looked at every minute.
 */
import { closeSync, constants, fstatSync, opendirSync, openSync, readSync, statSync } from 'node:fs';

/** Whoever gets one closes it. */
export interface OpenFile {
  readonly fd: number;
  close(): void;
}

/** Undefined where it cannot be opened at once. */
export const openFile = (path: string): OpenFile | undefined =>
  attempt(() => {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return { fd, close: () => closeSync(fd) };
  });

/** Of what is in a folder, so many names; none where it cannot be read. A hostile process has a hundred thousand threads. */
export function namesIn(path: string, count: number): readonly string[] {
  const folder = attempt(() => opendirSync(path));
  const names: string[] = [];
  for (let left = count; folder !== undefined && left > 0; left -= 1) {
    const name = attempt(() => folder.readSync()?.name);
    if (name === undefined) break;
    names.push(name);
  }
  folder?.closeSync();
  return names;
}

/** All that is read here is far shorter. */
const most = 64 * 1024;

/** What is read here mostly fits, so that one more read tells its end. */
const usual = 4 * 1024;

/** The file's text, of a longer one the start; undefined where it cannot be read. */
export function readStart(path: string): string | undefined {
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

/** Whether both are of one file system; undefined where nobody can tell. */
export const isSameFileSystem = (file: OpenFile, path: string): boolean | undefined =>
  attempt(() => fstatSync(file.fd).dev === statSync(path).dev);

/** Undefined where nobody can tell. */
export function isSameFile(file: OpenFile, path: string): boolean | undefined {
  return attempt(() => {
    const one = fstatSync(file.fd, { bigint: true });
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
