/**
 * Rules go into the namespace that Docker made, wherever the container's first process is, by every way; and what is
 * not a container's namespace is not taken for one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { createDataplane } from '../../src/dataplane/create-dataplane.ts';
import type { NamespaceRef } from '../../src/dataplane/dataplane.ts';
import { HelperRunner } from '../../src/dataplane/helper.ts';
import { NsenterRunner } from '../../src/dataplane/nsenter.ts';
import type { NamespaceRunner } from '../../src/dataplane/runner.ts';
import { NOTHING_DENIED } from '../../src/inventory/denied-record.ts';
import { ENGINES, LOADERS } from '../support/engines.ts';
import { ensureTestImage } from '../support/helper-image.ts';
import { movedProcesses } from '../support/moved-processes.ts';
import { smallRuleset } from './dataplane-lab.ts';
import { type DockerLab, openDockerLab } from './docker-lab.ts';

const nothing = { fingerprint: undefined, facts: undefined, digest: undefined };

const namespaceAt = async (path: string): Promise<string | undefined> =>
  (await execa('stat', ['--dereference', '--format', '%i', path], { reject: false })).stdout || undefined;

const tablesIn = async ({ sandbox = '' }: NamespaceRef): Promise<string> =>
  (await execa('nsenter', [`--net=${sandbox}`, 'nft', 'list', 'tables'])).stdout;

describe.each(ENGINES)('Engine %s', (version) => {
  let lab: DockerLab;
  let ways: Readonly<Record<'nsenter' | 'helper', NamespaceRunner>>;
  beforeAll(async () => {
    lab = await openDockerLab(version);
    const image = await ensureTestImage(lab);
    ways = { nsenter: new NsenterRunner(), helper: new HelperRunner(lab.engine, async () => image) };
  });

  describe.each(movedProcesses)('a first process that $what', ({ options, program, prepare }) => {
    beforeAll(prepare);

    test.each(LOADERS)('%s loads where its network is', async (way) => {
      const ref = await lab.namespaceOf(await lab.startRunning(program, ...options));
      // The Engine cannot end a process whose first thread has ended.
      onTestFinished(() => void process.kill(ref.pid, 'SIGKILL'));
      const hasLeft = async () =>
        (await namespaceAt(`/proc/${ref.pid}/ns/net`)) !== (await namespaceAt(ref.sandbox ?? ''));
      await waitFor(hasLeft, { what: 'the first process to leave' });
      const dataplane = createDataplane(ways[way]);
      expect((await dataplane.inspect(ref, 'egress')).loaded).toMatchObject(nothing);
      expect(await dataplane.load(ref, smallRuleset('12ab'))).toMatchObject({ fingerprint: '12ab' });
      expect(await tablesIn(ref)).toContain('table inet egresstrator_egress');
      expect((await dataplane.inspect(ref, 'egress')).loaded).toMatchObject({ fingerprint: '12ab' });
      expect(await dataplane.denied(ref, 'egress')).toEqual(NOTHING_DENIED);
      expect(await dataplane.egressCounters(ref)).toBeUndefined();
      await dataplane.clear(ref);
      expect(await tablesIn(ref)).toBe('');
    });
  });

  test.each(LOADERS)('%s says that a first process has moved, and no more than that', async (way) => {
    const [mover] = movedProcesses;
    const dataplane = createDataplane(ways[way]);
    const moved = await lab.namespaceOf(
      await lab.startRunning(mover?.program ?? [], ...(mover?.options ?? [])),
    );
    await sleep(1_000);
    expect((await dataplane.inspect(moved, 'egress')).loaded).toEqual({ ...nothing, hasProcessLeft: true });
    const ordinary = await lab.namespaceOf(await lab.start());
    expect((await dataplane.inspect(ordinary, 'egress')).loaded).toEqual(nothing);
  });

  test('a helper is shown the namespace alone, and enters it by itself only where it has to', async () => {
    const inspected: string[] = [];
    const createReally = lab.engine.create.bind(lab.engine);
    const create = vi.spyOn(lab.engine, 'create').mockImplementation(async (name, body) => {
      const { HostConfig } = JSON.parse(JSON.stringify(body));
      inspected.push([HostConfig.NetworkMode.split(':')[0], ...HostConfig.CapAdd].join(' '));
      return createReally(name, body);
    });
    onTestFinished(() => create.mockRestore());
    const dataplane = createDataplane(ways.helper);
    await dataplane.inspect(await lab.namespaceOf(await lab.start()), 'egress');
    expect(inspected.splice(0)).toEqual(['container NET_ADMIN']);
    const [mover] = movedProcesses;
    const moved = await lab.namespaceOf(
      await lab.startRunning(mover?.program ?? [], ...(mover?.options ?? [])),
    );
    await sleep(1_000);
    await dataplane.inspect(moved, 'egress');
    expect(inspected).toEqual(['container NET_ADMIN', 'none NET_ADMIN SYS_ADMIN']);
  });

  test('an Engine that cannot show the file is no obstacle', async () => {
    const ref = await lab.namespaceOf(await lab.start());
    const dataplane = createDataplane(ways.helper);
    const unseen = { ...ref, sandbox: '/run/egresstrator-nowhere/netns/0123456789ab' };
    expect(await dataplane.load(unseen, smallRuleset('12ab'))).toMatchObject({ fingerprint: '12ab' });
    expect(await tablesIn(ref)).toContain('table inet egresstrator_egress');
  });
});
