/**
 * A real Engine with a few containers, of which a controller keeps one file of networks: what the Engine and the kernels
 * hold, in the words of the naive model (naive-networks-host.ts), and calls between its containers.
 */
import { BlockList, isIPv6 } from 'node:net';
import { execa } from 'execa';
import { z } from 'zod';
import { callEngine } from '../../lab/engine/api.ts';
import type { Engine } from '../../lab/engine.ts';
import { inside } from './kernel.ts';
import type { NaivePermit, Net } from './naive-networks.ts';
import type { Docker, Held } from './naive-networks-host.ts';

/** Lines of text, each of one thing that is there. */
export type Lines = readonly string[];

/**
 * Bridges that are not the Engine's own, and the running containers. What Docker says of a container also has networks to
 * which it could not be attached, and some that were removed, so each network is asked for its containers.
 */
export async function dockerOf({ socketPath }: Pick<Engine, 'socketPath'>): Promise<Docker> {
  const get = async (path: string) => (await callEngine(socketPath, 'GET', path)).body;
  const [listed, containers] = await Promise.all([get('/networks'), get('/containers/json')]);
  const all = z.array(Network).parse(listed);
  // One that was removed since has no containers.
  const networks = await Promise.all(
    all.map(async (one) => ({
      ...one,
      ...Members.catch({ Containers: {} }).parse(await get(`/networks/${one.Id}`)),
    })),
  );
  const ends = networks.flatMap(({ Name: network, Containers }) =>
    Object.values(Containers).map(({ Name: container, IPv4Address }) => ({
      ...{ network, container, ip: IPv4Address.split('/')[0] ?? '' },
    })),
  );
  return {
    nets: networks.flatMap(({ Name: name, IPAM }) =>
      OF_ENGINE.includes(name) ? [] : { name, third: Number(IPAM.Config[0]?.Subnet.split('.')[2]) },
    ),
    ends: ends.filter(({ network }) => !OF_ENGINE.includes(network)),
    own: new Map(
      ends.flatMap(({ network, ip, container }) => (network === 'bridge' ? [[container, ip]] : [])),
    ),
    onHost: z
      .array(Container)
      .parse(containers)
      .flatMap(({ Names: [name = ''], HostConfig }) =>
        HostConfig.NetworkMode === 'host' ? name.slice(1) : [],
      ),
    gateway: networks.find(({ Name }) => Name === 'bridge')?.IPAM.Config[0]?.Gateway ?? '',
  };
}

const OF_ENGINE = ['bridge', 'host', 'none'];

const Network = z.object({
  ...{ Id: z.string(), Name: z.string() },
  IPAM: z.object({
    Config: z
      .array(z.object({ Subnet: z.string(), Gateway: z.string().optional() }))
      .nullish()
      .transform((all) => all ?? []),
  }),
});

const Members = z.object({
  Containers: z.record(z.string(), z.object({ Name: z.string(), IPv4Address: z.string() })),
});

const Container = z.object({
  Names: z.array(z.string()),
  HostConfig: z.object({ NetworkMode: z.string().optional() }),
});

/** All that the Engine and the kernels hold. `pids`: a process of each container. */
export async function observed(engine: Engine, pids: ReadonlyMap<string, number>): Promise<Lines> {
  const [docker, host, ...within] = await Promise.all([
    dockerOf(engine),
    tableOf(engine.networkPrefix, 'egresstrator_host'),
    ...[...pids].map(([name, pid]) => insideLines(name, pid)),
  ]);
  return [
    ...dockerLines(docker),
    ...permittedPoints(elementsOf(host, 'permits').map(permitOf)),
    ...elementsOf(host, 'forwards_on').map((one) => `host ${forwardText(one)}`),
    ...within.flat(),
  ].sort();
}

/** The same of the model. */
export function expected({ nets, ends, permits, hostForwards, forwards, routes }: Held): Lines {
  const line = ({ device, protocol, port, to }: (typeof hostForwards)[number]) =>
    `${device === '*' ? '' : `${device} `}${protocol} ${port} ${to} ${port}`;
  const inner = (name: string, lines: Lines) => lines.map((one) => `${name} ${one}`);
  return [
    ...dockerLines({ nets, ends }),
    ...permittedPoints(permits),
    ...hostForwards.map((one) => `host ${line(one)}`),
    ...[...forwards].flatMap(([name, all]) =>
      inner(
        name,
        all.map((one) => `leads ${line(one)}`),
      ),
    ),
    ...[...routes].flatMap(([name, all]) =>
      inner(
        name,
        all.map((one) => `route ${one}`),
      ),
    ),
  ].sort();
}

const dockerLines = ({ nets, ends }: Pick<Docker, 'nets' | 'ends'>): Lines => [
  ...nets.map(({ name, third }: Net) => `network ${name} 10.0.${third}.0/24`),
  ...ends.map(({ container, ip }) => `end ${container} ${ip}`),
];

async function insideLines(name: string, pid: number): Promise<Lines> {
  const [nat, routes] = await Promise.all([
    tableOf(inside(pid), 'egresstrator_nat'),
    run([...inside(pid), 'ip', 'route', 'show', 'proto', '149']),
  ]);
  return [
    ...elementsOf(nat, 'forwards').map((one) => `${name} leads ${forwardText(one)}`),
    ...[...routes.matchAll(/^(\S+ via \S+)/gm)].map(([, route]) => `${name} route ${route}`),
  ];
}

const ADDRESSES = [0, 1, 2, 3, 4, 5]
  .flatMap((third) => [0, 1, 2, 3, 6].map((last) => `10.0.${third}.${last}`))
  .concat('10.7.0.9', '10.200.0.2', '203.0.113.9', 'fd00::1', '2001:db8::9');
const PORTS = [1, 2, 3, 4, 80, 7];

/** Of these addresses and ports, each combination that is permitted. */
function permittedPoints(permits: readonly NaivePermit[]): Lines {
  const texts = new Set(permits.flatMap(({ from, to }) => [from, to]));
  const members = new Map([...texts].map((text) => [text, within(text)]));
  const of = (text: string) => members.get(text) ?? [];
  const points = permits.flatMap(({ from, to, protocol, range }) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    const ports = PORTS.filter((port) => first <= port && port <= last);
    return of(from).flatMap((source) =>
      of(to).flatMap((target) => ports.map((port) => `permit ${source} ${target} ${protocol} ${port}`)),
    );
  });
  return [...new Set(points)];
}

const within = (text: string): Lines => {
  const list = new BlockList();
  const [first = '', last] = text.split('-');
  const [address = '', length] = first.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (last !== undefined) list.addRange(address, last, family);
  else if (length !== undefined) list.addSubnet(address, Number(length), family);
  else list.addAddress(address, family);
  return ADDRESSES.filter((one) => list.check(one, isIPv6(one) ? 'ipv6' : 'ipv4'));
};

/** One part of an element: as nft writes it in text. */
const Value = z.union([
  z.string(),
  z.number().transform(String),
  z
    .object({ prefix: z.object({ addr: z.string(), len: z.number() }) })
    .transform(({ prefix: { addr, len } }) => `${addr}/${len}`),
  z
    .object({ range: z.tuple([z.coerce.string(), z.coerce.string()]) })
    .transform(({ range }) => range.join('-')),
]);
const Parts = z.object({ concat: z.array(Value) }).transform(({ concat }) => concat);
const Element = z.union([Parts, z.tuple([Parts, Parts]).transform((both) => both.flat())]);
const Holder = z.object({ name: z.string(), elem: z.array(z.unknown()).optional() });
const Table = z.object({
  nftables: z.array(z.object({ set: Holder.optional(), map: Holder.optional() })),
});

async function tableOf(prefix: readonly string[], name: string): Promise<z.infer<typeof Table>> {
  const text = await run([...prefix, 'nft', '-j', 'list', 'table', 'inet', name]);
  return text === '' ? { nftables: [] } : Table.parse(JSON.parse(text));
}

/** Of both families. `forwards` are also those on one device. */
const elementsOf = ({ nftables }: z.infer<typeof Table>, name: string): readonly Lines[] =>
  nftables.flatMap(({ set, map }) => {
    const holder = set ?? map;
    if (holder === undefined || !new RegExp(`^${name}(_on)?[46]$`).test(holder.name)) return [];
    return (holder.elem ?? []).map((one) => Element.parse(one));
  });

const permitOf = ([from = '', to = '', protocol = '', range = '']: Lines): NaivePermit => ({
  ...{ from, to, protocol, range },
});

const forwardText = (parts: Lines): string => parts.join(' ');

/** Its output; nothing if it fails. */
async function run([command = '', ...args]: readonly string[]): Promise<string> {
  const { stdout, exitCode } = await execa(command, args, { reject: false, stdin: 'ignore' });
  return exitCode === 0 ? stdout : '';
}
