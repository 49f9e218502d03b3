/**
 * The format of networks.json, as network-go had it, with what it lacked: IPv6, ranges of ports, and `where`. The schema
 * for editors (docs/schemas/networks.json) is made from this.
 */
import { z } from 'zod';
import { foundText } from './problems.ts';

const expected =
  (what: string) =>
  ({ input }: { readonly input?: unknown }): string =>
    input === undefined ? `is missing; expected ${what}` : `expected ${what}, got ${foundText(input)}`;

const name = (about: string) => z.string({ error: expected('a name as text') }).describe(about);

const oneOrMore = (what: string, about: string) =>
  z
    .union([z.string(), z.array(z.string()).min(1)], {
      error: expected(`${what} as text, or a list of such texts`),
    })
    .describe(about);

const ANY_NAME = 'Names compare without - and _.';

export const NetworkFields = z.strictObject({
  network_name: name('The name of the network in Docker; default: the name of this entry.').optional(),
  subnet: oneOrMore('a prefix as 172.18.104.0/24', 'Of IPv4 or IPv6, or a list with one of each.'),
  gateway: oneOrMore(
    'an address as 172.18.104.1',
    'An address in the subnet, or a list with one for each subnet; default: Docker takes the first address.',
  ).optional(),
});

export const AddressFields = z.strictObject({
  ip: oneOrMore(
    'an address as 172.18.104.2',
    'In the subnet of a network: IPv4 or IPv6, or a list with one of each; default: the name of this entry.',
  ).optional(),
  container_name: name(`The container that gets the address. ${ANY_NAME}`).optional(),
  selector: name(`Another name of the container. ${ANY_NAME}`).optional(),
  service_name: name('A service of several containers, which policies may name.').optional(),
});

const aPort = { error: expected('a port from 1 to 65535, or a range as "8000-8010"') };

const Port = z
  .union(
    [z.int(aPort).min(1, aPort).max(65_535, aPort), z.string().regex(/^\d{1,5}(-\d{1,5})?$/, aPort)],
    aPort,
  )
  .describe('A port, or a range of ports as "8000-8010".');

export const PolicyFields = z.strictObject({
  service_name: name('The target: all containers of this service.').optional(),
  container_name: name('The target: the container with this name.').optional(),
  selector: name('The target, by its other name; with "nat": the container that translates.').optional(),
  from: name(
    'Who may reach the target: an entry of ips by its name, a network, an address, or a prefix.',
  ).optional(),
  name: name('With "nat": the container in which the port leads to another.').optional(),
  iface: name('With "nat": the device on which calls come in.').optional(),
  nat: z
    .literal('dnat', { error: expected('"dnat"') })
    .describe('The port leads to the target.')
    .optional(),
  where: z
    .enum(['host', 'container'], { error: expected('"host" or "container"') })
    .describe('With "nat": the device is one of this host, or of the container.')
    .optional(),
  to: name('The target: an entry of ips by its name, or an address.').optional(),
  port: Port,
  to_port: Port.describe('With "nat": the port of the target; default: the same port.').optional(),
  proto: z.enum(['tcp', 'udp', 'sctp'], { error: expected('"tcp", "udp" or "sctp"') }),
});

/** Of the whole file, for editors: the program reads each entry by itself. */
export const FileFields = z.strictObject({
  $schema: z.string().optional(),
  networks: z.record(z.string(), NetworkFields).describe('Networks that Docker is to have.').optional(),
  ips: z
    .record(z.string(), AddressFields)
    .describe('Static addresses of containers, by address or by any name.')
    .optional(),
  policies: z.array(PolicyFields).describe('Who may reach whom, and where ports lead.').optional(),
});

export type NetworkFields = z.infer<typeof NetworkFields>;
export type AddressFields = z.infer<typeof AddressFields>;
export type PolicyFields = z.infer<typeof PolicyFields>;
