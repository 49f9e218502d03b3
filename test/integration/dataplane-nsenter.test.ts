/** nsenter on real containers, and that it enters nothing else. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createDataplane } from '../../src/dataplane/create-dataplane.ts';
import type { NamespaceRef } from '../../src/dataplane/dataplane.ts';
import { NsenterRunner } from '../../src/dataplane/nsenter.ts';
import type { NamespaceRunner } from '../../src/dataplane/runner.ts';
import { AutoRunner, nsenterAvailable } from '../../src/dataplane/select-loader.ts';
import { NOTHING_DENIED } from '../../src/inventory/denied-record.ts';
import { ENGINES } from '../support/engines.ts';
import { brokenRuleset, smallRuleset } from './dataplane-lab.ts';
import { type DockerLab, openDockerLab } from './docker-lab.ts';

const nothing = { fingerprint: undefined, facts: undefined, digest: undefined };
const dataplane = createDataplane(new NsenterRunner());

const hostTables = async () => (await execa('nft', ['list', 'tables'])).stdout;

describe.each(ENGINES)('Engine %s', (version) => {
  let lab: DockerLab;
  beforeAll(async () => {
    lab = await openDockerLab(version);
  });

  test('loads, reads, refuses to load what is broken, and clears', async () => {
    const ref = await lab.namespaceOf(await lab.start());
    expect(await dataplane.inspect(ref, 'egress')).toEqual({ loaded: nothing, denied: NOTHING_DENIED });
    const loaded = await dataplane.load(ref, smallRuleset('12ab'));
    expect(loaded).toMatchObject({ fingerprint: '12ab', facts: '0x1234abcd' });
    await expect(dataplane.load(ref, brokenRuleset)).rejects.toMatchObject({ exitCode: 1, gone: false });
    expect(await dataplane.inspect(ref, 'egress')).toEqual({ loaded, denied: NOTHING_DENIED });
    expect(await dataplane.denied(ref, 'egress')).toEqual(NOTHING_DENIED);
    await dataplane.add(ref, 'egress', 'denied4', [
      '192.0.2.7 . tcp . 443 timeout 1h',
      '192.0.2.8 . udp . 53',
    ]);
    const { destinations } = await dataplane.denied(ref, 'egress');
    expect(destinations.map(({ address }) => address).sort()).toEqual(['192.0.2.7', '192.0.2.8']);
    const { listing: _, ...state } = loaded;
    expect((await dataplane.inspect(ref, 'egress')).loaded).toMatchObject(state);
    await expect(dataplane.add(ref, 'egress', 'none', ['192.0.2.7'])).rejects.toThrow(
      'egress has no set none here',
    );
    expect(await dataplane.owners(ref)).toEqual(['egress']);
    await dataplane.clear(ref);
    expect(await dataplane.inspect(ref, 'egress')).toEqual({ loaded: nothing, denied: NOTHING_DENIED });
  });

  test('its traffic is another once it has sent anything, and the same before', async () => {
    const id = await lab.start();
    await lab.docker('exec', id, 'sh', '-c', 'for each in 1 2 3; do ping -c 1 -W 1 127.0.0.1; done');
    const ref = await lab.namespaceOf(id);
    const before = await dataplane.egressCounters(ref);
    expect(before).toMatch(/^[\d ]+( |$)/);
    await lab.docker('exec', id, 'ping', '-c', '1', '-W', '1', '127.0.0.1');
    expect(await dataplane.egressCounters(ref)).not.toBe(before);
    expect(await dataplane.egressCounters({ ...ref, pid: process.pid, sandbox: undefined })).toBeUndefined();
  });

  test('a container that was restarted or removed is gone, also if its pid is taken by another', async () => {
    const [id, other] = [await lab.start(), await lab.start()];
    const ref = await lab.namespaceOf(id);
    await lab.docker('stop', '--time', '0', id);
    await expect(dataplane.load(ref, smallRuleset('12'))).rejects.toMatchObject({ gone: true });
    const taken = { ...ref, pid: (await lab.namespaceOf(other)).pid };
    for (const sandbox of [ref.sandbox, undefined]) {
      const loading = dataplane.load({ ...taken, sandbox }, smallRuleset('12'));
      await expect(loading).rejects.toMatchObject({ gone: true });
    }
    expect(await dataplane.inspect(await lab.namespaceOf(other), 'egress')).toEqual({
      loaded: nothing,
      denied: NOTHING_DENIED,
    });
  });

  test("the host's own namespace is entered by no way", async () => {
    const before = await hostTables();
    const ours = (ref: NamespaceRef): Promise<unknown> => dataplane.load(ref, smallRuleset('12'));
    const container = await lab.namespaceOf(await lab.start());
    for (const pid of [1, process.pid, process.ppid]) {
      await expect(ours({ ...container, pid, sandbox: undefined })).rejects.toMatchObject({ gone: true });
    }
    const host = { ...container, sandbox: '/proc/self/ns/net' };
    await expect(ours(host)).rejects.toThrow("the host's own network namespace");
    expect(await hostTables()).toBe(before);
  });

  test('auto takes nsenter where it sees the process', async () => {
    const unused = async () => {
      throw new Error('the helper was asked');
    };
    const helper: NamespaceRunner = {
      ...{ run: unused, testLoad: unused, loaderOf: () => 'helper', close: async () => {} },
    };
    const auto = createDataplane(new AutoRunner(new NsenterRunner(), helper));
    expect(await nsenterAvailable()).toBe(true);
    const ref = await lab.namespaceOf(await lab.start());
    expect(await auto.load(ref, smallRuleset('12ab'))).toMatchObject({ fingerprint: '12ab' });
    await auto.testLoad(smallRuleset('12ab'));
    await expect(auto.inspect({ ...ref, pid: process.pid, sandbox: undefined }, 'egress')).rejects.toThrow(
      'the helper was asked',
    );
  });
});

test("a container on this machine's own network is refused by its namespace", async () => {
  const lab = await openDockerLab('20.10');
  const id = await lab.start('--network', 'host');
  const ref = await lab.namespaceOf(id);
  // The lab's Engine has a network namespace of its own, so this one is made to be in ours.
  const { stdout: where } = await execa('readlink', [`/proc/${ref.pid}/ns/net`]);
  const { stdout: here } = await execa('readlink', ['/proc/self/ns/net']);
  if (where === here)
    await expect(dataplane.inspect(ref, 'egress')).rejects.toThrow("the host's own network namespace");
  else await expect(insideOf(ref)).resolves.toContain("the host's own network namespace");
});

test('tests a load where there is no container', async () => {
  const before = await hostTables();
  await dataplane.testLoad(smallRuleset('12ab'));
  await expect(dataplane.testLoad(brokenRuleset)).rejects.toMatchObject({ exitCode: 1 });
  expect(await hostTables()).toBe(before);
});

test('a program that hangs is ended with all that it started', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const program = join(folder, 'netns');
  writeFileSync(program, 'sleep 2147 & sleep 2147');
  const before = performance.now();
  const rehearsal = new NsenterRunner({ program, limit: 500 }).testLoad(
    { name: 'load', owner: 'egress' },
    '',
  );
  await expect(rehearsal).rejects.toThrow('it took longer than 0.5 s');
  expect(performance.now() - before).toBeLessThan(60_000);
});

/** Reads through a controller that runs in the network namespace of that process; prints what is thrown. */
async function insideOf(ref: NamespaceRef): Promise<string> {
  const module = new URL('../../src/dataplane/nsenter.ts', import.meta.url).pathname;
  const script = `
    import { NsenterRunner } from ${JSON.stringify(module)};
    await new NsenterRunner().run(${JSON.stringify(ref)}, { name: 'inspect', owner: 'egress' }).catch((error) => console.log(error.message));
  `;
  const args = [`--net=/proc/${ref.pid}/ns/net`, process.execPath, '--input-type=module', '--eval', script];
  return (await execa('nsenter', args)).stdout;
}
