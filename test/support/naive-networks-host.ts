/**
 * What the Engine and the kernels are to hold after a file of networks, by a naive model: texts are compared, and all rows
 * are looked at for each question. Only for files of `randomFile`, and for IPv4 in containers.
 */
import {
  bare,
  type NaiveForward,
  type NaivePermit,
  type Net,
  naiveReading,
  type Row,
} from './naive-networks.ts';
import type { RandomFile } from './networks-file.ts';

/** A container's address in a network that was made from a file. */
export interface End {
  readonly container: string;
  readonly ip: string;
}

export interface Docker {
  readonly nets: readonly Net[];
  readonly ends: readonly End[];
  /** Those that run in a namespace of their own, with their address on the Engine's own bridge. */
  readonly own: ReadonlyMap<string, string>;
  /** Those that run in the host's. */
  readonly onHost: readonly string[];
  /** Of the Engine's own bridge. */
  readonly gateway: string;
}

export interface Held {
  readonly nets: readonly Net[];
  readonly ends: readonly End[];
  readonly permits: readonly NaivePermit[];
  readonly hostForwards: readonly NaiveForward[];
  /** In a container. */
  readonly forwards: ReadonlyMap<string, readonly NaiveForward[]>;
  /** `10.0.1.2 via 10.0.0.1` */
  readonly routes: ReadonlyMap<string, readonly string[]>;
}

export const thirdOf = (ip: string): string => ip.split('.')[2] ?? '';

/** `before`: as it was when the file came. */
export function heldAfter(file: RandomFile, before: Docker): Held {
  const fileNets = naiveReading(file).nets;
  const nets = [...before.nets, ...fileNets.filter((one) => isMade(one, fileNets, before.nets))];
  const reading = naiveReading(file, nets);
  const ends = [...before.ends];
  for (const row of reading.rows) {
    if (isElsewhere(row.ip, fileNets, nets)) continue;
    const container = attachedBy(row, nets, ends, before);
    if (container !== undefined) ends.push({ container, ip: row.ip });
  }
  const after = { ...before, nets, ends };
  const taken = [
    ...reading.rows.filter((row) => isTaken(row, after)).map(({ ip }) => ip),
    ...fileNets.filter((one) => hasForeign(one, fileNets, nets)).map(({ third }) => `10.0.${third}.0/24`),
  ];
  const permits = reading.permits.filter(({ from, to }) => !taken.includes(from) && !taken.includes(to));
  const forwards = reading.forwards.filter(({ to }) => !taken.includes(to));
  const inner = innerOf(forwards, permits, after);
  return {
    ...{ nets, ends, forwards: inner.forwards, routes: inner.routes },
    permits: [...permits, ...inner.permits],
    hostForwards: forwards.filter(({ inside }) => inside === undefined),
  };
}

/** What Docker has by its name, or by one that is alike and no other network of the file, is left as it is. */
const isMade = (one: Net, ofFile: readonly Net[], ofDocker: readonly Net[]): boolean =>
  sameAs(one, ofFile, ofDocker).length === 0 && !ofDocker.some(({ third }) => third === one.third);

function sameAs(one: Net, ofFile: readonly Net[], ofDocker: readonly Net[]): readonly Net[] {
  const isOther = (name: string) => name !== one.name && ofFile.some((other) => other.name === name);
  const exact = ofDocker.filter(({ name }) => name === one.name);
  const alike = ofDocker.filter(({ name }) => bare(name) === bare(one.name) && !isOther(name));
  return exact.length > 0 ? exact : alike;
}

/** Another network of Docker's has its subnet. */
const hasForeign = (one: Net, ofFile: readonly Net[], ofDocker: readonly Net[]): boolean =>
  ofDocker.some((net) => net.third === one.third && !sameAs(one, ofFile, ofDocker).includes(net));

/** Docker has the address in another network than the file. */
function isElsewhere(ip: string, ofFile: readonly Net[], ofDocker: readonly Net[]): boolean {
  const isThere = ({ third }: Net) => `${third}` === thirdOf(ip);
  const [own, docker] = [ofFile.find(isThere), ofDocker.find(isThere)];
  return own !== undefined && docker !== undefined && bare(own.name) !== bare(docker.name);
}

/** The containers that a name may mean: those with exactly that name, or else those with one alike. */
function meant(names: readonly (string | undefined)[], { own, onHost }: Docker): readonly string[] {
  const all = [...own.keys(), ...onHost];
  const exact = all.filter((one) => names.includes(one));
  const alike = all.filter((one) => names.some((name) => name !== undefined && bare(name) === bare(one)));
  return exact.length > 0 ? exact : alike;
}

function attachedBy(
  { ip, container_name, selector }: Row,
  nets: readonly Net[],
  ends: readonly End[],
  docker: Docker,
): string | undefined {
  const [container, other] = meant([container_name, selector], docker);
  if (container === undefined || other !== undefined || !docker.own.has(container)) return undefined;
  const isThere = nets.some(({ third }) => `${third}` === thirdOf(ip));
  const hasPlace = !ends.some(
    (end) => end.ip === ip || (end.container === container && thirdOf(end.ip) === thirdOf(ip)),
  );
  const isUsable = Number(ip.split('.')[3]) > 1;
  return isThere && hasPlace && isUsable ? container : undefined;
}

/** Another container has its address. */
function isTaken({ ip, container_name, selector }: Row, docker: Docker): boolean {
  const holder = docker.ends.find((end) => end.ip === ip)?.container;
  const called = meant([container_name, selector], docker);
  return holder !== undefined && !called.includes(holder);
}

/** The host's address in the network of one of its containers. */
const gatewayOf = (ip: string) => `10.0.${thirdOf(ip)}.1`;

function innerOf(all: readonly NaiveForward[], permits: readonly NaivePermit[], docker: Docker) {
  const forwards = new Map<string, NaiveForward[]>();
  const routes = new Map<string, string[]>();
  const own: NaivePermit[] = [];
  for (const forward of all) {
    const { to, protocol, port } = forward;
    const container = forwardingBy(forward, docker);
    const address = docker.own.get(container ?? '');
    if (container === undefined || address === undefined) continue;
    forwards.set(container, [...(forwards.get(container) ?? []), forward]);
    if (isIn(container, to, docker)) continue;
    own.push({ from: address, to, protocol, range: `${port}-${port}` });
    addRoute(routes, container, to, docker.gateway);
  }
  for (const { from, to } of permits) {
    addRouteBetween(routes, from, to, docker);
    addRouteBetween(routes, to, from, docker);
  }
  return { forwards, routes, permits: own };
}

/** The container in which a port leads elsewhere. None has IPv6. */
function forwardingBy({ inside, to }: NaiveForward, docker: Docker): string | undefined {
  const [container, other] = inside === undefined || to.includes(':') ? [] : meant([inside], docker);
  return other === undefined ? container : undefined;
}

/** Whether a container has an address in the network of this one. */
const isIn = (container: string, ip: string, { ends }: Docker): boolean =>
  ends.some((end) => end.container === container && thirdOf(end.ip) === thirdOf(ip));

function addRouteBetween(routes: Map<string, string[]>, one: string, other: string, docker: Docker): void {
  const container = docker.ends.find(({ ip }) => ip === one)?.container;
  if (container === undefined || isIn(container, other, docker)) return;
  if (isOfDocker(other, docker.nets)) addRoute(routes, container, other, gatewayOf(one));
}

/** The first way counts. */
function addRoute(routes: Map<string, string[]>, container: string, to: string, via: string): void {
  const known = routes.get(container) ?? [];
  if (!known.some((line) => line.startsWith(`${to} `))) known.push(`${to} via ${via}`);
  routes.set(container, known);
}

/** An address in a network of Docker's, or the whole network. */
const isOfDocker = (text: string, nets: readonly Net[]): boolean =>
  nets.some(
    ({ third }) => text === `10.0.${third}.0/24` || (!/[/:]/.test(text) && text.startsWith(`10.0.${third}.`)),
  );
