/** Which packages may run a program of theirs at installation: none but the one that brings Node.js. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';

const Lock = z.object({
  packages: z.record(z.string(), z.object({ hasInstallScript: z.boolean().optional() })),
});

const linesOf = (file: string): readonly string[] => readFileSync(file, 'utf8').split('\n');

test('npm runs no install scripts, and only Node.js itself is built by hand', () => {
  expect(linesOf('.npmrc')).toContain('ignore-scripts=true');
  const rebuilds = linesOf('scripts/bootstrap').filter((line) => line.includes('ignore-scripts=false'));
  expect(rebuilds).toEqual([
    expect.stringMatching(/^ {2}interruptible npm rebuild --silent --ignore-scripts=false node \|\|$/),
  ]);
});

test('each package that has an install script was looked at, and works without', () => {
  const { packages } = Lock.parse(JSON.parse(readFileSync('package-lock.json', 'utf8')));
  const having = Object.entries(packages).flatMap(([name, { hasInstallScript }]) =>
    hasInstallScript ? [name] : [],
  );
  expect(having.map((name) => name.replace(/^node_modules\//, '')).sort()).toEqual([
    '@swc/core', // tells of a machine that it has no binary for
    'cpu-features', // native code for ssh2, optional
    'esbuild', // puts its program in the place of a script that calls it
    'node',
    'protobufjs', // compares versions
    'ssh2', // native code, optional
  ]);
});
