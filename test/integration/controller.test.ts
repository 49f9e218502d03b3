/**
 * The main job, end to end: a container reaches what its ACL keys in Consul allow, and nothing else.
 * The real controller, both Engines, both ways to load, real connections.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import type { RunningController } from '../support/egresstrator.ts';
import { loadersOn, onEachEngine } from '../support/engines.ts';
import {
  becomes,
  control,
  deregister,
  type Fixture,
  ipv4,
  ipv6,
  openFixture,
  putKey,
  register,
  summary,
} from '../support/fixture.ts';
import { foreignRules, handles, inside, ourTables } from '../support/kernel.ts';
import { connects, type Protocol, reach, type Workload } from '../support/workloads.ts';

onEachEngine((version) => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await openFixture(version);
  });
  afterAll(() => fixture?.[Symbol.asyncDispose]());

  describe.each(loadersOn(version))('loading by %s', (loader) => {
    const path = `${loader}/`;
    let controller: RunningController;
    beforeAll(async () => {
      controller = await control(fixture, path, ['--loader', loader]);
    });
    afterAll(() => controller?.[Symbol.asyncDispose]());

    const key = (name: string, ...rules: readonly string[]) => putKey(fixture, `${path}${name}`, ...rules);
    const nameOf = (name: string) => `${loader}-${name}`;

    /** Runs a workload and waits until its rules are loaded. */
    async function protect(name: string, acl: string, options: object = {}): Promise<Workload> {
      const workload = await fixture.workloads.run(nameOf(name), { acl, ...options });
      await controller.logged(isLoaded(workload), `rules loaded for ${workload.name}`);
      return workload;
    }

    test('a workload reaches what its keys allow and is refused all else at once', async () => {
      const { server, other, network, workloads } = fixture;
      const [near, far] = [ipv4(server), ipv4(other)];
      const [near6, far6] = [ipv6(server, network), ipv6(other, network)];
      const nearOnNet = ipv4(server, network);
      await key('v4', `${near}:tcp/80`, `${near}:udp/80`, `${near}:icmp/8`, '# a comment');
      await key('net', `${nearOnNet}/32:tcp/80-80`, `${near6}/128:tcp/80`, `[${near6}]:udp/80`);
      await key('icmp6', `${near6}:icmp`);
      const [bridged, onNet] = await Promise.all([
        protect('bridged', 'v4'),
        protect('on-net', 'net, icmp6', { network }),
      ]);
      const expected: readonly [Workload, string, number, Protocol, 'ok' | 'refused'][] = [
        [bridged, near, 80, 'tcp', 'ok'],
        [bridged, near, 80, 'udp', 'ok'],
        [bridged, near, 0, 'icmp', 'ok'],
        [bridged, near, 81, 'tcp', 'refused'],
        [bridged, near, 81, 'udp', 'refused'],
        [bridged, far, 80, 'tcp', 'refused'],
        [bridged, far, 80, 'udp', 'refused'],
        [bridged, far, 0, 'icmp', 'refused'],
        [onNet, nearOnNet, 80, 'tcp', 'ok'],
        [onNet, nearOnNet, 80, 'udp', 'refused'],
        [onNet, near6, 80, 'tcp', 'ok'],
        [onNet, near6, 80, 'udp', 'ok'],
        [onNet, near6, 0, 'icmp', 'ok'],
        [onNet, near6, 81, 'tcp', 'refused'],
        [onNet, near6, 81, 'udp', 'refused'],
        [onNet, far6, 80, 'tcp', 'refused'],
        [onNet, far6, 80, 'udp', 'refused'],
        [onNet, far6, 0, 'icmp', 'refused'],
      ];
      const found = await Promise.all(
        expected.map(async ([workload, address, port, protocol]) => {
          const outcome = await connects(workload, address, port, protocol);
          return [workload, address, port, protocol, outcome];
        }),
      );
      expect(found.map(readable)).toEqual(expected.map(readable));
      const denied = await reach(bridged, { protocol: 'tcp', address: far, port: 80 });
      expect(denied).toMatchObject({ outcome: 'refused', code: 'ECONNREFUSED' });
      // The same as the container's own programs see it.
      const nc = (port: string) => workloads.exec(bridged, 'sh', '-c', `nc -w2 ${near} ${port} </dev/null`);
      expect((await nc('80')).code).toBe(0);
      expect(await nc('81')).toMatchObject({ code: 1, stderr: expect.stringContaining('refused') });
      await workloads.remove(bridged, onNet);
    });

    /** How often rules were loaded for it. */
    const loadsOf = (workload: Workload) => () => controller.log.filter(isLoaded(workload)).length;

    test('a container that starts gets its rules by one load', async () => {
      await key('start', `${ipv4(fixture.server)}:tcp/80`);
      for (const name of ['start-1', 'start-2', 'start-3']) {
        const workload = await protect(name, 'start');
        expect(await connects(workload, ipv4(fixture.server), 81)).toBe('refused');
        expect(loadsOf(workload)()).toBe(1);
        await fixture.workloads.remove(workload);
      }
      // Helpers are in there too, and may change rules; they are ours.
      expect(controller.log.filter(({ reason }) => /could undo/.test(String(reason)))).toEqual([]);
    });

    test('names are resolved on the default bridge, and by Docker on a network of the user', async () => {
      const { workloads, server, names, network } = fixture;
      await key('nothing', '# nothing yet');
      const [bridged, onNet] = await Promise.all([
        protect('dns-bridged', 'nothing'),
        protect('dns-on-net', 'nothing', { network }),
      ]);
      const lookUp = (workload: Workload, name: string) => workloads.exec(workload, 'nslookup', name);
      const [outside, container, forwarded] = await Promise.all([
        lookUp(bridged, 'db.example'),
        lookUp(onNet, server.name),
        lookUp(onNet, 'db.example'),
      ]);
      expect(outside.stdout).toContain(ipv4(server));
      expect(container.stdout).toContain(ipv4(server, network));
      expect(forwarded.stdout).toContain(ipv4(server));
      // Its resolver only, and only for names.
      expect(await connects(bridged, ipv4(server), 53, 'udp')).toBe('refused');
      expect(await connects(bridged, ipv4(names), 80)).toBe('refused');
      // Docker's own rules in there are as they are without ours.
      const foreign = await foreignRules(onNet.pid);
      expect(foreign).toContain('DOCKER_OUTPUT');
      await key('nothing', `${ipv4(server, network)}:tcp/80`);
      await becomes(onNet, ipv4(server, network), 80, 'ok');
      expect(await foreignRules(onNet.pid)).toBe(foreign);
      await workloads.remove(bridged, onNet);
    });

    test('inbound connections are answered', async () => {
      const { workloads, server, network } = fixture;
      const serve = ['httpd', '-f', '-p', '8080', '-h', '/etc'];
      const [bridged, onNet] = await Promise.all([
        protect('inbound', 'nothing-at-all', { args: ['--publish', '8080'], command: serve }),
        protect('inbound-net', 'nothing-at-all', { network }),
      ]);
      await onNet.probe.serve([9000]);
      expect(await connects(bridged, ipv4(server), 80)).toBe('refused');
      const fetched = async () =>
        (await workloads.exec(server, 'wget', '-qO-', `http://${ipv4(bridged)}:8080/hostname`)).stdout;
      // The container's own command may not listen yet.
      const answered = async () => (await fetched()) === bridged.id.slice(0, 12);
      await waitFor(answered, { what: 'an answer of the server', interval: 200 });
      const published = (await workloads.must('port', bridged.id, '8080/tcp')).split('\n')[0] ?? '';
      const address = `http://${fixture.engine.publishedAddress}:${published.split(':').at(-1)}`;
      expect(await (await fetch(`${address}/hostname`)).text()).toBe(`${bridged.id.slice(0, 12)}\n`);
      const inbound = [
        [ipv4(onNet, network), 'tcp'],
        [ipv4(onNet, network), 'udp'],
        [ipv6(onNet, network), 'tcp'],
        [ipv6(onNet, network), 'udp'],
        [ipv6(onNet, network), 'icmp'],
      ] as const;
      const found = inbound.map(([to, protocol]) => connects(server, to, 9000, protocol));
      expect(await Promise.all(found)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
      await workloads.remove(bridged, onNet);
    });

    test('a container that does not ask is not touched', async () => {
      const { workloads, other, engine } = fixture;
      await key('watched', `${ipv4(other)}:tcp/80`);
      const [plain, off] = await Promise.all([
        workloads.run(nameOf('plain')),
        workloads.run(nameOf('off'), {
          args: ['-e', 'EGRESSTRATOR_ENABLE=0', '-e', 'EGRESSTRATOR_ACL=watched'],
        }),
      ]);
      // What comes after them has rules, so they were passed over.
      const workload = await protect('after-plain', 'watched');
      expect(await ourTables(inside(workload.pid))).toEqual([
        'inet egresstrator_egress',
        'netdev egresstrator_egress',
      ]);
      for (const { pid } of [plain, off]) expect(await ourTables(inside(pid))).toEqual([]);
      expect(await connects(plain, ipv4(other), 81)).toBe('ok');
      expect(await ourTables([])).toEqual([]);
      expect(await ourTables(engine.networkPrefix)).toEqual([]);
      await workloads.remove(plain, off, workload);
    });

    test('a KV edit is in the kernel of a running workload by one load', async () => {
      const address = ipv4(fixture.server);
      await key('edited', `${address}:tcp/80`);
      const workload = await protect('edited', 'edited');
      for (const [from, to] of [
        [80, 81],
        [81, 80],
        [80, 81],
        [81, 80],
        [80, 81],
      ] as const) {
        expect(await connects(workload, address, to)).toBe('refused');
        await key('edited', `${address}:tcp/${to}`);
        await becomes(workload, address, to, 'ok');
        expect(await connects(workload, address, from)).toBe('refused');
      }
      await vi.waitFor(() => expect(loadsOf(workload)()).toBe(1 + 5), { timeout: 30_000 });
      await fixture.workloads.remove(workload);
    });

    test('so is a service instance that is registered or deregistered', async () => {
      const { server, other } = fixture;
      const service = `web-${loader}`;
      const instance = (node: string, address: string, tags: readonly string[]) =>
        register(fixture, { node: `${loader}-${node}`, service, tags, address, port: 80 });
      await instance('first', ipv4(other), ['production']);
      await key('service', `production.${service}`);
      const workload = await protect('service', 'service');
      expect(await connects(workload, ipv4(other), 80)).toBe('ok');
      const before = loadsOf(workload)();
      for (let round = 0; round < 3; round++) {
        await instance('second', ipv4(server), ['v1', 'production']);
        await becomes(workload, ipv4(server), 80, 'ok');
        expect(await connects(workload, ipv4(server), 81)).toBe('refused');
        await deregister(fixture, `${loader}-second`);
        await becomes(workload, ipv4(server), 80, 'refused');
      }
      await vi.waitFor(() => expect(loadsOf(workload)()).toBe(before + 3 * 2), { timeout: 30_000 });
      // An instance with another tag is none of this workload's.
      await instance('second', ipv4(server), ['staging']);
      await instance('first', ipv4(other), ['staging']);
      await becomes(workload, ipv4(other), 80, 'refused');
      expect(await connects(workload, ipv4(server), 80)).toBe('refused');
      await fixture.workloads.remove(workload);
    });

    test('revocation cuts running flows, and an unrelated edit cuts nothing', async () => {
      const address = ipv4(fixture.server);
      const allowed = [`${address}:tcp/80`, `${address}:udp/80`];
      await key('flows', ...allowed);
      const workload = await protect('flows', 'flows');
      const { probe } = workload;
      const tcp = await probe.keep({ protocol: 'tcp', address, port: 80 });
      const udp = await probe.keep({ protocol: 'udp', address, port: 80 });
      const before = await handles(workload.pid);
      const alive = async (flow: number) => {
        const { echoes } = await probe.flow(flow);
        const more = async () => (await probe.flow(flow)).echoes > echoes + 5;
        await waitFor(more, { what: 'a flow to go on', timeout: 60_000 });
        expect((await probe.flow(flow)).error).toBeUndefined();
      };
      // Somebody else's key: not even loaded again. Its own key: loaded, and the flows go on.
      await key('unrelated', `${address}:tcp/81`);
      await Promise.all([tcp, udp].map(alive));
      await key('flows', ...allowed, `${address}:tcp/81`);
      await becomes(workload, address, 81, 'ok');
      expect(await handles(workload.pid)).not.toBe(before);
      await Promise.all([tcp, udp].map(alive));
      const revoked = performance.now();
      await key('flows', `${address}:tcp/81`);
      const cut = async () => {
        const states = await Promise.all([probe.flow(tcp), probe.flow(udp)]);
        return states.every(({ error }) => error !== undefined) && states;
      };
      const [tcpEnd, udpEnd] = await waitFor(cut, { what: 'both flows to be cut', timeout: 60_000 });
      summary(`Engine ${version}, ${loader}: revocation to flows cut`, [performance.now() - revoked]);
      expect(tcpEnd?.error).toMatch(/ECONNRESET|closed/);
      expect(udpEnd?.error).toBe('EPERM');
      const { echoes } = await probe.flow(udp);
      await becomes(workload, address, 81, 'ok');
      expect((await probe.flow(udp)).echoes).toBe(echoes);
      await fixture.workloads.remove(workload);
    });

    test('containers that share a namespace may reach the union', async () => {
      const { workloads, server } = fixture;
      await key('one', `${ipv4(server)}:tcp/80`);
      await key('two', `${ipv4(server)}:tcp/81`);
      const owner = await protect('owner', 'one');
      expect(await connects(owner, ipv4(server), 81)).toBe('refused');
      const joiner = await workloads.run(nameOf('joiner'), { acl: 'two', network: `container:${owner.id}` });
      await becomes(joiner, ipv4(server), 81, 'ok');
      expect(await connects(joiner, ipv4(server), 80)).toBe('ok');
      expect(await connects(owner, ipv4(fixture.other), 80)).toBe('refused');
      // One that asks for nothing, and is joined by one that asks.
      const host = await workloads.run(nameOf('pod'));
      const guest = await workloads.run(nameOf('guest'), { acl: 'one', network: `container:${host.id}` });
      await becomes(host, ipv4(server), 81, 'refused');
      expect(await connects(guest, ipv4(server), 80)).toBe('ok');
      await workloads.remove(guest);
      await becomes(host, ipv4(server), 81, 'ok');
      await workloads.remove(joiner);
      await becomes(owner, ipv4(server), 81, 'refused');
      await workloads.remove(owner, host);
    });

    test('no network of Docker’s has rules as any other, and the network of the host is refused', async () => {
      const { workloads, engine } = fixture;
      const lines = controller.log.length;
      const isolated = await workloads.run(nameOf('isolated'), { acl: 'one', network: 'none' });
      const onHost = await workloads.run(nameOf('on-host'), { acl: 'one', network: 'host' });
      const complaint = await controller.logged(
        ({ container, level }) => level === 'error' && container === onHost.name,
        'the host is refused',
        lines,
      );
      expect(complaint.reason).toContain('--network host');
      const { unsupported, namespaces } = await controller.status();
      expect(unsupported.map(({ name }) => name)).toEqual([onHost.name]);
      await controller.logged(
        ({ msg, container }) => msg === 'rules loaded' && container === isolated.name,
        'rules where Docker gives no network',
        lines,
      );
      expect(namespaces.filter(({ target }) => target === onHost.name)).toEqual([]);
      for (const prefix of [engine.networkPrefix, []]) expect(await ourTables(prefix)).toEqual([]);
      expect(await ourTables(inside(isolated.pid))).not.toEqual([]);
      await workloads.remove(isolated, onHost);
    });
  });
});

const isLoaded =
  ({ name }: Workload) =>
  ({ msg, container }: { readonly msg: string; readonly container?: unknown }) =>
    msg === 'rules loaded' && container === name;

const readable = ([workload, ...probe]: readonly unknown[]): string =>
  [(workload as Workload).name, ...probe].join(' ');
