/**
 * The network namespace that Docker made for a container, held open so that it cannot become another one.
 *
 * Docker keeps each in a file of its own (SandboxKey), which no process of the container can move. Its first process
 * can leave: where it may make user namespaces it forks, and moves itself to a namespace that is empty, while its
 * child stays. So the file counts, where it can be seen from here.
 *
 * Where it cannot (and for a container that was left alone in another's namespace there is none), the process must
 * do. A pid alone proves nothing: the process may have ended and its number belong to somebody else by now. So the
 * process's folder in /proc is opened first, and all that is read through it is of one and the same process. The
 * host's own namespace is never handed out.
 */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import type { NamespaceRef } from './dataplane.ts';
import { isSameFile, readStart } from './files.ts';

export type Opened =
  | {
      readonly kind: 'open';
      readonly handle: FileHandle;
      /** True if the container's first process is in another namespace. */
      readonly hasProcessLeft: boolean;
    }
  /** The process ended, or its pid belongs to another. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'host' };

/** Whoever gets an open handle closes it. `proc` is where procfs of the host's processes is. */
export async function openNamespace(ref: NamespaceRef, proc = '/proc', now = Date.now): Promise<Opened> {
  const handle = (await openSandbox(ref, proc)) ?? (await openByProcess(ref, proc, now));
  if (handle === undefined) return { kind: 'gone' };
  const checked = await check(handle, ref, proc, now).catch(() => ({ kind: 'gone' }) as const);
  if (checked.kind !== 'open') await handle.close();
  return checked;
}

async function check(
  handle: FileHandle,
  ref: NamespaceRef,
  proc: string,
  now: () => number,
): Promise<Opened> {
  if (await isHost(handle, proc)) return { kind: 'host' };
  const isThere = await isSameFile(handle, `${proc}/${ref.pid}/ns/net`);
  const hasProcessLeft = isThere === false && (await isProcessOf(ref, `${proc}/${ref.pid}`, proc, now));
  return { kind: 'open', handle, hasProcessLeft };
}

/**
 * What it has sent, as its protocols count; undefined where that is not seen. What comes in does not count, as each
 * broadcast of a neighbour does. Only a process shows it, so it is one that is in the namespace afterwards still.
 */
export async function egressCounters(ref: NamespaceRef, proc = '/proc'): Promise<string | undefined> {
  // Without IPv6 there is no snmp6.
  const [ipv4, ipv6 = ''] = await Promise.all(
    ['snmp', 'snmp6'].map((name) => readStart(`${proc}/${ref.pid}/net/${name}`)),
  );
  const opened = await openNamespace(ref, proc);
  if (opened.kind !== 'open') return undefined;
  await opened.handle.close();
  return ipv4 === undefined || opened.hasProcessLeft ? undefined : sentBy(ipv4, ipv6).join(' ');
}

/** `snmp` has a line of names and one of numbers for each protocol, `snmp6` a line for each name. */
export function sentBy(snmp: string, snmp6: string): readonly string[] {
  const rows = snmp.split('\n').map((line) => line.split(' '));
  const ipv4 = rows.flatMap((names, row) =>
    names.flatMap((name, at) => (name.startsWith('Out') ? (rows[row + 1]?.[at] ?? []) : [])),
  );
  return [...ipv4, ...snmp6.split('\n').filter((line) => /^\w+6Out/.test(line))];
}

/**
 * Docker's own record. A controller in a container may see it in the host's root directory alone, where the usual
 * link /var/run would lead to ours. Where its mounts are not seen, an empty file is in its place.
 */
async function openSandbox({ sandbox }: NamespaceRef, proc: string): Promise<FileHandle | undefined> {
  if (sandbox === undefined) return undefined;
  const onHost = [sandbox, sandbox.replace(/^\/var\/run\//, '/run/')].map((path) => `${proc}/1/root${path}`);
  for (const path of [sandbox, ...onHost]) {
    const handle = await open(path, 'r').catch(() => undefined);
    if (handle === undefined) continue;
    if (await isNamespace(handle)) return handle;
    await handle.close();
  }
  return undefined;
}

/** All namespaces are files of one file system. */
async function isNamespace(handle: FileHandle): Promise<boolean> {
  const looks = await Promise.all([handle.stat(), stat('/proc/self/ns/net')]).catch(() => undefined);
  return looks !== undefined && looks[0].dev === looks[1].dev;
}

/** What is read through a handle of the process's folder is of that process, whoever gets its pid meanwhile. */
async function openByProcess(
  ref: NamespaceRef,
  proc: string,
  now: () => number,
): Promise<FileHandle | undefined> {
  const folder = await open(`${proc}/${ref.pid}`, 'r').catch(() => undefined);
  if (folder === undefined) return undefined;
  const held = `/proc/self/fd/${folder.fd}`;
  try {
    return (await isProcessOf(ref, held, proc, now)) ? await openOfThread(held) : undefined;
  } finally {
    await folder.close();
  }
}

/** A process whose first thread has ended shows that it has no namespace, while its other threads go on. */
async function openOfThread(process: string): Promise<FileHandle | undefined> {
  const handle = await open(`${process}/ns/net`, 'r').catch(() => undefined);
  if (handle !== undefined) return handle;
  const threads = await readdir(`${process}/task`).catch(() => []);
  for (const thread of threads.slice(0, MOST_THREADS)) {
    const other = await open(`${process}/task/${thread}/ns/net`, 'r').catch(() => undefined);
    if (other !== undefined) return other;
  }
  return undefined;
}

const MOST_THREADS = 100;

/**
 * Whether the process in this folder is the container's, by its cgroup. One that can write to its cgroups may add names
 * below, but not leave out the container's. It may make the path too long to be read; and a process whose first
 * thread has ended shows none. Then it is the container's if it is older than the container's start: the number
 * was no other's since.
 */
async function isProcessOf(
  { containerId, pid, startedAt }: NamespaceRef,
  folder: string,
  proc: string,
  now: () => number,
): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false;
  const { state, started } = parseStat((await readStart(`${folder}/stat`)) ?? '');
  if (started === undefined) return false;
  const cgroups = await readStart(`${folder}/cgroup`);
  if (cgroups?.includes(containerId)) return true;
  if (cgroups !== undefined && state !== 'Z') return false;
  const uptime = Number.parseFloat((await readStart(`${proc}/uptime`)) ?? '');
  return now() - (uptime - Number(started) / TICKS) * 1000 <= Date.parse(startedAt);
}

/** In a second, for everything in /proc. */
const TICKS = 100;

/** Fields 3 and 22, in ticks since boot; the command's name before them may itself hold spaces and parentheses. */
function parseStat(line: string): {
  readonly state: string | undefined;
  readonly started: string | undefined;
} {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0], started: fields[19] };
}

/**
 * Process 1 is the host's where host processes are seen, our own where we run on the host. Where one of
 * them may not be read (a sandboxed host hides process 1 even from root), the other must do.
 */
async function isHost(handle: FileHandle, proc: string): Promise<boolean> {
  const known = await Promise.all(
    [`${proc}/1/ns/net`, '/proc/self/ns/net'].map((path) => isSameFile(handle, path)),
  );
  return known.includes(true);
}
