/**
 * What the Engine is asked to make networks and to attach containers.
 */
import { expect, test } from 'vitest';
import type { Network } from '../../../../src/inventory/network.ts';
import type { LabelledContainer } from '../../../../src/sources/docker/engine.ts';
import { EngineNetworkMaker } from '../../../../src/sources/docker/network-maker.ts';
import { prefix } from '../../../support/host-claims.ts';
import { network } from '../../../support/host-inventory.ts';
import { FakeEngine } from './fake-engine.ts';

/** An Engine that keeps what it is asked to make. */
function engineThatMakes() {
  const engine = new FakeEngine();
  const asked: unknown[] = [];
  engine.createNetwork = async (body) => void asked.push(body);
  engine.connectNetwork = async (to, body) => void asked.push([to, body]);
  return { engine, asked, maker: new EngineNetworkMaker(engine) };
}

test('a network is found by its whole name alone', async () => {
  const { engine, maker } = engineThatMakes();
  const back = network('back', ['10.1.0.0/24']);
  engine.ofNetworks = new Map([
    ['back-1', network('back-1', [])],
    ['id', back],
  ]);
  expect(await maker.find('back')).toBe(back);
  expect(await maker.find('id')).toBeUndefined();
  engine.down = true;
  await expect(maker.find('back')).rejects.toThrow('The Engine is down.');
});

test('a network of both families is made, with a gateway where one is given', async () => {
  const { asked, maker } = engineThatMakes();
  await maker.make('back', [
    { prefix: prefix('10.1.0.0/24'), gateway: prefix('10.1.0.1') },
    { prefix: prefix('fd00:1::/64'), gateway: undefined },
  ]);
  await maker.make('plain', [{ prefix: prefix('10.2.0.0/24'), gateway: undefined }]);
  expect(asked).toEqual([
    {
      ...{ Name: 'back', Driver: 'bridge', CheckDuplicate: true, EnableIPv6: true },
      IPAM: {
        Driver: 'default',
        Config: [{ Subnet: '10.1.0.0/24', Gateway: '10.1.0.1' }, { Subnet: 'fd00:1::/64' }],
      },
    },
    {
      ...{ Name: 'plain', Driver: 'bridge', CheckDuplicate: true, EnableIPv6: false },
      IPAM: { Driver: 'default', Config: [{ Subnet: '10.2.0.0/24' }] },
    },
  ]);
});

test('a container is attached with the addresses that it has, and no others', async () => {
  const { asked, maker } = engineThatMakes();
  await maker.attach('c', 'back', [prefix('10.1.0.2'), prefix('fd00:1::2')]);
  await maker.attach('c', 'back', [prefix('fd00:1::3')]);
  const end = (IPAMConfig: object) => ['back', { Container: 'c', EndpointConfig: { IPAMConfig } }];
  expect(asked).toEqual([
    end({ IPv4Address: '10.1.0.2', IPv6Address: 'fd00:1::2' }),
    end({ IPv6Address: 'fd00:1::3' }),
  ]);
});

test("a container's end is that in the network of this name, if it could be attached there", async () => {
  const { engine, maker } = engineThatMakes();
  engine.names.set('c', 'web');
  const entry = { EndpointID: 'e1', IPAddress: '10.1.0.2', GlobalIPv6Address: '', Gateway: '10.1.0.1' };
  const failed = { ...entry, Gateway: '', IPv6Gateway: '' };
  engine.ofNetworks = new Map([
    ...['back', 'failed'].map((name): [string, Network] => [name, network(name, [])]),
    ['secret', network('secret', [], { isInternal: true })],
  ]);
  engine.attachments = {
    back: { NetworkID: 'back', ...entry },
    failed: { NetworkID: 'failed', ...failed },
    secret: { NetworkID: 'secret', ...failed },
    removed: { NetworkID: 'removed', ...entry },
  };
  expect(await maker.endOf('c', 'back')).toMatchObject({ name: 'back', ipv4: prefix('10.1.0.2') });
  expect(await maker.endOf('c', 'bac')).toBeUndefined();
  expect(await maker.endOf('c', 'failed')).toBeUndefined();
  expect(await maker.endOf('c', 'secret')).toMatchObject({ name: 'secret' });
  expect(await maker.endOf('c', 'removed')).toBeUndefined();
  await expect(maker.endOf('gone', 'back')).rejects.toThrow('No such container');
});

test('a container keeps an address that it was given in a network, running or not', async () => {
  const { engine, maker } = engineThatMakes();
  engine.ofNetworks = new Map([['back', network('back', ['10.1.0.0/24', 'fd00:1::/64'])]]);
  const given = (address: string, of = 'back') => [{ network: of, address: prefix(address) }];
  const listed = (id: string, staticAddresses: LabelledContainer['staticAddresses'] = []) => ({
    ...{ id, names: [`/${id}-1`], labels: {}, staticAddresses },
  });
  engine.all = async () => [
    listed('none'),
    listed('web', given('10.1.0.2')),
    listed('six', given('fd00:1::6')),
    listed('other', given('10.1.0.3', 'removed')),
  ];
  const holder = (of: string, ...addresses: readonly string[]) =>
    maker.staticHolderOf(of, 'back', addresses.map(prefix));
  expect(await holder('app', '10.1.0.2')).toBe('web-1');
  expect(await holder('web', '10.1.0.2')).toBeUndefined();
  expect(await holder('app', '10.1.0.9', 'fd00:1::6')).toBe('six-1');
  expect(await holder('app', '10.1.0.3')).toBeUndefined();
});
