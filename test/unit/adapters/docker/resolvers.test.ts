/** Whose port 53 a container may reach: what the Engine gave it, whatever it writes itself. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { resolversOf } from '../../../../src/adapters/docker/resolvers.ts';
import { archiveOf } from './fake-archive.ts';
import { FakeEngine } from './fake-engine.ts';

const ENGINES_OWN = ['10.0.0.2', '10.0.0.3'];

function resolvers(
  resolvConf: string,
  dns: readonly string[] = [],
  inspected: object = {},
): Promise<readonly string[]> {
  const engine = new FakeEngine();
  engine.archive = async () => archiveOf(resolvConf);
  engine.inspect = async () => ({
    ...{ Id: 'a', Name: '/a', Image: 'i', Config: {} },
    State: { Running: true, Pid: 1, StartedAt: '2026-01-01T00:00:00Z' },
    HostConfig: { Dns: dns },
    ...inspected,
  });
  return resolversOf(engine, 'a', async () => ENGINES_OWN);
}

test.each([
  ['the Engine’s own', 'nameserver 10.0.0.2\n', [], ['10.0.0.2']],
  ['--dns', 'nameserver 192.0.2.1\n', ['192.0.2.1'], ['192.0.2.1']],
  ['behind Docker’s, on Engine 20.10', 'nameserver 127.0.0.11\n', [], ENGINES_OWN],
  ['behind Docker’s, with --dns', 'nameserver 127.0.0.11\n', ['192.0.2.1', '127.0.0.1'], ['192.0.2.1']],
  ['as Engine 28 tells', 'nameserver 127.0.0.11\n# ExtServers: [10.0.0.3]\n', [], ['10.0.0.3']],
  ['asked from the host', 'nameserver 127.0.0.11\n# ExtServers: [host(10.0.0.2)]\n', [], []],
  ['none', 'search example\n', [], []],
])('%s', async (_what, text, dns, expected) => {
  expect(await resolvers(text, dns)).toEqual(expected);
});

test.each([
  'nameserver 10.0.0.2\nnameserver 203.0.113.66\n',
  'nameserver 10.0.0.2\n# ExtServers: [203.0.113.66]\nnameserver 203.0.113.66\n',
])('what a container writes into its file grants nothing: %j', async (text) => {
  expect(await resolvers(text)).toEqual(['10.0.0.2']);
  expect(await resolvers('nameserver 127.0.0.11\n# ExtServers: [203.0.113.66]\n')).toEqual([]);
});

describe("the Engine's own file, where it can be seen", () => {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-resolv-'));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  afterAll(() => rmSync(folder, { recursive: true }));
  const ofEngine = 'nameserver 10.0.0.3\n';

  test('is read instead of asking for it', async () => {
    const ResolvConfPath = file('resolv.conf', 'nameserver 10.0.0.2\n');
    expect(await resolvers(ofEngine, [], { ResolvConfPath })).toEqual(['10.0.0.2']);
  });

  test.each([
    ['is not there', () => join(folder, 'missing')],
    ['is empty', () => file('empty', '')],
    ['is too large', () => file('large', '# '.repeat(40_000))],
    ['is a folder', () => folder],
    [
      'is a link',
      () => {
        symlinkSync(file('target', 'nameserver 10.0.0.2\n'), join(folder, 'link'));
        return join(folder, 'link');
      },
    ],
    ['is not named', () => ''],
  ])('%s: the Engine is asked', async (_what, path) => {
    expect(await resolvers(ofEngine, [], { ResolvConfPath: path() })).toEqual(['10.0.0.3']);
  });

  test('is not what the container reads, as another is mounted: the Engine is asked', async () => {
    const Mounts = [{ Source: '/tmp/mine', Destination: '/etc/resolv.conf' }];
    const ResolvConfPath = file('hidden', 'nameserver 10.0.0.2\n');
    expect(await resolvers(ofEngine, [], { ResolvConfPath, Mounts })).toEqual(['10.0.0.3']);
  });

  test('grants nothing that the Engine did not give', async () => {
    const ResolvConfPath = file('written', 'nameserver 203.0.113.66\nnameserver 10.0.0.2\n');
    expect(await resolvers(ofEngine, [], { ResolvConfPath })).toEqual(['10.0.0.2']);
  });
});
