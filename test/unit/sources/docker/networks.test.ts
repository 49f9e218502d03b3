/** Networks as Engines 20.10 and 28.5 list them; both tell more than this. */
import { expect, test } from 'vitest';
import { formatPrefix } from '../../../../src/net/address.ts';
import { EngineAnswerError } from '../../../../src/sources/docker/errors.ts';
import { networkFrom, networksFrom } from '../../../../src/sources/docker/networks.ts';

const json = (changes: object) => ({
  Name: 'n',
  Id: '0123456789abcdef',
  Scope: 'local',
  Driver: 'bridge',
  EnableIPv6: false,
  Internal: false,
  IPAM: { Driver: 'default', Options: {}, Config: [{ Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' }] },
  Options: {},
  Labels: {},
  ...changes,
});

const network = (changes: object = {}) => networkFrom(json(changes), 'inspect a network');

const subnetsOf = (changes: object) =>
  network(changes).subnets.map(({ prefix, gateway }) => [
    formatPrefix(prefix),
    gateway && formatPrefix(gateway),
  ]);

test('a bridge has an interface that Docker names by its id', () => {
  expect(network()).toMatchObject({ id: '0123456789abcdef', name: 'n', driver: 'bridge', isInternal: false });
  expect(network().bridge).toBe('br-0123456789ab');
});

test('or whoever made it', () => {
  const Options = { 'com.docker.network.bridge.name': 'docker0', 'com.docker.network.driver.mtu': '1400' };
  expect(network({ Options })).toMatchObject({ bridge: 'docker0', options: Options });
});

test.each(['macvlan', 'host', 'null', null])('another driver has none: %s', (Driver) => {
  expect(network({ Driver, Internal: true })).toMatchObject({ bridge: undefined, isInternal: true });
});

test('subnets of both families, each with its gateway', () => {
  const Config = [
    { Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' },
    { Subnet: 'fd00:1::/64', Gateway: 'fd00:1::1/64' },
    { Subnet: '10.9.0.0/24' },
  ];
  expect(subnetsOf({ IPAM: { Config } })).toEqual([
    ['172.18.0.0/16', '172.18.0.1'],
    ['fd00:1::/64', 'fd00:1::1'],
    ['10.9.0.0/24', undefined],
  ]);
});

test.each([{ IPAM: null }, { IPAM: { Config: null } }, { IPAM: { Config: [{ Subnet: 'no subnet' }] } }])(
  'none where there is none: %j',
  (changes) => {
    expect(subnetsOf(changes)).toEqual([]);
  },
);

test('what is no network is an error', () => {
  expect(() => networkFrom({}, 'inspect a network')).toThrow(EngineAnswerError);
  expect(() => networksFrom(json({}), 'list the networks')).toThrow(EngineAnswerError);
});
