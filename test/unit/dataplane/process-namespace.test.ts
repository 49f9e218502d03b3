/** A procfs in a folder: pids that end, are reused, or belong to another container, and that move away. */
import {
  fstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NamespaceRef } from '../../../src/dataplane/dataplane.ts';
import { egressCounters, openNamespace } from '../../../src/dataplane/process-namespace.ts';

const owner = 'ab'.repeat(32);
const other = 'cd'.repeat(32);
const ref: NamespaceRef = {
  containerId: owner,
  name: 'web',
  pid: 4242,
  startedAt: '2026-01-01T00:00:00Z',
};

let proc = '';
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'egresstrator-proc-'));
  addProcess(1, '0::/init.scope');
});
afterEach(() => rmSync(proc, { recursive: true }));

/** Its namespace is a file of its own, as namespaces are told apart by device and inode. */
function addProcess(pid: number, cgroup: string, startTime = '777'): void {
  const folder = join(proc, String(pid));
  mkdirSync(join(folder, 'ns'), { recursive: true });
  const fields = ['S', ...Array(18).fill('0'), startTime, '0'];
  writeFileSync(join(folder, 'stat'), `${pid} (a) b (c)) ${fields.join(' ')}\n`);
  writeFileSync(join(folder, 'cgroup'), `${cgroup}\n`);
  writeFileSync(join(folder, 'ns/net'), '');
}

const kindOf = async (changes: Partial<NamespaceRef> = {}) => {
  const opened = openNamespace({ ...ref, ...changes }, proc);
  if (opened.kind === 'open') opened.file.close();
  return opened.kind;
};

test.each([
  `0::/docker/${owner}`,
  `0::/system.slice/docker-${owner}.scope`,
  `12:pids:/docker/${owner}\n4:memory:/docker/${owner}`,
  `0::/../${owner}`,
  `0::/docker/${other}/docker/${owner}`,
  `0::/docker/${owner}/init.scope`,
  `0::/docker/${owner}/${other}`,
])("the container's process by its cgroup: %s", async (cgroup) => {
  addProcess(4242, cgroup);
  expect(await kindOf()).toBe('open');
});

test.each([
  ['of the host', '0::/user.slice'],
  ['of another container', `0::/docker/${other}`],
])('a pid that is now that of a process %s', async (_, cgroup) => {
  addProcess(4242, cgroup);
  expect(await kindOf()).toBe('gone');
});

test('a process that ended', async () => {
  expect(await kindOf()).toBe('gone');
});

test.each([0, 1, -1, Number.NaN, 1.5])('a pid that is none of a container: %s', async (pid) => {
  expect(await kindOf({ pid })).toBe('gone');
});

test('what it has sent is told as long as the process is its own, with IPv6 or without', async () => {
  const count = (name: string, text: string) => writeFileSync(join(proc, '4242/net', name), text);
  const ipv4 = (received: number, sent: number) => `Ip: InReceives OutRequests\nIp: ${received} ${sent}\n`;
  const ipv6 = (received: number, sent: number) => `Ip6InReceives ${received}\nIcmp6OutMsgs ${sent}\n`;
  addProcess(4242, `0::/docker/${owner}`);
  expect(egressCounters(ref, proc)).toBeUndefined();
  mkdirSync(join(proc, '4242/net'));
  count('snmp', ipv4(1, 1));
  const seen = [egressCounters(ref, proc)];
  for (const [name, before, after] of [
    ['snmp6', ipv6(1, 1), ipv6(2, 1)],
    ['snmp6', ipv6(2, 2), ipv6(3, 2)],
    ['snmp', ipv4(1, 2), ipv4(2, 2)],
  ] as const) {
    count(name, before);
    seen.push(egressCounters(ref, proc));
    count(name, after);
    expect(egressCounters(ref, proc)).toBe(seen.at(-1));
  }
  expect(new Set(seen).size).toBe(4);
  addProcess(4242, `0::/docker/${other}`);
  expect(egressCounters(ref, proc)).toBeUndefined();
});

test("the host's own namespace is not handed out", async () => {
  addProcess(4242, `0::/docker/${owner}`);
  rmSync(join(proc, '4242/ns/net'));
  symlinkSync(join(proc, '1/ns/net'), join(proc, '4242/ns/net'));
  expect(await kindOf()).toBe('host');
});

test('nor is our own', async () => {
  addProcess(4242, `0::/docker/${owner}`);
  rmSync(join(proc, '4242/ns/net'));
  symlinkSync('/proc/self/ns/net', join(proc, '4242/ns/net'));
  expect(await kindOf()).toBe('host');
});

test('process 1 is hidden, as on some sandboxed hosts: our own namespace is still known', async () => {
  addProcess(4242, `0::/docker/${owner}`);
  rmSync(join(proc, '1'), { recursive: true });
  expect(await kindOf()).toBe('open');
  rmSync(join(proc, '4242/ns/net'));
  symlinkSync('/proc/self/ns/net', join(proc, '4242/ns/net'));
  expect(await kindOf()).toBe('host');
});

test('what was opened stays open when the pid is reused afterwards', async () => {
  addProcess(4242, `0::/docker/${owner}`);
  const opened = openNamespace(ref, proc);
  if (opened.kind !== 'open') throw new Error(opened.kind);
  const before = fstatSync(opened.file.fd, { bigint: true });
  rmSync(join(proc, '4242'), { recursive: true });
  addProcess(4242, `0::/docker/${other}`);
  expect(fstatSync(opened.file.fd, { bigint: true }).ino).toBe(before.ino);
  opened.file.close();
});

describe('no cgroup tells whose the process is', () => {
  const boot = Date.parse('2026-01-01T00:00:00Z');
  const hour = 3_600_000;
  const now = () => boot + 24 * hour;
  const startOf = boot + 2 * hour;
  const opened = async (processStart: number, hide: () => void): Promise<string> => {
    writeFileSync(join(proc, 'uptime'), `${24 * 3_600}.00 1.00\n`);
    addProcess(4242, '0::/', String((processStart - boot) / 10));
    hide();
    const found = openNamespace({ ...ref, startedAt: new Date(startOf).toISOString() }, proc, now);
    if (found.kind === 'open') found.file.close();
    return found.kind;
  };
  const tooLong = () => rmSync(join(proc, '4242/cgroup'));
  const firstThreadEnded = () => {
    const file = join(proc, '4242/stat');
    writeFileSync(file, readFileSync(file, 'utf8').replace(') S ', ') Z '));
    mkdirSync(join(proc, '4242/task/4243/ns'), { recursive: true });
    rmSync(join(proc, '4242/ns/net'));
    writeFileSync(join(proc, '4242/task/4243/ns/net'), '');
  };

  describe.each([
    ['as its path is too long', tooLong],
    ['as its first thread has ended', firstThreadEnded],
  ])('%s', (_, hide) => {
    test("one that is older than the container's start is the container's", async () => {
      expect(await opened(startOf - 100, hide)).toBe('open');
    });

    test('one that is younger took the number of another', async () => {
      expect(await opened(startOf + 100, hide)).toBe('gone');
    });
  });

  test('one with another cgroup is none of the container, however old: it may be of our own pids', async () => {
    expect(await opened(startOf - 100, () => {})).toBe('gone');
  });
});

describe("Docker's own record of the namespace", () => {
  // Namespaces of other kinds: files of the same file system that everybody may open.
  const [here, elsewhere] = ['/proc/self/ns/uts', '/proc/self/ns/ipc'];
  const withSandbox = () => ({ ...ref, sandbox: join(proc, 'sandbox') });
  const openedIn = async (from: NamespaceRef) => {
    const opened = openNamespace(from, proc);
    if (opened.kind !== 'open') return opened.kind;
    const { ino } = fstatSync(opened.file.fd);
    opened.file.close();
    return { ino, hasProcessLeft: opened.hasProcessLeft };
  };
  const inode = (path: string) => statSync(path).ino;
  const enter = (pid: number, namespace: string) => {
    rmSync(join(proc, String(pid), 'ns/net'));
    symlinkSync(namespace, join(proc, String(pid), 'ns/net'));
  };
  beforeEach(() => {
    addProcess(4242, `0::/docker/${owner}`);
    symlinkSync(here, join(proc, 'sandbox'));
  });

  test('counts, and the first process is in it', async () => {
    enter(4242, here);
    expect(await openedIn(withSandbox())).toEqual({ ino: inode(here), hasProcessLeft: false });
  });

  test('counts where the first process has moved to another', async () => {
    enter(4242, elsewhere);
    expect(await openedIn(withSandbox())).toEqual({ ino: inode(here), hasProcessLeft: true });
    mkdirSync(join(proc, '4242/net'));
    writeFileSync(join(proc, '4242/net/snmp'), 'Ip: OutRequests\nIp: 1\n');
    expect(egressCounters(withSandbox(), proc)).toBeUndefined();
  });

  test('counts where the process shows nothing: a first thread that has ended', async () => {
    rmSync(join(proc, '4242/ns/net'));
    expect(await openedIn(withSandbox())).toEqual({ ino: inode(here), hasProcessLeft: false });
  });

  test('of a container that ended says nothing of who has its pid now', async () => {
    rmSync(join(proc, '4242'), { recursive: true });
    addProcess(4242, `0::/docker/${other}`);
    expect(await openedIn(withSandbox())).toEqual({ ino: inode(here), hasProcessLeft: false });
  });

  test('is an empty file where its mount is not seen: then the process must do', async () => {
    rmSync(join(proc, 'sandbox'));
    writeFileSync(join(proc, 'sandbox'), '');
    enter(4242, elsewhere);
    expect(await openedIn(withSandbox())).toEqual({ ino: inode(elsewhere), hasProcessLeft: false });
  });

  test.each(['/var/run', '/run'])("is found in the host's root directory, in %s", async (folder) => {
    mkdirSync(join(proc, '1/root/run/egresstrator-none'), { recursive: true });
    symlinkSync(here, join(proc, '1/root/run/egresstrator-none/web'));
    enter(4242, elsewhere);
    const sandbox = `${folder}/egresstrator-none/web`;
    expect(await openedIn({ ...ref, sandbox })).toEqual({ ino: inode(here), hasProcessLeft: true });
  });

  test("that is the host's is not handed out", async () => {
    rmSync(join(proc, 'sandbox'));
    symlinkSync('/proc/self/ns/net', join(proc, 'sandbox'));
    expect(await openedIn(withSandbox())).toBe('host');
  });
});
