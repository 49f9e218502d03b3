/** A page that is built already: a folder with its first file, for tests of the process that serves it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes it in `parent` and returns its path. */
export function pageFolder(parent: string): string {
  const folder = join(parent, 'page');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>egresstrator</title>');
  return folder;
}
