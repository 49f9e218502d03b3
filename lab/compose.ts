/**
 * `docker compose`: the machine's own plugin if it has one, else one unpacked into the lab's folder,
 * which the docker command finds through a configuration folder of the lab's own.
 */
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { ensureCommands, unpackedPackages } from './apt.ts';
import { log } from './log.ts';
import { labFolder, searchPath } from './paths.ts';
import { type CommandOptions, run } from './run.ts';

export interface Compose {
  readonly version: string;
  /** What to add to the environment of a `docker compose` command. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs `docker compose <args>` against the Engine at `socketPath`; a non-zero exit is an error. */
  run(socketPath: string, args: readonly string[], options?: CommandOptions): Promise<string>;
}

export async function ensureCompose(): Promise<Compose> {
  await ensureCommands({ dockerd: 'docker.io' });
  // Later releases of Debian ship the command in a package of its own.
  await ensureCommands({ docker: 'docker-cli' });
  const base = { PATH: searchPath() };
  const installed = await composeVersion(base);
  const env = installed === undefined ? { ...base, DOCKER_CONFIG: await privateConfiguration() } : base;
  const version = installed ?? (await composeVersion(env)) ?? 'unknown';
  log(`found docker compose ${version}`);
  return { version, env, run: (socketPath, args, options) => runCompose(env, socketPath, args, options) };
}

async function runCompose(
  env: Readonly<Record<string, string>>,
  socketPath: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  return run('docker', ['compose', ...args], {
    ...options,
    // The classic builder: the other one is a plugin that Debian 12 does not have.
    env: { ...env, DOCKER_HOST: `unix://${socketPath}`, DOCKER_BUILDKIT: '0', ...options.env },
  });
}

async function composeVersion(env: Readonly<Record<string, string>>): Promise<string | undefined> {
  const { failed, stdout } = await execa('docker', ['compose', 'version', '--short'], { env, reject: false });
  return failed ? undefined : stdout.trim();
}

async function privateConfiguration(): Promise<string> {
  const folder = await unpackedPackages('unstable', ['docker-compose']);
  const locations = ['usr/libexec/docker/cli-plugins/docker-compose', 'usr/bin/docker-compose'];
  const program = locations.map((location) => join(folder, location)).find((path) => existsSync(path));
  const plugins = labFolder('docker-config', 'cli-plugins');
  const link = join(plugins, 'docker-compose');
  if (!existsSync(link) && program !== undefined) symlinkSync(program, link);
  return labFolder('docker-config');
}
