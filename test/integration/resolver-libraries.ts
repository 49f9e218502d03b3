/**
 * How programs of a container find a name: by the C library of Debian, which goes on with the next search domain after most
 * answers, or by that of Alpine, which ends its search at an error. They run in the network namespace of the container,
 * with its resolv.conf, so that they need no image.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { ensureCommands, ensureFiles } from '../../lab/apt.ts';
import { run } from '../../lab/run.ts';
import type { Workload } from '../support/workloads.ts';

export interface ResolverLibrary {
  /** A program and its words; the name comes after them. */
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Not by the machine's own services for names, but by DNS alone. */
export const GLIBC: ResolverLibrary = { command: ['getent', '--service=hosts:dns', 'ahosts'] };
export const GLIBC_BY_TCP: ResolverLibrary = { ...GLIBC, environment: { RES_OPTIONS: 'use-vc' } };

/** A program in `folder` that is linked with musl. */
export async function musl(folder: string): Promise<ResolverLibrary> {
  await ensureCommands({ tcc: 'tcc' });
  await ensureFiles({ '/usr/share/doc/musl-dev': 'musl-dev' });
  const system = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-musl`;
  const [source, program] = [join(folder, 'find.c'), join(folder, 'find')];
  writeFileSync(source, SOURCE);
  const inLibrary = (file: string) => join('/usr/lib', system, file);
  await run('tcc', [
    ...['-static', '-nostdlib', '-nostdinc', `-I/usr/include/${system}`, '-o', program],
    ...[inLibrary('crt1.o'), inLibrary('crti.o'), source, inLibrary('libc.a'), inLibrary('crtn.o')],
  ]);
  return { command: [program] };
}

const SOURCE = `#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
int main(int count, char **words) {
  struct addrinfo want = { .ai_socktype = SOCK_STREAM }, *found = 0;
  int fault = getaddrinfo(words[1], 0, &want, &found);
  if (fault) return fprintf(stderr, "%s\\n", gai_strerror(fault)), 2;
  for (; found; found = found->ai_next) {
    char text[64];
    getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, 0, 0, NI_NUMERICHOST);
    puts(text);
  }
  return 0;
}
`;

/** The addresses of a name, each once; none if it is not found. */
export async function find(
  { command, environment = {} }: ResolverLibrary,
  { pid }: Workload,
  name: string,
): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'egt-resolv-'));
  const file = join(folder, 'resolv.conf');
  writeFileSync(file, readFileSync(`/proc/${pid}/root/etc/resolv.conf`));
  const script = `mount --bind ${file} /etc/resolv.conf && exec "$@"`;
  const prefix = [`--net=/proc/${pid}/ns/net`, 'unshare', '--mount', 'sh', '-c', script, 'sh'];
  const ran = await execa('nsenter', [...prefix, ...command, name], {
    ...{ reject: false, stdin: 'ignore', timeout: 60_000, env: environment },
  });
  rmSync(folder, { recursive: true });
  if (ran.exitCode === 0)
    return [...new Set(ran.stdout.split('\n').map((line) => line.split(' ')[0] ?? ''))].sort();
  if (ran.exitCode === NOT_FOUND) return [];
  throw new Error(`${ran.command}: ${ran.stderr}`);
}

/** Of both programs. */
const NOT_FOUND = 2;
