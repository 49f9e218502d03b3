/** The services of a node in Consul's catalog. */
import { expect, it } from 'vitest';
import { UNKNOWN_NODE } from '../../../../src/inventory/service.ts';
import { formatPrefix } from '../../../../src/net/address.ts';
import { parseNodeServices } from '../../../../src/sources/consul/node-services.ts';

const entry = (traits: object = {}) => ({
  ...{ ID: 'web-1', Service: 'web', Address: '172.18.0.2', Port: 80, Tags: null },
  ...{ CreateIndex: 7, ModifyIndex: 9, ...traits },
});

const parse = (...entries: readonly object[]) => {
  const Services = Object.fromEntries(entries.map((one, index) => [String(index), one]));
  return parseNodeServices(
    Buffer.from(JSON.stringify({ Node: { Address: '192.0.2.1' }, Services })),
    'a node',
  );
};

const shown = (...entries: readonly object[]) =>
  parse(...entries).value.map(
    ({ registration, name, address, protocol, port }) =>
      `${registration}: ${name} ${formatPrefix(address)} ${protocol}/${port}`,
  );

it('have an address of their own, or that of the node', () => {
  expect(shown(entry(), entry({ ID: 'dns', Service: 'dns', Address: '', Port: 53, Tags: ['udp'] }))).toEqual([
    ...['dns 7 9: dns 192.0.2.1 udp/53', 'web-1 7 9: web 172.18.0.2 tcp/80'],
  ]);
});

it('without an address or a port open nothing', () => {
  expect(shown(entry({ Address: 'web.example' }), entry({ Port: 0 }))).toEqual([]);
});

it('that are registered anew are others, though all else is equal', () => {
  expect(parse(entry({ ModifyIndex: 12 })).digest).not.toBe(parse(entry()).digest);
  expect(shown(entry({ CreateIndex: 12, ModifyIndex: 12 }))).toEqual(['web-1 12 12: web 172.18.0.2 tcp/80']);
});

it('of a node that Consul does not know are none, which is not the same as a node without any', () => {
  const unknown = parseNodeServices(Buffer.from('null'), 'a node');
  expect(unknown.value).toBe(UNKNOWN_NODE);
  expect(parse().value).not.toBe(UNKNOWN_NODE);
  expect(parse().digest).not.toBe(unknown.digest);
});
