/** What the Engine answers to a list of all containers. */
import { expect, test } from 'vitest';
import { labelledFrom } from '../../../../src/sources/docker/answers.ts';
import { prefix } from '../../../support/host-claims.ts';

test('a container in the list has the addresses that it was given, in their networks', () => {
  const end = (IPAMConfig: object | null) => ({ NetworkID: 'n1', IPAddress: '', IPAMConfig });
  const Networks = {
    bridge: end(null),
    back: end({ IPv4Address: '10.1.0.2', IPv6Address: 'fd00:1::2' }),
    front: end({ IPv4Address: '10.2.0.2' }),
    unknown: { IPAMConfig: { IPv4Address: '10.3.0.2' } },
  };
  const listed = [
    { Id: 'a', Names: ['/web'], Labels: null, NetworkSettings: { Networks } },
    { Id: 'b', Names: null, Labels: { one: '1' } },
  ];
  expect(labelledFrom(listed, 'list')).toEqual([
    {
      ...{ id: 'a', names: ['/web'], labels: {} },
      staticAddresses: ['10.1.0.2', 'fd00:1::2', '10.2.0.2'].map((address) => ({
        ...{ network: 'n1', address: prefix(address) },
      })),
    },
    { id: 'b', names: [], labels: { one: '1' }, staticAddresses: [] },
  ]);
});
