#!/usr/bin/env node
/**
 * The entry point: runs the command line, if this Node.js is new enough for it.
 */
import { assetPath, neededNode } from '../common/assets.ts';

const needed = neededNode();

// Stack traces then name the lines of the sources. Always on, the maps would take 30 MB.
if (process.env.EGRESSTRATOR_LOG_LEVEL === 'debug') process.setSourceMapsEnabled(true);

if (Number.parseInt(process.versions.node, 10) >= needed) {
  // Not imported above: an older Node.js fails on its syntax before it can print this.
  await import('./dispatch.ts');
} else {
  const own = assetPath('bin/egresstrator');
  process.stderr.write(
    `egresstrator: Node.js ${needed} or later is needed, and this is ${process.versions.node}: install it, or run ${own}, which uses the one that \`npm run build\` installs.\n`,
  );
  process.exitCode = 1;
}
