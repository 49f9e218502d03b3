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
import type { NamespaceRef } from './dataplane.ts';
import { isSameFile, isSameFileSystem, namesIn, type OpenFile, openFile, readStart } from './files.ts';

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
 * What it has sent, as its protocols count; undefined where that is not seen. What comes in does not count, as each
 * broadcast of a neighbour does. Only a process shows it, so it is one that is in the namespace afterwards still.
 */
export function egressCounters(ref: NamespaceRef, proc = '/proc'): string | undefined {
  // Without IPv6 there is no snmp6.
  const [ipv4, ipv6 = ''] = ['snmp', 'snmp6'].map((name) => readStart(`${proc}/${ref.pid}/net/${name}`));
  const opened = openNamespace(ref, proc);
  if (opened.kind !== 'open') return undefined;
  opened.file.close();
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
function openSandbox({ sandbox }: NamespaceRef, proc: string): OpenFile | undefined {
  if (sandbox === undefined) return undefined;
  const onHost = [sandbox, sandbox.replace(/^\/var\/run\//, '/run/')].map((path) => `${proc}/1/root${path}`);
  for (const path of [sandbox, ...onHost]) {
    const file = openFile(path);
    if (file === undefined) continue;
    // All namespaces are files of one file system.
    if (isSameFileSystem(file, '/proc/self/ns/net')) return file;
    file.close();
  }
  return undefined;
}

/** What is read through the process's open folder is of that process, whoever gets its pid meanwhile. */
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

/** A process whose first thread has ended shows that it has no namespace, while its other threads go on. */
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
 * Whether the process in this folder is the container's, by its cgroup. One that can write to its cgroups may add names
 * below, but not leave out the container's. It may make the path too long to be read; and a process whose first
 * thread has ended shows none. Then it is the container's if it is older than the container's start: the number
 * was no other's since.
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
function isHost(file: OpenFile, proc: string): boolean {
  return [`${proc}/1/ns/net`, '/proc/self/ns/net'].some((path) => isSameFile(file, path) === true);
}
