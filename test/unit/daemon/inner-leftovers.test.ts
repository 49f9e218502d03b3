/** What networks.json has put into containers goes when it is turned off beside the host's rules. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LoadError } from '../../../src/common/errors.ts';
import { clearInner, removeInnerLeftovers } from '../../../src/daemon/inner-leftovers.ts';
import { hasLastNetworks, LastNetworksFile } from '../../../src/daemon/state/networks-file.ts';
import type { NamespaceRef } from '../../../src/dataplane/dataplane.ts';
import { byId, container } from '../../support/containers.ts';
import { FakeLog } from '../../support/fakes.ts';

let stateDir: string;

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'egt-'));
  const file = new LastNetworksFile(stateDir, '/networks.json', new FakeLog());
  file.save('{}');
  await file.close();
});
afterEach(() => rm(stateDir, { recursive: true }));

/** Containers `web` and `vpn`, both with ports and routes of ours; `failing`: what the kernel says of `web`. */
function access(failing?: LoadError) {
  const done: string[] = [];
  const of = <T>(name: string, value: T): T => {
    if (failing !== undefined && name === 'web') throw failing;
    return value;
  };
  return {
    done,
    containers: { list: async () => byId(container('web'), container('vpn')) },
    dataplane: {
      owners: async ({ name }: NamespaceRef) => of(name, ['egress', 'nat']),
      clear: async ({ name }: NamespaceRef, owner: string) => void done.push(`${owner} of ${name}`),
    },
    namespaceRoutes: {
      read: async () => ['10.2.0.2 via 10.9.0.1', 'forward ipv4'],
      set: async ({ name }: NamespaceRef, lines: readonly string[]) => {
        done.push(`routes of ${name}`);
        return lines;
      },
    },
  };
}

const HOST = {} as never;
const config = () => ({ networks: undefined, host: HOST, dryRun: false, stateDir });

it('goes from all containers, once', async () => {
  const here = access();
  await removeInnerLeftovers(config(), here as never, new FakeLog());
  expect(here.done).toEqual(['nat of web', 'routes of web', 'nat of vpn', 'routes of vpn']);
  expect(await hasLastNetworks(stateDir)).toBe(false);
  await removeInnerLeftovers(config(), here as never, new FakeLog());
  expect(here.done.length).toBe(4);
});

it('stays while networks.json is on, without the host rules, and in a dry run', async () => {
  const here = access();
  for (const more of [{ networks: '/networks.json' }, { host: undefined }, { dryRun: true }])
    await removeInnerLeftovers({ ...config(), ...more }, here as never, new FakeLog());
  expect([here.done, await hasLastNetworks(stateDir)]).toEqual([[], true]);
});

it('goes from the others where one container fails, and is tried again at the next start', async () => {
  const here = access(new LoadError('no'));
  await expect(clearInner(here as never)).rejects.toThrow('no');
  await removeInnerLeftovers(config(), here as never, new FakeLog());
  expect(here.done).toEqual(['nat of vpn', 'routes of vpn', 'nat of vpn', 'routes of vpn']);
  expect(await hasLastNetworks(stateDir)).toBe(true);
});

it('is gone with a container that is', async () => {
  const here = access(new LoadError('no', { gone: true }));
  await removeInnerLeftovers(config(), here as never, new FakeLog());
  expect(await hasLastNetworks(stateDir)).toBe(false);
});
