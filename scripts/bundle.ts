/**
 * `npm run compile [-- <folder>]`: the program and all that it uses as a few files in dist/cli, a chunk for each
 * command. Node.js then finds, reads and keeps far less: a controller takes 10 MB less memory.
 *
 * Names stay as they are written, so that a stack trace tells its functions; source maps tell the lines
 * (CONTRIBUTING.md). What is read at run time (dataplane/, gate/, templates/, package.json) stays a file, which
 * src/common/assets.ts finds.
 */
import { chmodSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { UNUSED } from '../src/sources/docker/dockerode-stubs.ts';

const folder = join(process.argv[2] ?? 'dist', 'cli');

/** In the bundle, empty modules stand in for these, and so nothing has to put them there at run time. */
const withoutUnused: Plugin = {
  name: 'without-unused',
  setup: ({ onResolve, onLoad }) => {
    const filter = new RegExp(`^(${UNUSED.join('|')})$|/dockerode-stubs\\.ts$`);
    onResolve({ filter }, ({ path }) => ({ path, namespace: 'unused' }));
    onLoad({ filter: /^/, namespace: 'unused' }, () => ({ contents: '' }));
  },
};

/** Of the object `z` all that it holds is kept; of a namespace what is used. That is 350 kB, most of it languages. */
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
});
chmodSync(join(folder, 'main.js'), 0o755);
writeFileSync(join(folder, 'LICENSES'), licencesOf(metafile));

/** Of each package that is in the bundle, as each asks for. */
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
