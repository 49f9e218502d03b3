/** Mounts in an engine's folders: a killed engine leaves file systems of containers and namespaces there. */
import { readFileSync } from 'node:fs';
import { attempt } from '../run.ts';

/** Innermost first. */
export function mountsBelow(folders: readonly string[]): readonly string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => unescaped(line.split(' ')[1] ?? ''))
    .filter((mount) => folders.some((folder) => mount.startsWith(`${folder}/`)))
    .reverse();
}

export async function unmountBelow(folders: readonly string[]): Promise<void> {
  for (const mount of mountsBelow(folders)) await attempt('umount', ['--lazy', mount]);
}

/** The kernel writes blanks and backslashes of a path in octal. */
const unescaped = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
