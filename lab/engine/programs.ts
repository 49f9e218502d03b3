/** The dockerd of each version, and how it is installed. */
import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ensureCommands, findCommand, requireRoot, unpackedPackages } from '../apt.ts';
import { labFolder, searchPath } from '../paths.ts';
import { run } from '../run.ts';

/**
 * `host`: the machine's Engine if it has one, else that of its Debian release.
 * The others are minimum versions, because Debian unstable changes.
 */
export type EngineVersion = 'host' | '20.10' | '28.5';

export interface EnginePrograms {
  readonly dockerd: string;
  /** PATH for dockerd: it looks there for containerd, runc, docker-proxy and docker-init. */
  readonly path: string;
  readonly daemonOptions: readonly string[];
}

const programsOf: Record<EngineVersion, () => Promise<EnginePrograms>> = {
  host: installedPrograms,
  '20.10': async () => {
    const installed = await installedPrograms();
    const output = await run(installed.dockerd, ['--version']);
    if (output.includes(' version 20.10.')) return installed;
    return unpackedPrograms('bookworm', ['docker.io', 'containerd', 'runc', 'tini']);
  },
  // It uses the machine's own runc: the one in unstable needs a newer libc.
  '28.5': async () => ({
    ...(await unpackedPrograms('unstable', ['docker.io', 'containerd', 'tini-static'])),
    // As in 20.10: this machine may connect to a container's own address.
    daemonOptions: ['--allow-direct-routing'],
  }),
};

export async function enginePrograms(version: EngineVersion): Promise<EnginePrograms> {
  requireRoot('start a Docker Engine, or set DOCKER_HOST to the socket of one you may use');
  return programsOf[version]();
}

/** The same with the tools for tables of the kernel from before nf_tables, as dockerd finds them. */
export function withLegacyIptables(programs: EnginePrograms): EnginePrograms {
  const folder = labFolder('iptables-legacy');
  for (const tool of ['iptables', 'ip6tables']) {
    rmSync(join(folder, tool), { force: true });
    symlinkSync(findCommand(`${tool}-legacy`) ?? `/usr/sbin/${tool}-legacy`, join(folder, tool));
  }
  return { ...programs, path: `${folder}:${programs.path}` };
}

async function installedPrograms(): Promise<EnginePrograms> {
  await ensureTools();
  return { dockerd: findCommand('dockerd') ?? 'dockerd', path: searchPath(), daemonOptions: [] };
}

async function unpackedPrograms(suite: string, packages: readonly string[]): Promise<EnginePrograms> {
  await ensureTools();
  const folder = await unpackedPackages(suite, packages);
  const folders = ['usr/sbin', 'usr/bin', 'sbin', 'bin'].map((name) => join(folder, name));
  return {
    dockerd: join(folder, 'usr/sbin/dockerd'),
    path: [...folders, searchPath()].join(':'),
    daemonOptions: [],
  };
}

async function ensureTools(): Promise<void> {
  await ensureCommands({
    dockerd: 'docker.io',
    runc: 'runc',
    iptables: 'iptables',
    nft: 'nftables',
    ip: 'iproute2',
    setpriv: 'util-linux',
    sysctl: 'procps',
  });
}
