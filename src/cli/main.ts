#!/usr/bin/env -S MALLOC_ARENA_MAX=1 node --max-semi-space-size=2 --heap-growing-percent=40
/**
 * The entry point: runs the command line, if this Node.js is new enough for it.
 *
 * The first line has memory given back early: without it, a controller of 200 workloads holds at least 50 MB
 * more, and is no quicker. One arena of malloc is enough where one thread does the work.
 */
import { assetPath, neededNode } from '../config/assets.ts';

const needed = neededNode();

if (Number.parseInt(process.versions.node, 10) >= needed) {
  // Not imported above: an older Node.js stops at words in there that it does not know, before it says this.
  await import('./dispatch.ts');
} else {
  const own = assetPath('bin/egresstrator');
  process.stderr.write(
    `egresstrator: Node.js ${needed} or later is needed, and this is ${process.versions.node}: install it, or run ${own}, which uses the one that \`npm run build\` installs.\n`,
  );
  process.exitCode = 1;
}
