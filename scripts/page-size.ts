/**
 * `npm run check:size`: builds the page, and fails if a browser would load too much of it, or if what it loads asks for
 * something that a browser does not have, or another server has.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Bytes after gzip. Before the first screen is there: index.html and all that it needs. */
const MOST_AT_FIRST = 80_000;
/** Of a file that is loaded later. The list of public suffixes alone has 40 kB. */
const MOST_LATER = 90_000;
/** Of all files together. */
const MOST_IN_ALL = 300_000;

const START = '/index.html';

function report(files: ReadonlyMap<string, string>): void {
  const first = neededBy(START, files);
  const size = (names: Iterable<string>): number =>
    sum([...names].map((name) => sizeOf(files.get(name) ?? '')));
  const later = [...files.keys()].filter((name) => !first.has(name));
  const problems = [
    ...tooLarge('the first load', size(first), MOST_AT_FIRST),
    ...later.flatMap((name) => tooLarge(name, size([name]), MOST_LATER)),
    ...tooLarge('the page', size(files.keys()), MOST_IN_ALL),
    ...[...files].flatMap(([name, text]) => foreignIn(text).map((what) => `${name} has ${what}`)),
  ];
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  console.log(
    `The page: ${kilobytes(size(first))} at first, ${kilobytes(size(files.keys()))} in all (gzip).`,
  );
}

/** By their paths on the server. */
function filesIn(root: string): ReadonlyMap<string, string> {
  const found = readdirSync(root, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return new Map(
    found.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path.slice(root.length), readFileSync(path, 'utf8')];
    }),
  );
}

/** A file and all that a browser loads with it. */
function neededBy(name: string, files: ReadonlyMap<string, string>, known = new Set<string>()): Set<string> {
  const text = files.get(name);
  if (text === undefined) throw new Error(`${name} is not in the page`);
  known.add(name);
  for (const other of importsOf(name, text)) if (!known.has(other)) neededBy(other, files, known);
  return known;
}

/** `import(…)` is not among them: that is loaded later. */
function importsOf(name: string, text: string): readonly string[] {
  const pattern = name.endsWith('.html') ? /(?:href|src)="(\/[^"]+)"/g : /\b(?:import|from) ?"(\.[^"]+)"/g;
  return [...text.matchAll(pattern)].map(([, path = '']) => posix.resolve(posix.dirname(name), path));
}

/** The names of XML's vocabularies look like addresses, and nobody asks for them. */
const VOCABULARIES = /http:\/\/www\.w3\.org\/[\w/]+/g;

/** What a page must not have. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/["'`](?:node:[a-z]|fs["'`]|child_process)/, 'an import of Node.js'],
  [/["'`(](?:https?:)?\/\/[\w.-]+\.[a-z]{2,}[^"'`]*/, 'an address of another server'],
  [/\bZodError\b/, 'zod'],
  [/\bHandlebars\b/, 'Handlebars'],
];

function foreignIn(text: string): readonly string[] {
  const plain = text.replace(VOCABULARIES, '');
  return FOREIGN.flatMap(([pattern, what]) => {
    const found = pattern.exec(plain)?.[0];
    return found === undefined ? [] : [`${what}: ${found.slice(0, 80)}`];
  });
}

function tooLarge(what: string, size: number, most: number): readonly string[] {
  return size <= most ? [] : [`${what} has ${kilobytes(size)}, and ${kilobytes(most)} at most are allowed`];
}

const sizeOf = (text: string): number => gzipSync(text).length;
const sum = (numbers: readonly number[]): number => numbers.reduce((one, other) => one + other, 0);
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;

const folder = mkdtempSync(join(tmpdir(), 'egresstrator-page-'));
try {
  execFileSync(process.execPath, ['scripts/bundle-page.ts', folder]);
  report(filesIn(folder));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
