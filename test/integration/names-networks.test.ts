/**
 * Rules by name on each kind of network that Docker makes, on several at once, and in a namespace that containers share:
 * names are answered, and their addresses granted, without any route to the controller or to a resolver.
 */
import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/sources/docker/connect.ts';
import { onEachEngine } from '../support/engines.ts';
import { ipv4, ipv6 } from '../support/fixture.ts';
import { inside, ourTables } from '../support/kernel.ts';
import { connects, type Workload } from '../support/workloads.ts';
import { becomes, datagramsAt, finds, lookup, NamesLab } from './names-lab.ts';

const KINDS = ['bridge', 'internal', 'macvlan', 'ipv6'] as const;
type Kind = (typeof KINDS)[number];

/** The parent of macvlan networks: an interface of a host that leads nowhere. */
const PARENT = ['egt-parent', 'egt-peer'] as const;

/** As a rule has it. */
const placeOf = (address: string): string => (address.includes(':') ? `[${address}]` : address);

onEachEngine((version) => {
  let lab: NamesLab;
  /** It is on all of the networks. */
  let server: Workload;
  const workloads = new Map<Kind, Workload>();

  const networkOf = (kind: Kind) => (kind === 'bridge' ? kind : lab.fixture.workloads.nameOf(kind));
  const on = (kind: Kind): Workload => {
    const found = workloads.get(kind);
    if (found === undefined) throw new Error(`no workload on ${kind}`);
    return found;
  };
  const addressOn = (kind: Kind) => (kind === 'ipv6' ? ipv6 : ipv4)(server, networkOf(kind));
  const docker = (...args: readonly string[]) => lab.fixture.workloads.must(...args);
  const onHost = (...command: readonly string[]) => {
    const [file = '', ...args] = [...lab.fixture.engine.networkPrefix, ...command];
    return execa(file, args, { reject: false });
  };

  async function makeNetworks(): Promise<void> {
    const { workloads: own, engine } = lab.fixture;
    const [parent, peer] = PARENT;
    await onHost('ip', 'link', 'delete', parent);
    await onHost('ip', 'link', 'add', parent, 'up', 'type', 'veth', 'peer', 'name', peer);
    await onHost('ip', 'link', 'set', peer, 'up');
    const create = ['network', 'create', '--label', own.label];
    await docker(...create, '--internal', networkOf('internal'));
    await docker(...create, '--driver', 'macvlan', '--opt', `parent=${parent}`, networkOf('macvlan'));
    const [name = '', value] = own.label.split('=');
    // An older Engine gives it IPv4 too.
    await connect({ socketPath: engine.socketPath }).createNetwork({
      ...{ Name: networkOf('ipv6'), Labels: { [name]: value }, EnableIPv4: false, EnableIPv6: true },
      IPAM: { Config: [{ Subnet: 'fd00:e9:31::/64' }] },
    });
  }

  async function start(kind: Kind): Promise<void> {
    const workload = await lab.fixture.workloads.run(`on-${kind}`, { acl: 'api', network: networkOf(kind) });
    if (kind === 'ipv6') await execa('nsenter', [`--net=/proc/${workload.pid}/ns/net`, ...FLUSH]);
    workloads.set(kind, workload);
    await lab.becomesAnswering(workload);
  }
  const FLUSH = ['ip', '-4', 'address', 'flush', 'dev', 'eth0'];

  beforeAll(async () => {
    lab = await NamesLab.open(version);
    const { fixture } = lab;
    await makeNetworks();
    for (const kind of KINDS)
      if (kind !== 'bridge')
        await docker('network', 'connect', '--alias', `${kind}-alias`, networkOf(kind), fixture.server.id);
    server = await fixture.workloads.find('server');
    const both = [ipv4(server, fixture.network), ipv6(server, fixture.network)];
    lab.zone.set('net.example.com', both);
    lab.zone.set('more.example.com', [addressOn('internal')]);
    for (const kind of KINDS) lab.zone.set(`${kind}.example.com`, [addressOn(kind)]);
    lab.zone.set('www.example.com', [addressOn('bridge')]);
    await lab.key(
      'api',
      ...KINDS.map((kind) => `${kind}.example.com@${placeOf(addressOn(kind))}:tcp/80`),
      `net.example.com@${both.map(placeOf).join()}:tcp/80`,
    );
    await lab.key('more', `more.example.com@${addressOn('internal')}:tcp/81`);
    await lab.start();
    await Promise.all(KINDS.map(start));
  });
  afterAll(async () => {
    if (lab === undefined) return;
    await lab[Symbol.asyncDispose]();
    await onHost('ip', 'link', 'delete', PARENT[0]);
  });

  test.each(KINDS)('on %s the address of a name can be reached once it is answered', async (kind) => {
    const [workload, address] = [on(kind), addressOn(kind)];
    expect(await connects(workload, address, 80)).toBe('refused');
    await finds(workload, `${kind}.example.com`, [address]);
    expect(await connects(workload, address, 80)).toBe('ok');
    expect(await connects(workload, address, 81)).toBe('refused');
    expect(await lookup(workload, 'www.example.com')).toEqual([]);
    expect(lab.asked).not.toContain('www.example.com');
    // Whatever server is asked, by IPv6 too.
    await finds(workload, `${kind}.example.com`, [address], address);
  });

  test.each(KINDS)("on %s Docker's names are answered if Docker has any", async (kind) => {
    const names = [server.name, `${kind}-alias`, `${server.name}.${networkOf(kind)}`];
    const { ipv4: one = '', ipv6: other = '' } = server.addresses[networkOf(kind)] ?? {};
    const expected = kind === 'bridge' ? [] : [one, other].filter(Boolean);
    for (const name of names) await finds(on(kind), name, expected);
  });

  test('a resolver on the network is asked in vain, and a container without rules reaches it', async () => {
    const { names, other } = lab.fixture;
    const [workload, resolver] = [on('bridge'), ipv4(names)];
    const before = datagramsAt(names);
    expect(readFileSync(`/proc/${workload.pid}/root/etc/resolv.conf`, 'utf8')).toContain(resolver);
    await finds(workload, 'bridge.example.com', [addressOn('bridge')]);
    await finds(workload, 'bridge.example.com', [addressOn('bridge')], resolver);
    expect(await lookup(workload, 'www.example.com', resolver)).toEqual([]);
    expect(datagramsAt(names)).toBe(before);
    await finds(other, 'www.example.com', [ipv4(lab.fixture.server)], resolver);
    expect(datagramsAt(names)).toBeGreaterThan(before);
  });

  test('a network that is attached later has its names and addresses, until it is detached', async () => {
    const { network, names } = lab.fixture;
    const workload = on('bridge');
    const both = [ipv4(server, network), ipv6(server, network)];
    expect(await lookup(workload, server.name)).toEqual([]);
    await docker('network', 'connect', network, workload.id);
    await finds(workload, server.name, both);
    await finds(workload, `${server.name}.${network}`, both);
    expect(await connects(workload, ipv4(server, network), 80)).toBe('refused');
    const before = datagramsAt(names);
    for (const at of [[], [ipv4(names, network)]]) {
      await finds(workload, 'net.example.com', both, ...at);
      expect(await lookup(workload, 'www.example.com', ...at)).toEqual([]);
    }
    expect(datagramsAt(names)).toBe(before);
    for (const address of both) expect(await connects(workload, address, 80)).toBe('ok');
    expect(await connects(workload, ipv4(server, network), 81)).toBe('refused');
    await docker('network', 'disconnect', network, workload.id);
    await finds(workload, server.name, []);
    await finds(workload, 'bridge.example.com', [addressOn('bridge')]);
    expect(await connects(workload, addressOn('bridge'), 80)).toBe('ok');
  });

  test('containers that share a namespace have the names of all their keys, by one proxy', async () => {
    const [owner, address] = [on('internal'), addressOn('internal')];
    expect(await lookup(owner, 'more.example.com')).toEqual([]);
    const network = `container:${owner.id}`;
    const guest = await lab.fixture.workloads.run('guest', { acl: 'more', network });
    await finds(owner, 'more.example.com', [address]);
    await finds(guest, 'internal.example.com', [address]);
    await finds(guest, server.name, [address]);
    for (const workload of [owner, guest])
      for (const port of [80, 81]) expect(await connects(workload, address, port)).toBe('ok');
    expect(await lab.statusOf(guest.name)).toMatchObject({
      ...{ target: owner.name, workloads: expect.arrayContaining([owner.name, guest.name]) },
      names: { state: 'answering', names: 2, addresses: 1 },
    });
    await lab.fixture.workloads.remove(guest);
    await becomes('the end of its names', async () => (await connects(owner, address, 81)) === 'refused');
    expect(await lookup(owner, 'more.example.com')).toEqual([]);
    expect(await connects(owner, address, 80)).toBe('ok');
  });

  test('the names of a workload are answered in the namespace of a container that is none', async () => {
    const { other, network, workloads: own } = lab.fixture;
    const guest = await own.run('guest-of-other', { acl: 'api', network: `container:${other.id}` });
    await lab.becomesAnswering(guest);
    const both = [ipv4(server, network), ipv6(server, network)];
    for (const name of ['net.example.com', server.name]) await finds(guest, name, both);
    expect(await connects(guest, ipv4(server, network), 80)).toBe('ok');
    expect(await connects(guest, ipv4(server, network), 81)).toBe('refused');
    await own.remove(guest);
    await becomes('no rules', async () => (await ourTables(inside(other.pid))).length === 0);
  });

  test('a container that is restarted is answered again, and has to ask again', async () => {
    const before = await lab.statusOf(on('macvlan').name);
    await docker('restart', '--time', '0', on('macvlan').id);
    const [workload, address] = [await lab.fixture.workloads.find('on-macvlan'), addressOn('macvlan')];
    await becomes('answers in its new namespace', async () => {
      const now = await lab.statusOf(workload.name);
      return now?.names?.state === 'answering' && now.id !== before?.id;
    });
    expect(await connects(workload, address, 80)).toBe('refused');
    await finds(workload, 'macvlan.example.com', [address]);
    expect(await connects(workload, address, 80)).toBe('ok');
  });
});
