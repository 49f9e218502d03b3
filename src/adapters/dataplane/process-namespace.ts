/**
 * The network namespace of a container's process, held open so that it cannot become another one.
 *
 * A pid alone proves nothing: the process may have ended and its number belong to somebody else by now. So
 * the namespace is opened first, and then it is the opened one that counts: it is the container's if one
 * and the same process (by its start time) had that pid before and after, and its cgroup names the
 * container. The host's own namespace is never handed out.
 */
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import type { NamespaceRef } from '../../controller/ports.ts';

export type Opened =
  | { readonly kind: 'open'; readonly handle: FileHandle }
  /** The process ended, or its pid belongs to another. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'host' };

/** Whoever gets an open handle closes it. `proc` is where procfs of the host's processes is. */
export async function openNamespace(ref: NamespaceRef, proc = '/proc'): Promise<Opened> {
  const before = await processOf(ref, proc);
  if (before === undefined) return { kind: 'gone' };
  const handle = await open(`${proc}/${ref.pid}/ns/net`, 'r').catch(() => undefined);
  if (handle === undefined) return { kind: 'gone' };
  const verdict = await judge(handle, ref, before, proc).catch(() => 'gone' as const);
  if (verdict === 'open') return { kind: 'open', handle };
  await handle.close();
  return { kind: verdict };
}

/** Whether the container's process can be seen from here at all. */
export const seesProcess = async (ref: NamespaceRef, proc = '/proc'): Promise<boolean> =>
  (await processOf(ref, proc)) !== undefined;

/**
 * What it has sent, as its protocols count; undefined where the container's process is not seen. What comes in
 * does not count, as each broadcast of a neighbour does.
 */
export async function trafficOf(ref: NamespaceRef, proc = '/proc'): Promise<string | undefined> {
  if (!(await seesProcess(ref, proc))) return undefined;
  const read = (name: string) => readFile(`${proc}/${ref.pid}/net/${name}`, 'utf8');
  // Without IPv6 there is no snmp6.
  const [ipv4, ipv6] = await Promise.all(['snmp', 'snmp6'].map((name) => read(name).catch(() => undefined)));
  return ipv4 === undefined ? undefined : sentBy(ipv4, ipv6 ?? '').join(' ');
}

/** `snmp` has a line of names and one of numbers for each protocol, `snmp6` a line for each name. */
export function sentBy(snmp: string, snmp6: string): readonly string[] {
  const rows = snmp.split('\n').map((line) => line.split(' '));
  const ipv4 = rows.flatMap((names, row) =>
    names.flatMap((name, at) => (name.startsWith('Out') ? (rows[row + 1]?.[at] ?? []) : [])),
  );
  return [...ipv4, ...snmp6.split('\n').filter((line) => /^\w+6Out/.test(line))];
}

async function judge(handle: FileHandle, ref: NamespaceRef, before: string, proc: string) {
  const after = await processOf(ref, proc);
  if (after !== before) return 'gone';
  return (await isHost(handle, proc)) ? 'host' : 'open';
}

/** When the process started, if it is the container's. */
async function processOf({ owner, pid }: NamespaceRef, proc: string): Promise<string | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
  try {
    const started = startTime(await readFile(`${proc}/${pid}/stat`, 'utf8'));
    const cgroups = await readFile(`${proc}/${pid}/cgroup`, 'utf8');
    return cgroups.split('\n').some((path) => innermost(path) === owner) ? started : undefined;
  } catch {
    return undefined;
  }
}

/** The innermost container of a cgroup's path, `…/<id>` or `…/docker-<id>.scope`: it may be inside another. */
const innermost = (path: string): string | undefined => path.match(/[0-9a-f]{64}/g)?.at(-1);

/** Field 22, in ticks since boot; the command's name before it may itself hold spaces and parentheses. */
const startTime = (statLine: string): string | undefined =>
  statLine.slice(statLine.lastIndexOf(')') + 2).split(' ')[19];

/**
 * Process 1 is the host's where host processes are seen, our own where we run on the host. Where one of
 * them may not be read (a sandboxed host hides process 1 even from root), the other must do.
 */
async function isHost(handle: FileHandle, proc: string): Promise<boolean> {
  const found = await handle.stat({ bigint: true });
  const looks = [`${proc}/1/ns/net`, '/proc/self/ns/net'].map((path) => stat(path, { bigint: true }));
  const known = await Promise.allSettled(looks);
  return known.some(
    (look) => look.status === 'fulfilled' && look.value.dev === found.dev && look.value.ino === found.ino,
  );
}
