/** A procfs in a folder: pids that end, are reused, or belong to another container. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  openNamespace,
  seesProcess,
  trafficOf,
} from '../../../../src/adapters/dataplane/process-namespace.ts';

const owner = 'ab'.repeat(32);
const other = 'cd'.repeat(32);
const ref = { owner, name: 'web', pid: 4242, startedAt: '2026-01-01T00:00:00Z' };

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

const kindOf = async (changes: Partial<typeof ref> = {}) => {
  const opened = await openNamespace({ ...ref, ...changes }, proc);
  if (opened.kind === 'open') await opened.handle.close();
  return opened.kind;
};

test.each([
  `0::/docker/${owner}`,
  `0::/system.slice/docker-${owner}.scope`,
  `12:pids:/docker/${owner}\n4:memory:/docker/${owner}`,
  `0::/../${owner}`,
  `0::/docker/${other}/docker/${owner}`,
  `0::/docker/${owner}/init.scope`,
])("the container's process by its cgroup: %s", async (cgroup) => {
  addProcess(4242, cgroup);
  expect(await kindOf()).toBe('open');
  expect(await seesProcess(ref, proc)).toBe(true);
});

test.each([
  ['of the host', '0::/user.slice'],
  ['of another container', `0::/docker/${other}`],
  ['of a container inside the container', `0::/docker/${owner}/docker/${other}`],
])('a pid that is now that of a process %s', async (_, cgroup) => {
  addProcess(4242, cgroup);
  expect(await kindOf()).toBe('gone');
  expect(await seesProcess(ref, proc)).toBe(false);
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
  expect(await trafficOf(ref, proc)).toBeUndefined();
  mkdirSync(join(proc, '4242/net'));
  count('snmp', ipv4(1, 1));
  const seen = [await trafficOf(ref, proc)];
  for (const [name, before, after] of [
    ['snmp6', ipv6(1, 1), ipv6(2, 1)],
    ['snmp6', ipv6(2, 2), ipv6(3, 2)],
    ['snmp', ipv4(1, 2), ipv4(2, 2)],
  ] as const) {
    count(name, before);
    seen.push(await trafficOf(ref, proc));
    count(name, after);
    expect(await trafficOf(ref, proc)).toBe(seen.at(-1));
  }
  expect(new Set(seen).size).toBe(4);
  addProcess(4242, `0::/docker/${other}`);
  expect(await trafficOf(ref, proc)).toBeUndefined();
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
  const opened = await openNamespace(ref, proc);
  if (opened.kind !== 'open') throw new Error(opened.kind);
  const before = await opened.handle.stat({ bigint: true });
  rmSync(join(proc, '4242'), { recursive: true });
  addProcess(4242, `0::/docker/${other}`);
  expect((await opened.handle.stat({ bigint: true })).ino).toBe(before.ino);
  await opened.handle.close();
});
