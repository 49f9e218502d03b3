/**
 * `npm run compile [-- <folder>]`: bundles the program and its packages into a few files in dist/cli, a chunk for each
 * command. Node.js then reads and keeps far less source: a controller needs 10 MB less memory.
 *
 * Names are kept, so that stack traces show the functions; source maps show the lines (CONTRIBUTING.md). Files that are
 * read at run time (dataplane/, gate/, templates/, package.json) stay files; src/common/assets.ts finds them.
 */
import { chmodSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { UNUSED } from '../src/sources/docker/dockerode-stubs.ts';

const folder = join(process.argv[2] ?? 'dist', 'cli');

/** The bundle has empty modules in place of these, so they need not be replaced at run time. */
const withoutUnused: Plugin = {
  name: 'without-unused',
  setup: ({ onResolve, onLoad }) => {
    const filter = new RegExp(`^(${UNUSED.join('|')})$|/dockerode-stubs\\.ts$`);
    onResolve({ filter }, ({ path }) => ({ path, namespace: 'unused' }));
    onLoad({ filter: /^/, namespace: 'unused' }, () => ({ contents: '' }));
  },
};

/** The object `z` keeps all of its members; a namespace import keeps only used ones. That saves 350 kB, mostly languages. */
const partOfZod: Plugin = {
  name: 'part-of-zod',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace("import { z } from 'zod'", "import * as z from 'zod'"),
      loader: 'ts',
    }));
  },
};

/**
 * CommonJS packages expect these names. Warnings of deprecated calls are for those who write them: Node.js does not
 * print them for code in node_modules, and in the bundle no code is there any more.
 */
const commonJs = `
process.noDeprecation = true;
import { createRequire as createRequireOfChunk } from 'node:module';
import { fileURLToPath as pathOfChunk } from 'node:url';
const require = createRequireOfChunk(import.meta.url);
const __filename = pathOfChunk(import.meta.url), __dirname = pathOfChunk(new URL('.', import.meta.url));`;

rmSync(folder, { recursive: true, force: true });
const { metafile } = await build({
  ...{ entryPoints: ['src/cli/main.ts'], outdir: folder, bundle: true, splitting: true, format: 'esm' },
  ...{
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
  },
  ...{ sourcemap: true, sourcesContent: false, metafile: true, logLevel: 'warning' },
  ...{ banner: { js: commonJs }, plugins: [withoutUnused, partOfZod] },
  // Its module for CommonJS hides from the bundler what it requires.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
});
chmodSync(join(folder, 'main.js'), 0o755);
writeFileSync(join(folder, 'LICENSES'), licencesOf(metafile));

/** The licence of each package in the bundle, as each requires. */
function licencesOf({ inputs }: Metafile): string {
  const package_ = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;
  const folders = new Set(Object.keys(inputs).flatMap((path) => package_.exec(path)?.[1] ?? []));
  return [...folders].sort().map(licenceOf).join('\n\n');
}

function licenceOf(path: string): string {
  const { name, version, license }: Record<string, string> = JSON.parse(
    readFileSync(join(path, 'package.json'), 'utf8'),
  );
  const texts = globSync(join(path, '{licen[cs]e,LICEN[CS]E,NOTICE}*')).map((file) =>
    readFileSync(file, 'utf8'),
  );
  return [`${name} ${version}: ${license}`, ...texts].join('\n\n');
}
