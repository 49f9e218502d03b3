import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  existingCgroup,
  findCgroup2,
  joinFolder,
  prepareCgroup,
  removeCgroup,
} from '../../../src/name-proxy/proxy-cgroup.ts';

const line = (path: string, type: string) =>
  `30 23 0:26 / ${path} rw,nosuid,relatime shared:4 - ${type} ${type} rw`;
const V1 = line('/sys/fs/cgroup/memory', 'cgroup');

it.each([
  ['alone', [line('/sys/fs/cgroup', 'cgroup2')], '/', '/sys/fs/cgroup'],
  ['beside version 1', [V1, line('/sys/fs/cgroup/unified', 'cgroup2')], '/', '/sys/fs/cgroup/unified'],
  ['nowhere', [V1], '/', undefined],
  [
    'where nft does not look',
    [line('/mnt/cgroup2', 'cgroup2'), line('/sys/fs/cgroup2', 'cgroup2')],
    '/',
    undefined,
  ],
  [
    'of the host, in a container that has its files',
    [line('/sys/fs/cgroup', 'cgroup2'), line('/host/sys/fs/cgroup', 'cgroup2')],
    '/host',
    '/host/sys/fs/cgroup',
  ],
])('finds version 2 %s', (_, lines, root, expected) => {
  expect(findCgroup2(lines.join('\n'), root)).toBe(expected);
});

it('says what is missing, and the way out', () => {
  expect(() => prepareCgroup(V1)).toThrow(
    "Names of Docker's networks cannot be resolved beside rules by name: no hierarchy of cgroups version 2 is mounted at /sys/fs/cgroup or below it. Mount",
  );
});

describe('the folder', () => {
  /** Folders of the kernel's file system can be made and removed in the same way. */
  const open = () => {
    const root = mkdtempSync(join(tmpdir(), 'egt-cgroup-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const folder = join(root, 'sys/fs/cgroup/egresstrator-names');
    return { root, folder, find: () => existingCgroup(root, line(join(root, 'sys/fs/cgroup'), 'cgroup2')) };
  };

  it('has a part for each process that uses it, and loses those of processes that have ended', () => {
    const { folder } = open();
    // No process began at that time.
    mkdirSync(join(folder, `${process.pid}.1`), { recursive: true });
    mkdirSync(join(folder, '4194305.17'));
    const { processes } = joinFolder(folder);
    expect(readdirSync(folder)).toEqual([basename(dirname(processes))]);
    expect(joinFolder(folder).processes).toBe(processes);
  });

  it('stays when a process ends, because rules name it', () => {
    const { folder, find } = open();
    const { processes, release } = joinFolder(folder);
    release();
    release();
    expect([existsSync(dirname(processes)), existsSync(folder)]).toEqual([false, true]);
    expect(find()).toBe(folder);
  });

  it('is removed when nobody uses it', () => {
    const { folder, find } = open();
    expect(find()).toBeUndefined();
    const { release } = joinFolder(folder);
    mkdirSync(join(folder, '4194305.17'));
    expect(removeCgroup(folder)).toBe(`the process ${process.pid} uses it`);
    expect(existsSync(folder)).toBe(true);
    release();
    expect(removeCgroup(folder)).toBeUndefined();
    expect(existsSync(folder)).toBe(false);
  });
});
