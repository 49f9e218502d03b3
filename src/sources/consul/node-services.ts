/**
 * The services that are registered on one node, whoever registered them.
 */
import { z } from 'zod';
import { type NodeService, UNKNOWN_NODE } from '../../inventory/service.ts';
import { parseAddress } from '../../net/address.ts';
import type { ConsulClient } from './client.ts';
import { digestOf, type Parsed, parseJson } from './parse.ts';
import type { Permission } from './permissions.ts';
import { requirePermissions } from './permissions.ts';
import { type Query, reader } from './query.ts';

const entry = z.object({
  ...{ Service: z.string(), Address: z.string().nullish(), Port: z.number().int() },
  ...{ ID: z.string().nullish(), Tags: z.array(z.string()).nullish() },
  ...{ CreateIndex: z.number().nullish(), ModifyIndex: z.number().nullish() },
});

type Entry = z.infer<typeof entry>;

/** `/v1/catalog/node/…`; `null` for a node that Consul does not know. */
const nodeEntries = z
  .object({ Node: z.object({ Address: z.string() }), Services: z.record(z.string(), entry) })
  .nullable();

export function nodeServicesQuery(client: ConsulClient, node: string): Query<readonly NodeService[]> {
  const { datacenter } = client.settings;
  const name = `the services of node ${node}`;
  return {
    name,
    confirmation: 'register a service on it, which may be deregistered again',
    execute: reader(
      { client, name, datacenter, nothing: 'null' },
      ({ catalog }, common) => catalog.node.services({ ...common, node }),
      (body) => parseNodeServices(body, name),
    ),
    checkPermissions: async ({ listed }, missing, signal) => {
      if (listed.size > 0 && missing.length === 0) return;
      const services = missing.map((segment): Permission => ({ resource: 'service', segment }));
      const wanted: Permission[] = [{ resource: 'node', segment: node }, ...services];
      await requirePermissions(client, { wanted, purpose: name, datacenter, signal });
    },
  };
}

/** A service without an IP address or a port opens nothing. */
export function parseNodeServices(body: Buffer, what: string): Parsed<readonly NodeService[]> {
  const answer = parseJson(nodeEntries, body, what);
  if (answer === null) return { value: UNKNOWN_NODE, digest: digestOf(['no such node']), listed: new Set() };
  const { Node, Services } = answer;
  const entries = Object.values(Services);
  const value = entries
    .flatMap((one) => {
      const { Service, Address, Port, Tags } = one;
      const address = parseAddress(Address || Node.Address);
      if (address === undefined || Port < 1 || Port > 65_535) return [];
      const protocol = protocolOf(Tags ?? []);
      return [{ registration: registrationOf(one), name: Service, address, port: Port, protocol }];
    })
    .toSorted((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1));
  return {
    value,
    digest: digestOf(value.map(orderOf)),
    listed: new Set(entries.map(({ Service }) => Service)),
  };
}

/** Consul knows no protocols. Registrator gives a service of UDP the tag `udp`. */
const protocolOf = (tags: readonly string[]): NodeService['protocol'] =>
  tags.includes('udp') ? 'udp' : tags.includes('sctp') ? 'sctp' : 'tcp';

/** Consul counts its changes. One that registers a service as it was changes nothing. */
const registrationOf = ({ ID, Service, CreateIndex, ModifyIndex }: Entry): string =>
  `${ID || Service} ${CreateIndex ?? 0} ${ModifyIndex ?? 0}`;

const orderOf = ({ name, address, port, protocol, registration }: NodeService): string =>
  `${name} ${address.family} ${address.address} ${protocol} ${port} ${registration}`;
