/**
 * Reads files of procfs, which may have disappeared, or which other processes may make very long.
 *
 * Reads are synchronous, because the files are in memory: through the thread pool each call would cost two wake-ups,
 * and hundreds of namespaces are checked every minute.
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

/** The most bytes that are read; the expected files are far shorter. */
const most = 64 * 1024;

/** The size of a read. Most files fit, so the second read finds the end. */
const usual = 4 * 1024;

/** The file's text, or the start of a longer one; undefined if it cannot be read. */
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

/** A read of procfs may return less than requested. */
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

/** True if both are of one file system; undefined if it cannot be checked. */
export const isSameFileSystem = (file: OpenFile, path: string): boolean | undefined =>
  attempt(() => fstatSync(file.fd).dev === statSync(path).dev);

/** Undefined if it cannot be checked. */
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
