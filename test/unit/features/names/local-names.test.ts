/** The names that need no rule, and the addresses that none may lead to. */
import { describe, expect, it } from 'vitest';
import { NeverGranted } from '../../../../src/features/names/addresses.ts';
import { consulNames } from '../../../../src/features/names/consul-names.ts';
import { namesByNetwork, namesOn } from '../../../../src/features/names/docker-names.ts';
import { LocalNames } from '../../../../src/features/names/local-names.ts';
import { neverGrantedOn } from '../../../../src/features/names/never-granted.ts';
import type { Instance } from '../../../../src/inventory/service.ts';
import { parsePrefix } from '../../../../src/net/address.ts';
import { parseServiceRule, type ServiceRule } from '../../../../src/policy/service-rule.ts';
import { container } from '../../../support/containers.ts';
import { address, dotted } from './names.ts';

const on = (network: string, aliases: readonly string[] = []) => ({
  ...{ id: `id-${network}`, name: network, endpoint: network, ipv4: undefined, ipv6: undefined, aliases },
});

const serviceRule = (text: string): ServiceRule => {
  const parsed = parseServiceRule(text);
  if ('reason' in parsed) throw new Error(parsed.reason);
  return parsed.rule;
};

describe("Docker's names", () => {
  const byNetwork = namesByNetwork([
    container('web', { id: 'a1b2c3d4e5f60718', networks: [on('front', ['www', 'shop.example'])] }),
    container('db_1', { networks: [on('back.net'), on('front', ['DB'])] }),
    container('plain', { networks: [on('bridge')] }),
    container('gone', { running: false, networks: [on('front')] }),
  ]);
  const local = new LocalNames();
  local.docker = [byNetwork.get('id-front')].filter((one) => one !== undefined);
  const isLocal = (name: string) => local.resolverOf(dotted(name)) === 'docker';

  it.each([
    ...['web', 'www', 'db', 'db_1', 'shop.example', 'a1b2c3d4e5f6'],
    ...['web.front', 'shop.example.front', 'db.front'],
  ])('%s is one', (name) => expect(isLocal(name)).toBe(true));

  it.each([
    ...['gone', 'plain', 'front', 'web.back', 'a1b2c3d4e5f60718', 'x.web', 'example', 'web.front.front'],
  ])('%s is none', (name) => expect(isLocal(name)).toBe(false));

  it('are of the networks of a namespace alone, also where a network has a dot in its name', () => {
    const back = new LocalNames();
    back.docker = [byNetwork.get('id-back.net')].filter((one) => one !== undefined);
    const names = ['db_1', 'db_1.back.net', 'web', 'db', 'db_1.net'];
    expect(names.map((name) => back.resolverOf(dotted(name)) ?? '–')).toEqual([
      ...['docker', 'docker', '–', '–', '–'],
    ]);
    expect(byNetwork.has('id-bridge')).toBe(false);
  });

  it('are those of its own links too, while their containers are there', () => {
    const links = [
      { to: 'db_1', name: 'database' },
      { to: 'www', name: 'shop.internal' },
      { to: 'gone', name: 'past' },
      { to: 'a..b', name: 'bad' },
      { to: 'web', name: 'no..name' },
    ];
    const own = new LocalNames();
    own.docker = namesOn([{ ...on('front'), links }, on('unknown')], byNetwork);
    const names = ['web', 'database', 'database.front', 'shop.internal', 'past', 'bad', 'gone'];
    expect(names.map((name) => own.resolverOf(dotted(name)) ?? '–')).toEqual([
      ...['docker', 'docker', 'docker', 'docker', '–', '–', '–'],
    ]);
    expect(isLocal('database')).toBe(false);
  });

  it('cannot be confused by a dot inside a label', () => {
    expect(local.resolverOf(['shop.example'])).toBeUndefined();
  });
});

describe("Consul's names", () => {
  const instance = (at: string, node: string): Instance => ({ address: at, port: 80, tags: [], node });
  const catalog = new Map([
    ['web', [instance('10.0.0.1', 'node-a'), instance('fd00::1', 'node-b')]],
    ['db@dc2', [instance('db.example', 'node-c')]],
  ]);
  const local = new LocalNames();
  local.consul = consulNames(
    ['web', 'v1.Prod.db@dc2'].map(serviceRule),
    (service) => catalog.get(service) ?? [],
    ['consul'],
  );

  it.each([
    ...['web.service.consul', '_web._tcp.service.consul', 'node-a.node.consul', '0a000001.addr.consul'],
    'fd000000000000000000000000000001.addr.consul',
    ...['db.service.dc2.consul', 'v1.prod.db.service.dc2.consul', '_db._v1.prod.service.dc2.consul'],
    'node-c.node.dc2.consul',
  ])('%s is one', (name) => expect(local.resolverOf(dotted(name))).toBe('consul'));

  it.each([
    ...['api.service.consul', 'db.service.consul', 'web.service.dc2.consul', 'x.web.service.consul'],
    ...['node-c.node.consul', '0a000002.addr.consul', 'web', 'consul', 'web.service.consul.example'],
  ])('%s is none', (name) => expect(local.resolverOf(dotted(name))).toBeUndefined());
});

describe('addresses that no name may lead to', () => {
  const subnet = (text: string) => {
    const parsed = parsePrefix(text);
    if ('reason' in parsed) throw new Error(parsed.reason);
    return { prefix: parsed.prefix, gateway: undefined };
  };
  const network = {
    ...{ id: 'n', name: 'front', driver: 'bridge', isInternal: false, bridge: 'br-n', options: {} },
    subnets: [subnet('9.9.0.0/16'), { ...subnet('2600:1::/64'), gateway: address('2600:1::fe') }],
  };
  const never = new NeverGranted(
    neverGrantedOn({
      protectedHosts: [address('9.8.8.8')],
      own: [address('9.7.7.7')],
      consul: [address('9.6.6.6')],
      networks: new Map([['n', network]]),
    }),
  );

  it.each([
    ['9.8.8.8', 'protected (--protect)'],
    ['9.7.7.7', 'an address of this host'],
    ['9.6.6.6', 'the address of Consul'],
    ['9.9.0.1', 'the gateway of the network front'],
    ['2600:1::fe', 'the gateway of the network front'],
    ['9.9.0.2', undefined],
    ['2600:1::1', undefined],
  ])('%s is %s', (text, expected) => expect(never.meaningOf(address(text))).toBe(expected));

  it('are known before the networks are', () => {
    const host = { protectedHosts: [], own: [address('9.7.7.7')], consul: [], networks: undefined };
    expect(neverGrantedOn(host)).toEqual([
      { prefix: address('9.7.7.7'), meaning: 'an address of this host' },
    ]);
  });
});
