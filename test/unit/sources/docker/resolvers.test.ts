/** Whose port 53 a container may reach: what the Engine gave it, whatever it writes itself. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import { externalAddresses } from '../../../../src/sources/docker/resolv-conf.ts';
import { readHostFile, resolversFrom } from '../../../../src/sources/docker/resolvers.ts';
import { leaseOn } from '../../../support/lease.ts';

const ENGINES_OWN = ['10.0.0.2', '10.0.0.3'];

const resolvers = (resolvConf: string, dns: readonly string[] = []) =>
  resolversFrom(resolvConf, dns.length > 0 ? externalAddresses(dns) : ENGINES_OWN);

test.each([
  ['the Engine’s own', 'nameserver 10.0.0.2\n', [], ['10.0.0.2']],
  ['--dns', 'nameserver 192.0.2.1\n', ['192.0.2.1'], ['192.0.2.1']],
  ['behind Docker’s, on Engine 20.10', 'nameserver 127.0.0.11\n', [], ENGINES_OWN],
  ['behind Docker’s, with --dns', 'nameserver 127.0.0.11\n', ['192.0.2.1', '127.0.0.1'], ['192.0.2.1']],
  ['as Engine 28 tells', 'nameserver 127.0.0.11\n# ExtServers: [10.0.0.3]\n', [], ['10.0.0.3']],
  ['asked from the host', 'nameserver 127.0.0.11\n# ExtServers: [host(10.0.0.2)]\n', [], []],
  ['none', 'search example\n', [], []],
])('%s', (_what, text, dns, expected) => {
  expect(resolvers(text, dns)).toEqual(expected);
});

test.each([
  'nameserver 10.0.0.2\nnameserver 203.0.113.66\n',
  'nameserver 10.0.0.2\n# ExtServers: [203.0.113.66]\nnameserver 203.0.113.66\n',
])('what a container writes into its file grants nothing: %j', (text) => {
  expect(resolvers(text)).toEqual(['10.0.0.2']);
  expect(resolvers('nameserver 127.0.0.11\n# ExtServers: [203.0.113.66]\n')).toEqual([]);
});

describe("the Engine's own file", () => {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-resolv-'));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is read where it can be seen', async () => {
    const text = 'nameserver 10.0.0.2\n';
    expect(await readHostFile(file('resolv.conf', text))).toBe(text);
  });

  const pipe = async () => {
    await execa('mkfifo', [join(folder, 'pipe')]);
    return join(folder, 'pipe');
  };

  test.each([
    ['is not there', () => join(folder, 'missing')],
    ['is empty', () => file('empty', '')],
    ['is too large', () => file('large', '# '.repeat(40_000))],
    ['is a folder', () => folder],
    ['is a pipe', pipe],
    ['is a device that never ends', () => '/dev/zero'],
    [
      'is a link',
      () => {
        symlinkSync(file('target', 'nameserver 10.0.0.2\n'), join(folder, 'link'));
        return join(folder, 'link');
      },
    ],
    ['is not named', () => ''],
  ])('is not read where it %s', async (_what, path) => {
    expect(await readHostFile(await path())).toBeUndefined();
  });

  test('holds up nothing while root inside has a lease on it', async () => {
    const path = file('leased', 'nameserver 10.0.0.2\n');
    using _lease = await leaseOn(path);
    const reads = Array.from({ length: 8 }, () => readHostFile(path));
    expect(await Promise.all(reads)).toEqual(reads.map(() => undefined));
  });
});
