/**
 * `node scripts/bundle-page.ts [<folder>]`: bundles the page for browsers into <folder> (default: dist/page).
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const folder = process.argv[2] ?? join('dist', 'page');

rmSync(folder, { recursive: true, force: true });
await build({
  ...{ entryPoints: ['page/main.tsx'], outdir: join(folder, 'assets'), bundle: true, splitting: true },
  ...{ format: 'esm', platform: 'browser', target: 'es2023', minify: true, legalComments: 'none' },
  ...{ jsx: 'automatic', jsxImportSource: 'preact', logLevel: 'warning' },
});
cpSync('page/index.html', join(folder, 'index.html'));
cpSync('page/icon.svg', join(folder, 'assets', 'icon.svg'));
