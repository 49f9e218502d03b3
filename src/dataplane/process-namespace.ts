/**
 * Opens the network namespace that Docker created for a container. While it is open, it cannot be replaced by another
 * one.
 *
 * Docker keeps each namespace in a file (SandboxKey), which no process of the container can move. The container's
 * first process can leave the namespace: if it may create user namespaces, it can fork and move to an empty namespace
 * while its child stays. So the file is used if it is visible from here.
 *
 * Without a visible file (a container that remained in another one's namespace has none), the process is used. A pid
 * alone proves nothing: the process may have ended, and another one may have its pid. So the process's folder in /proc
 * is opened first, and everything read through it is of the same process. The host's own namespace is never returned.
 */
import type { NamespaceRef } from './dataplane.ts';
import { isSameFile, isSameFileSystem, namesIn, type OpenFile, openFile, readStart } from './files.ts';
import { countersFrom, type NamespaceCounters } from './namespace-counters.ts';

export type Opened =
  | {
      readonly kind: 'open';
      readonly file: OpenFile;
      /** True if the container's first process is in another namespace. */
      readonly hasProcessLeft: boolean;
    }
  /** The process ended, or its pid belongs to another. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'host' };

/** `proc` is where procfs of the host's processes is. */
export function openNamespace(ref: NamespaceRef, proc = '/proc', now = Date.now): Opened {
  const file = openSandbox(ref, proc) ?? openByProcess(ref, proc, now);
  if (file === undefined) return { kind: 'gone' };
  if (isHost(file, proc)) {
    file.close();
    return { kind: 'host' };
  }
  const isThere = isSameFile(file, `${proc}/${ref.pid}/ns/net`);
  const hasProcessLeft = isThere === false && isProcessOf(ref, `${proc}/${ref.pid}`, proc, now);
  return { kind: 'open', file, hasProcessLeft };
}

/**
 * Undefined if they are not visible. They are read from a process, which must still be in the namespace afterwards.
 */
export function namespaceCounters(ref: NamespaceRef, proc = '/proc'): NamespaceCounters | undefined {
  // Without IPv6 there is no snmp6.
  const [ipv4, ipv6 = ''] = ['snmp', 'snmp6'].map((name) => readStart(`${proc}/${ref.pid}/net/${name}`));
  const opened = openNamespace(ref, proc);
  if (opened.kind !== 'open') return undefined;
  opened.file.close();
  if (ipv4 === undefined || opened.hasProcessLeft) return undefined;
  return countersFrom(ipv4, ipv6);
}

/**
 * The counters of outgoing packets; undefined if they are not visible. Incoming packets do not count, because
 * broadcasts of neighbours change these counters.
 */
export const egressCounters = (ref: NamespaceRef, proc = '/proc'): string | undefined =>
  namespaceCounters(ref, proc)?.sent;

/**
 * Docker's own file. A controller in a container may see it only below the host's root directory, where the usual link
 * /var/run would lead into the container. If Docker's mounts are not visible, there is an empty file in its place.
 */
function openSandbox({ sandbox }: NamespaceRef, proc: string): OpenFile | undefined {
  if (sandbox === undefined) return undefined;
  const onHost = [sandbox, sandbox.replace(/^\/var\/run\//, '/run/')].map((path) => `${proc}/1/root${path}`);
  for (const path of [sandbox, ...onHost]) {
    const file = openFile(path);
    if (file === undefined) continue;
    // All namespaces are files of one file system (nsfs).
    if (isSameFileSystem(file, '/proc/self/ns/net')) return file;
    file.close();
  }
  return undefined;
}

/** Everything read through the process's open folder is of that process, even if its pid is reused. */
function openByProcess(ref: NamespaceRef, proc: string, now: () => number): OpenFile | undefined {
  const folder = openFile(`${proc}/${ref.pid}`);
  if (folder === undefined) return undefined;
  const held = `/proc/self/fd/${folder.fd}`;
  try {
    return isProcessOf(ref, held, proc, now) ? openOfThread(held) : undefined;
  } finally {
    folder.close();
  }
}

/** A process whose first thread has ended shows no namespace, although its other threads go on. */
function openOfThread(process: string): OpenFile | undefined {
  const file = openFile(`${process}/ns/net`);
  if (file !== undefined) return file;
  for (const thread of namesIn(`${process}/task`, MOST_THREADS)) {
    const other = openFile(`${process}/task/${thread}/ns/net`);
    if (other !== undefined) return other;
  }
  return undefined;
}

const MOST_THREADS = 100;

/**
 * True if the process in this folder is the container's, by its cgroup. A process that can write to its cgroups may
 * add names, but cannot remove the container's id. It may make the path too long to read, and a process whose first
 * thread has ended shows no cgroup. Such a process is the container's if it is older than the container's start,
 * because the pid was not reused since.
 */
function isProcessOf(
  { containerId, pid, startedAt }: NamespaceRef,
  folder: string,
  proc: string,
  now: () => number,
): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false;
  const { state, started } = parseStat(readStart(`${folder}/stat`) ?? '');
  if (started === undefined) return false;
  const cgroups = readStart(`${folder}/cgroup`);
  if (cgroups?.includes(containerId)) return true;
  if (cgroups !== undefined && state !== 'Z') return false;
  const uptime = Number.parseFloat(readStart(`${proc}/uptime`) ?? '');
  return now() - (uptime - Number(started) / TICKS) * 1000 <= Date.parse(startedAt);
}

/** Clock ticks in a second, in all files of /proc. */
const TICKS = 100;

/** Fields 3 and 22 (in ticks since boot). The command's name before them may contain spaces and parentheses. */
function parseStat(line: string): {
  readonly state: string | undefined;
  readonly started: string | undefined;
} {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0], started: fields[19] };
}

/**
 * Compares with the namespaces of process 1, which is the host's if host processes are visible, and of this process.
 * If one of them cannot be read (a sandboxed host hides process 1 even from root), the other one must do.
 */
function isHost(file: OpenFile, proc: string): boolean {
  return [`${proc}/1/ns/net`, '/proc/self/ns/net'].some((path) => isSameFile(file, path) === true);
}
