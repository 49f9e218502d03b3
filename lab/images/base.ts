/**
 * What the project's Dockerfile is built on here, in place of the public image it names by default:
 * Debian bookworm with Node and npm of this machine, in which `npm ci` and `apt-get` work.
 */
import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findCommand } from '../apt.ts';
import { LabError } from '../errors.ts';
import { inCheckout, labFolder } from '../paths.ts';
import { run } from '../run.ts';
import { certificates, certificatesText, machineHooks, makeDebianTar } from './debian.ts';
import type { Recipe } from './import.ts';

const packages = ['ca-certificates'];

export async function baseRecipe(): Promise<Recipe> {
  const node = nodeProgram();
  const npm = await npmFolder();
  const hooks = [...(await machineHooks()), ...nodeHooks(node, npm)];
  const versions = await Promise.all(
    [node, join(npm, 'bin/npm-cli.js')].map((file) => versionOf(node, file)),
  );
  return {
    name: 'base',
    tag: 'node24',
    ingredients: [...packages, ...hooks, ...versions, sha256(certificatesText())],
    changes: await changes(),
    makeTar: (file) => makeDebianTar(file, { packages, hooks }),
  };
}

async function changes(): Promise<readonly string[]> {
  const registry = await run('npm', ['config', 'get', 'registry']);
  return [
    'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    `ENV npm_config_registry=${registry.trim()}`,
    `ENV npm_config_cafile=${certificates}`,
    `ENV NODE_EXTRA_CA_CERTS=${certificates}`,
    'CMD ["node"]',
  ];
}

function nodeHooks(node: string, npm: string): readonly string[] {
  return [
    `upload ${node} /usr/local/bin/node`,
    'chmod 755 "$1/usr/local/bin/node"',
    'mkdir -p "$1/usr/local/lib/node_modules"',
    `copy-in ${npm} /usr/local/lib/node_modules`,
    'ln -s ../lib/node_modules/npm/bin/npm-cli.js "$1/usr/local/bin/npm"',
    'ln -s ../lib/node_modules/npm/bin/npx-cli.js "$1/usr/local/bin/npx"',
    'chown -R 0:0 "$1/usr/local"',
    // As in the public image.
    'chroot "$1" useradd --uid 1000 --user-group --create-home --shell /bin/bash node',
  ];
}

function nodeProgram(): string {
  const program = inCheckout('node_modules/.bin/node');
  if (!existsSync(program))
    throw new LabError('The npm package `node` is missing: run `npm test`, which brings it.');
  return realpathSync(program);
}

/** npm as it was published, which holds all it needs; a distribution's is spread over many folders. */
async function npmFolder(): Promise<string> {
  const command = findCommand('npm');
  const installed = command === undefined ? '' : dirname(dirname(realpathSync(command)));
  if (existsSync(join(installed, 'node_modules/@npmcli'))) return installed;
  const folder = join(labFolder('packages'), 'npm');
  const npm = join(folder, 'node_modules/npm');
  if (!existsSync(npm)) await run('npm', ['install', '--prefix', folder, 'npm@11']);
  return npm;
}

async function versionOf(node: string, program: string): Promise<string> {
  const command = program === node ? ['--version'] : [program, '--version'];
  return (await run(node, command)).trim();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
