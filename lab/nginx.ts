/** nginx of Debian, unpacked into the lab's folder: it is not installed, and no service of it is started. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpackedPackages } from './apt.ts';

const LIBRARIES = ['libssl3', 'libpcre2-8-0', 'libcrypt1', 'zlib1g'];

export interface Nginx {
  stop(): Promise<void>;
}

/** Runs with `server`, the lines of one server block, and keeps its files in `folder`. */
export async function startNginx(folder: string, server: string): Promise<Nginx> {
  const unpacked = await unpackedPackages('bookworm', ['nginx', ...LIBRARIES]);
  mkdirSync(folder, { recursive: true });
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, configuration(folder, server));
  const child = spawn(join(unpacked, 'usr/sbin/nginx'), ['-c', config, '-p', folder, '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { LD_LIBRARY_PATH: libraryFolders(unpacked).join(':') },
  });
  return { stop: () => stop(child) };
}

/** It runs in the foreground, as this user, and writes nowhere else. */
const configuration = (folder: string, server: string): string => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  server {
${server}
  }
}
`;

function libraryFolders(unpacked: string): readonly string[] {
  return ['lib', 'usr/lib'].flatMap((path) =>
    readdirSync(join(unpacked, path))
      .filter((name) => name.endsWith('-linux-gnu'))
      .map((name) => join(unpacked, path, name)),
  );
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}
