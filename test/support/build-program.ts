/**
 * Bundles the program and its page once for a run of tests, as `npm run compile` does for a host: it starts in half the
 * processor time of the sources, and tests start it hundreds of times. Found by test/support/egresstrator.ts.
 */
import { readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { inCheckout, labFolder } from '../../lab/paths.ts';
import { identify } from '../../lab/process.ts';

/** What the program reads, beside `dist`. */
const ASSETS = ['package.json', 'templates', 'dataplane', 'gate'];

export default async function buildProgram(): Promise<(() => void) | undefined> {
  // Each project asks; one bundle serves all.
  if (process.env.EGRESSTRATOR_TEST_PROGRAM !== undefined) return undefined;
  removeLeftovers();
  const folder = labFolder('programs', `${process.pid}`);
  const bundle = (script: string, ...words: string[]) =>
    execa(process.execPath, [script, join(folder, ...words)], { cwd: inCheckout() });
  await Promise.all([bundle('scripts/bundle.ts', 'dist'), bundle('scripts/bundle-page.ts', 'dist', 'page')]);
  for (const asset of ASSETS) symlinkSync(inCheckout(asset), join(folder, asset));
  process.env.EGRESSTRATOR_TEST_PROGRAM = join(folder, 'dist/cli/main.js');
  return () => rmSync(folder, { recursive: true, force: true });
}

/** Those of runs that ended without tidying up. */
function removeLeftovers(): void {
  const folder = labFolder('programs');
  const isLeftover = (name: string) => identify(Number(name)) === undefined || name === `${process.pid}`;
  for (const name of readdirSync(folder).filter(isLeftover)) {
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}
