/**
 * Namespaces that Docker gave no network, and that have one all the same: Nomad's bridge mode. A pause container is on
 * `none`, CNI plugins give it eth0, and tasks join it.
 */
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { CniNetwork } from '../support/cni.ts';
import type { RunningController } from '../support/egresstrator.ts';
import { LOADERS, onEachEngine } from '../support/engines.ts';
import { argsFor } from '../support/faults.ts';
import { becomes, control, type Fixture, openFixture, PORTS, putKey } from '../support/fixture.ts';
import { connects, type Workload } from '../support/workloads.ts';

onEachEngine((version) => {
  let fixture: Fixture;
  let network: CniNetwork;
  /** Pause containers with servers in them, granted and not. */
  let server: { readonly ipv4: string; readonly ipv6: string };
  let other: { readonly ipv4: string; readonly ipv6: string };
  beforeAll(async () => {
    fixture = await openFixture(version);
    network = await CniNetwork.on(fixture.engine);
    server = await serve('cni-server');
    other = await serve('cni-other');
  });
  afterAll(async () => {
    await network?.[Symbol.asyncDispose]();
    await fixture?.[Symbol.asyncDispose]();
  });

  async function serve(name: string) {
    const pause = await fixture.workloads.run(name, { network: 'none' });
    await pause.probe.serve(PORTS);
    return network.attach(pause.id, pause.pid);
  }

  const rulesIn = async ({ pid }: Workload): Promise<string> =>
    (await execa('nsenter', [`--net=/proc/${pid}/ns/net`, 'nft', 'list', 'ruleset'])).stdout;

  describe.each(LOADERS)('loading by %s', (loader) => {
    const path = `cni-${loader}`;
    let controller: RunningController;
    const allow = (...ports: readonly number[]) =>
      putKey(
        fixture,
        `${path}/db`,
        `${server.ipv4}:tcp/${ports.join()}`,
        `[${server.ipv6}]:tcp/${ports.join()}`,
      );
    beforeAll(async () => {
      await allow(80);
      controller = await control(fixture, `${path}/`, argsFor(fixture, path, loader));
    });
    afterAll(() => controller?.[Symbol.asyncDispose]());

    test('a task that joins reaches what it may and nothing else, and a revocation arrives', async () => {
      const pause = await fixture.workloads.run(`pause-${loader}`, { network: 'none' });
      const address = await network.attach(pause.id, pause.pid);
      expect(await connects(pause, other.ipv4, 80)).toBe('ok');
      const task = await fixture.workloads.run(`task-${loader}`, {
        network: `container:${pause.id}`,
        acl: 'db',
      });
      await becomes(task, server.ipv4, 81, 'refused');
      await becomes(task, server.ipv4, 80, 'ok');
      expect(await connects(task, other.ipv4, 80)).toBe('refused');
      expect(await connects(task, other.ipv4, 80, 'udp')).toBe('refused');
      expect(await connects(task, other.ipv4, 80, 'icmp')).toBe('refused');
      expect(await connects(task, server.ipv6, 80)).toBe('ok');
      expect(await connects(task, other.ipv6, 80)).toBe('refused');
      // Whoever calls is answered.
      await task.probe.serve([8080]);
      const caller = await fixture.workloads.find('cni-server');
      expect(await connects(caller, address.ipv4, 8080)).toBe('ok');
      const { namespaces, unsupported } = await controller.status();
      const found = namespaces.filter(({ workloads }) => workloads.includes(task.name));
      expect(found).toMatchObject([{ target: pause.name, state: 'protected', grants: ['db'] }]);
      expect(unsupported.map(({ name }) => name)).not.toContain(task.name);
      await allow(81);
      await becomes(task, server.ipv4, 80, 'refused');
      await becomes(task, server.ipv4, 81, 'ok');
      await allow(80);
      await fixture.workloads.remove(task, pause);
    });

    test('one that is a workload before it has a network is ready when the network comes', async () => {
      const pause = await fixture.workloads.run(`early-${loader}`, { network: 'none', acl: 'db' });
      const isLoaded = async () => (await rulesIn(pause)).includes('table inet egresstrator_egress');
      await waitFor(isLoaded, { what: 'rules where there is no network' });
      await network.attach(pause.id, pause.pid);
      await becomes(pause, server.ipv4, 80, 'ok');
      expect(await connects(pause, other.ipv4, 80)).toBe('refused');
      // Neighbours of the new prefix may be asked and answered.
      const knows = async () => /nd-neighbor-advert.*fd00:e9:78::/.test(await rulesIn(pause));
      await waitFor(knows, { what: 'rules that know the new prefix' });
      const altered = controller.log.filter(({ msg }) => msg === 'rules in the kernel were changed');
      expect(altered.map(({ container }) => container)).not.toContain(pause.name);
      await fixture.workloads.remove(pause);
    });

    test('one whose middle container has ended stays with those that it is with', async () => {
      const pause = await fixture.workloads.run(`root-${loader}`, { network: 'none', acl: 'none' });
      await network.attach(pause.id, pause.pid);
      const middle = await fixture.workloads.run(`middle-${loader}`, { network: `container:${pause.id}` });
      const args = ['-e', 'EGRESSTRATOR_MODE=audit'];
      const guest = await fixture.workloads.run(`guest-${loader}`, {
        ...{ network: `container:${middle.id}`, acl: 'db', args },
      });
      await becomes(guest, server.ipv4, 81, 'refused');
      await becomes(guest, server.ipv4, 80, 'ok');
      await fixture.workloads.remove(middle);
      const together = async () => {
        const { namespaces } = await controller.status();
        const found = namespaces.filter(({ workloads }) => workloads.includes(guest.name));
        return found.length === 2 ? found : undefined;
      };
      // Each counts as an entrance from now on, and all of them load the same.
      const found = await waitFor(together, { what: 'the middle one to be forgotten' });
      const rules = { mode: 'enforce', grants: ['db', 'none'] };
      expect(found).toMatchObject([rules, rules]);
      expect(await connects(pause, other.ipv4, 80)).toBe('refused');
      await fixture.workloads.remove(guest, pause);
    });
  });
});
