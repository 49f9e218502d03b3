/**
 * Exit code 0 if node_modules holds what package-lock.json asks for, so that `npm ci` is not needed.
 *
 * npm writes node_modules/.package-lock.json last, so an interrupted installation has none. Plain
 * JavaScript, as it runs before a Node that strips types is known to be there.
 */
import { readFileSync } from 'node:fs';

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

const wanted = packagesOf('package-lock.json') ?? {};
const installed = packagesOf('node_modules/.package-lock.json');

// Optional ones may be for other machines. The empty name is the project itself.
const isMissing = ([name, { version, optional }]) =>
  name !== '' && !optional && installed?.[name]?.version !== version;

const isChanged = ([name, { version }]) => wanted[name]?.version !== version;

const differs =
  installed === undefined ||
  Object.entries(wanted).some(isMissing) ||
  Object.entries(installed).some(isChanged);
process.exit(differs ? 1 : 0);
