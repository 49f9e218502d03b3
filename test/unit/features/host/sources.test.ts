/**
 * What the host's rules are made of: bridges and published ports.
 */
import { describe, expect, it } from 'vitest';
import { bridgeProblems, bridgesOf } from '../../../../src/features/host/bridges.ts';
import { publishedForwards } from '../../../../src/features/host/forwards.ts';
import type { Container } from '../../../../src/inventory/container.ts';
import { formatPrefix } from '../../../../src/net/address.ts';
import { BACK, end, FRONT, NETWORKS, network, networks, port, web } from '../../../support/host-inventory.ts';

describe('bridges', () => {
  it('are the networks that have a device here, guarded by name or all of them', () => {
    const macvlan = network('vlan', ['10.0.0.0/24'], { driver: 'macvlan', bridge: undefined });
    const all = networks(FRONT, BACK, macvlan);
    const named = (guarded: Parameters<typeof bridgesOf>[1]['guarded']) =>
      bridgesOf(all, { guarded, masquerades: false }).map(({ name, isGuarded }) => `${name} ${isGuarded}`);
    expect(named('all')).toEqual(['br-front true', 'br-back true']);
    expect(named(['br-back'])).toEqual(['br-front false', 'br-back true']);
    expect(named('none')).toEqual(['br-front false', 'br-back false']);
  });

  it('are masqueraded unless they are internal or their maker does not want it; global IPv6 is not', () => {
    const own = network('own', ['172.20.0.0/16'], {
      options: { 'com.docker.network.bridge.enable_ip_masquerade': 'false' },
    });
    const global = network('global', ['172.21.0.0/16', '2001:db8::/64']);
    const masqueraded = bridgesOf(networks(FRONT, BACK, own, global), { guarded: 'none', masquerades: true });
    expect(masqueraded.map((one) => one.masqueraded.map(formatPrefix))).toEqual([
      ['172.18.0.0/16', 'fd00:18::/64'],
      [],
      [],
      ['172.21.0.0/16'],
    ]);
  });

  it("are masqueraded if they are the Engine's own, which turns the option off without its iptables", () => {
    const own = network('bridge', ['172.17.0.0/16'], {
      options: {
        'com.docker.network.bridge.default_bridge': 'true',
        'com.docker.network.bridge.enable_ip_masquerade': 'false',
      },
    });
    const [bridge] = bridgesOf(networks(own), { guarded: 'none', masquerades: true });
    expect(bridge?.masqueraded.map(formatPrefix)).toEqual(['172.17.0.0/16']);
  });

  it('with a name that no rule can hold are left out, and told', () => {
    const strange = network('x', ['172.22.0.0/16'], { bridge: 'a"; drop' });
    expect(bridgesOf(networks(strange), { guarded: 'all', masquerades: true })).toEqual([]);
    const all = networks(strange, FRONT, network('v', [], { bridge: undefined }));
    expect(bridgeProblems(all, 'all')).toMatchObject([
      { severity: 'error', reason: expect.stringContaining('no rule can hold the name of the bridge') },
    ]);
  });

  it('that are named, and that no network has, are told', () => {
    expect(
      bridgeProblems(
        NETWORKS,
        [...NETWORKS.values()].flatMap(({ bridge }) => bridge ?? []),
      ),
    ).toEqual([]);
    expect(bridgeProblems(NETWORKS, ['br-typo'])).toMatchObject([
      { severity: 'warning', reason: expect.stringContaining('--ports-bridges names br-typo') },
    ]);
    expect(bridgeProblems(NETWORKS, 'none')).toEqual([]);
  });
});

describe('published ports', () => {
  const forwards = (one: Container, all = NETWORKS) =>
    publishedForwards([one], all).map(
      ({ at, protocol, port: from, to, toPort }) =>
        `${at.kind === 'address' ? formatPrefix(at.address) : at.kind} ${protocol}/${from} ${formatPrefix(to)} ${toPort}`,
    );

  it('lead to the network that has the default route, else to the first by name', () => {
    const all = networks(FRONT, network('alt', ['172.20.0.0/16']));
    const [front, alt] = [end('front', '172.18.0.2'), end('alt', '172.20.0.2')];
    const on = (...ends: Container['networks']) =>
      forwards(web({ ports: [port('0.0.0.0/0', 8080, 80)], networks: ends }), all);
    expect(on(front, alt)).toEqual(['any tcp/8080 172.20.0.2 80']);
    expect(on({ ...front, gatewayPriority: 1 }, alt)).toEqual(['any tcp/8080 172.18.0.2 80']);
    expect(on(front, { ...alt, gatewayPriority: -1 })).toEqual(['any tcp/8080 172.18.0.2 80']);
  });

  it('are forwards of both families, all protocols and all bindings', () => {
    const ports = [
      ...[port('0.0.0.0/0', 8080, 80), port('::/0', 8080, 80), port('198.51.100.1', 53, 53, 'udp')],
      port('0.0.0.0/0', 8081, 80),
    ];
    expect(forwards(web({ ports }))).toEqual([
      'any tcp/8080 172.18.0.2 80',
      'any tcp/8080 fd00:18::2 80',
      '198.51.100.1 udp/53 172.18.0.2 53',
      'any tcp/8081 172.18.0.2 80',
    ]);
  });

  it('of loopback are never forwarded', () => {
    expect(
      forwards(web({ ports: [port('127.0.0.1', 80, 80), port('127.1.2.3', 81, 80), port('::1', 80, 80)] })),
    ).toEqual([]);
  });

  it('lead nowhere in an internal network, or by a family in which the container has no address', () => {
    expect(
      forwards(web({ networks: [end('back', '172.19.0.2')], ports: [port('0.0.0.0/0', 80, 80)] })),
    ).toEqual([]);
    expect(forwards(web({ networks: [end('front', '172.18.0.2')], ports: [port('::/0', 80, 80)] }))).toEqual(
      [],
    );
  });

  it('of one number by both protocols are two, and those of a range as many as it has', () => {
    expect(forwards(web({ ports: [port('0.0.0.0/0', 53, 53), port('0.0.0.0/0', 53, 53, 'udp')] }))).toEqual([
      'any tcp/53 172.18.0.2 53',
      'any udp/53 172.18.0.2 53',
    ]);
    const range = Array.from({ length: 1_000 }, (_, index) =>
      port('0.0.0.0/0', 20_000 + index, 20_000 + index),
    );
    expect(forwards(web({ ports: range }))).toHaveLength(1_000);
  });

  it('are those of the owner of a shared namespace, and none on the network of the host', () => {
    const sidecar = web({ network: { kind: 'container', owner: 'web' }, networks: [], ports: [] });
    const onHost = web({ network: { kind: 'host' }, networks: [end('host')], ports: [] });
    expect([...forwards(sidecar), ...forwards(onHost)]).toEqual([]);
  });

  it('lead to the first network by name that reaches others', () => {
    const both = [end('front', '172.18.0.2'), end('back', '172.19.0.2')];
    expect(forwards(web({ networks: both, ports: [port('0.0.0.0/0', 80, 80)] }))).toEqual([
      'any tcp/80 172.18.0.2 80',
    ]);
  });
});
