/** What lets a container undo its rules, and what only looks like it. Whether it does: test/integration/bypass.test.ts. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { containerFrom } from '../../../../src/sources/docker/inspect.ts';

const Inspected = z.looseObject({ HostConfig: z.looseObject({}) });
const plain = Inspected.parse(
  JSON.parse(readFileSync(new URL('inspected/plain.28.5.json', import.meta.url), 'utf8')),
);

const ENGINE = '/srv/engine/docker-1.sock';

const waysOf = (hostConfig: object, mounts: readonly object[] = []): readonly string[] | undefined =>
  containerFrom(
    {
      ...plain,
      HostConfig: { ...plain.HostConfig, ...hostConfig },
      Mounts: mounts,
      ResolvConfPath: '/data/docker/containers/0123/resolv.conf',
    },
    ENGINE,
  ).bypasses;

const bind = (Source: string, RW = true) => ({ Type: 'bind', Source, Destination: '/inside', RW });

describe('a bind mount is reported', () => {
  test.each([
    '/',
    '/run',
    '/var/run',
    '/var/run/',
    '/var',
    '/run/docker.sock',
    '/var/run/docker.sock',
    '/srv/engine',
  ])('of %s, also read-only, as a socket is in it that commands the host', (source) => {
    if (source === '/var') return expect(waysOf({}, [bind(source)])).toHaveLength(1);
    expect(waysOf({}, [bind(source, false)])).toEqual([
      expect.stringContaining('which has a socket that controls the host'),
    ]);
  });

  test.each([
    ...[
      ENGINE,
      '/home/me/docker.sock',
      '/run/containerd',
      '/run/dbus',
      '/run/podman',
      '/srv',
      '/run//../run/',
    ],
  ])('of %s', (source) => expect(waysOf({}, [bind(source, false)])).toHaveLength(1));

  test.each([
    ...[
      '/etc',
      '/etc/cron.d',
      '/etc/cron.d/job',
      '/etc/docker/daemon.json',
      '/etc/ld.so.preload',
      '/etc/shadow',
    ],
    ...['/usr', '/usr/bin/docker', '/usr/local/lib/egresstrator/gate', '/run/egresstrator', '/root/.ssh'],
    ...['/proc/sys/kernel', '/sys', '/sys/kernel', '/data/docker', '/data/docker/containers/0123', '/data'],
  ])('of %s, where it may be written to', (source) => {
    expect(waysOf({}, [bind(source)])).toEqual([expect.stringMatching(/^can write to .* of the host/)]);
    expect(waysOf({}, [bind(source, false)])).toEqual([]);
  });
});

test.each(['/proc', '/proc/1', '/proc/1/root'])(
  'a mount of %s leads to all files, also read-only',
  (source) => {
    for (const isWritable of [true, false]) {
      expect(waysOf({}, [bind(source, isWritable)])).toEqual([
        `has a mount of ${source}, which leads to all files of the host`,
      ]);
    }
    expect(waysOf({}, [bind('/proc/cpuinfo', false)])).toEqual([]);
  },
);

test.each([
  ...[
    '/var/run/foo.sock',
    '/run/foo/foo.sock',
    '/etc/localtime',
    '/etc/ssl/certs',
    '/etc/hosts',
    '/etc/app/app.conf',
  ],
  ...[
    '/srv/data',
    '/home/me',
    '/tmp',
    '/run/user/1000/app',
    '/data/docker/volumes/x/_data',
    '/runner',
    '/etcetera',
  ],
  ...['/var/log', '/usr/share/zoneinfo', '/dev/shm', '/sys/class/thermal', '/var/lib/app', '/rooted'],
])('a mount of %s is nobody’s business', (source) => {
  expect(waysOf({}, [bind(source)])).toEqual([]);
});

test('neither is a volume, whatever it is called, nor memory', () => {
  const volume = {
    Type: 'volume',
    Source: '/var/lib/docker/volumes/x/_data',
    Destination: '/data',
    RW: true,
  };
  expect(waysOf({}, [volume, { Type: 'tmpfs', Source: '', Destination: '/tmp', RW: true }])).toEqual([]);
});

test.each<readonly [object, readonly unknown[]]>([
  [{ Privileged: true }, ['is privileged']],
  [{ CapAdd: ['NET_ADMIN'] }, ['holds CAP_NET_ADMIN']],
  [
    { CapAdd: ['CAP_DAC_READ_SEARCH'] },
    ['holds CAP_DAC_READ_SEARCH, which opens files of the host by their handles'],
  ],
  [{ CapAdd: ['SYS_RAWIO'] }, ['holds CAP_SYS_RAWIO, which controls the hardware']],
  [{ PidMode: 'host' }, [expect.stringContaining("has the host's processes")]],
  [{ PidMode: 'container:abc' }, [expect.stringContaining('processes of a container')]],
  [{ PidMode: 'container:abc', NetworkMode: 'container:abc' }, []],
  [{ PidMode: '' }, []],
  ...[
    '/dev/sda',
    '/dev/nvme0n1',
    '/dev/vda1',
    '/dev/mem',
    '/dev/mapper/vg-root',
    '/dev/loop0',
    '/dev',
    '/dev/disk/by-id/x',
  ].map((PathOnHost) => [{ Devices: [{ PathOnHost }] }, [`has the device ${PathOnHost}`]] as const),
  ...[
    '/dev/null',
    '/dev/net/tun',
    '/dev/fuse',
    '/dev/dri',
    '/dev/snd',
    '/dev/ttyUSB0',
    '/dev/kvm',
    '/dev/video0',
    '/dev/random',
  ].map((PathOnHost) => [{ Devices: [{ PathOnHost }] }, []] as const),
  ...['a *:* rwm', 'b 8:0 rwm', 'b *:* m', 'c 1:1 r', 'c *:* rwm'].map(
    (rule) => [{ DeviceCgroupRules: [rule] }, [`can create devices ("${rule}")`]] as const,
  ),
  ...['c 188:* rmw', 'c 81:* rmw', 'c 10:200 rwm'].map(
    (rule) => [{ DeviceCgroupRules: [rule] }, []] as const,
  ),
  [{ CapAdd: ['SYS_PTRACE', 'SYS_TIME', 'IPC_LOCK'] }, []],
  [{ SecurityOpt: ['seccomp=unconfined'] }, []],
])('%j', (changes, expected) => expect(waysOf(changes)).toEqual(expected));
