/**
 * A naive reading of random files of networks: rows of text, and for each question all rows are looked at. Only for the
 * few forms that `randomFile` makes.
 */
import type { RandomFile } from './networks-file.ts';

export type Row = RandomFile['ips'][number];
type Policy = RandomFile['policies'][number];

export const bare = (name: string) => name.replaceAll('-', '').replaceAll('_', '');

const thirdOf = (ip: string) => Number(ip.split('.')[2]);
const lastOf = (ip: string) => Number(ip.split('.')[3]);
const family = (text: string) => (text.includes(':') ? 6 : 4);
const isText = (value: unknown): value is string => typeof value === 'string';

const RANGES: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ...([1, 2, 3, 4].map((port) => [port, `${port}-${port}`]) satisfies [number, string][]),
  ['80', '80-80'],
  ['2-3', '2-3'],
]);

export interface NaivePermit {
  readonly from: string;
  readonly to: string;
  readonly protocol: string;
  /** `2-3` */
  readonly range: string;
}

export interface NaiveForward {
  /** The container; none: this host. */
  readonly inside?: string;
  /** `*`: any of the container. */
  readonly device: string;
  readonly protocol: string;
  readonly port: string;
  readonly to: string;
}

/** What counts of a file, in its order. */
export interface Reading {
  readonly nets: readonly Net[];
  readonly rows: readonly Row[];
  readonly permits: readonly NaivePermit[];
  readonly forwards: readonly NaiveForward[];
}

/** `ofDocker`: the networks that Docker has, which policies may name. */
export function naiveReading(file: RandomFile, ofDocker: readonly Net[] = []): Reading {
  const nets = file.networks.filter(
    (one, at) => !keptBefore(file.networks, at).some((other) => isSameNet(one, other)),
  );
  const rows: Row[] = [];
  for (const one of file.ips) if (mayStand(one, rows, nets)) rows.push(one);
  const others = ofDocker.filter(({ name }) => !nets.some((one) => bare(one.name) === bare(name)));
  const named = [...nets, ...others];
  const permits: NaivePermit[] = [];
  const forwards: NaiveForward[] = [];
  const claimed = new Set<string>();
  for (const policy of file.policies) {
    const ends = targetsOf(policy, rows, named);
    permits.push(...permitsOf(policy, ends, rows, named));
    const found = forwardOf(policy, ends);
    if (found === undefined || claimed.has(found.claim)) continue;
    claimed.add(found.claim);
    forwards.push(found.forward);
  }
  return { nets, rows, permits, forwards };
}

/** What is in force, a line for each. */
export function naiveLines(file: RandomFile): readonly string[] {
  const { nets, rows, permits, forwards } = naiveReading(file);
  return [
    ...nets.map(({ name, third }) => `network ${name} 10.0.${third}.0/24`),
    ...rows.map(({ container_name, ip }) => `ip ${container_name} ${ip}`),
    ...permits.map(({ from, to, protocol, range }) => `permit ${from} ${to} ${protocol} ${range}`),
    ...forwards.map(
      ({ inside, device, protocol, port, to }) =>
        `${inside === undefined ? `host ${device}` : `in ${bare(inside)} ${device}`} ${protocol} ${port} ${to} ${port}`,
    ),
  ].sort();
}

export type Net = RandomFile['networks'][number];

const isSameNet = (one: Net, other: Net) => one.name === other.name || one.third === other.third;

/** Those before it that were kept themselves. */
function keptBefore(all: readonly Net[], at: number): readonly Net[] {
  const kept: Net[] = [];
  for (const one of all.slice(0, at)) if (!kept.some((other) => isSameNet(one, other))) kept.push(one);
  return kept;
}

function mayStand(one: Row, rows: readonly Row[], nets: readonly Net[]): boolean {
  if (rows.some((other) => other.ip === one.ip)) return false;
  if (!nets.some(({ third }) => third === thirdOf(one.ip))) return true;
  const isBeside = (other: Row) => thirdOf(other.ip) === thirdOf(one.ip);
  const isOfSame = (other: Row) => bare(other.container_name) === bare(one.container_name);
  return lastOf(one.ip) > 1 && !rows.some((other) => isBeside(other) && isOfSame(other));
}

const isCalled = (row: Row, name: string) =>
  [row.container_name, row.selector].some((own) => own !== undefined && bare(own) === bare(name));

const serves = (row: Row, name: string) =>
  row.service_name !== undefined && bare(row.service_name) === bare(name);

function meaningOf(text: string, rows: readonly Row[], nets: readonly Net[]): readonly string[] {
  if (text === '10.0.0.1/8') return [];
  if (/^[\d.]+(\/\d+)?$|:/.test(text)) return [text];
  const called = rows.filter((row) => isCalled(row, text));
  const entries = called.length > 0 ? called : rows.filter((row) => serves(row, text));
  if (entries.length > 0) return entries.map(({ ip }) => ip);
  const exact = nets.filter(({ name }) => name === text);
  const found = exact.length > 0 ? exact : nets.filter(({ name }) => bare(name) === bare(text));
  return found.length === 1 ? found.map(({ third }) => `10.0.${third}.0/24`) : [];
}

function targetsOf(policy: Policy, rows: readonly Row[], nets: readonly Net[]): readonly string[] {
  const { to, selector, container_name: container, service_name: service } = policy;
  if (isText(to)) return meaningOf(to, rows, nets);
  if (isText(selector) || isText(container))
    return rows
      .filter((row) => !isText(selector) || isCalled(row, selector))
      .filter((row) => !isText(container) || isCalled(row, container))
      .map(({ ip }) => ip);
  return isText(service) ? rows.filter((row) => serves(row, service)).map(({ ip }) => ip) : [];
}

function permitsOf(
  { from, nat, port, proto }: Policy,
  ends: readonly string[],
  rows: readonly Row[],
  nets: readonly Net[],
): readonly NaivePermit[] {
  const range = RANGES.get(port);
  if (!isText(from) || nat !== undefined || range === undefined || proto === 'TCP') return [];
  return meaningOf(from, rows, nets).flatMap((source) =>
    ends
      .filter((target) => family(source) === family(target))
      .map((target) => ({ from: source, to: target, protocol: `${proto}`, range })),
  );
}

function forwardOf(policy: Policy, ends: readonly string[]) {
  const { from, nat, port, proto } = policy;
  const [target, other] = ends;
  const place = placeOf(policy);
  if (isText(from) || nat === undefined || RANGES.get(port) === undefined || port === '2-3') return undefined;
  if (place === undefined || proto === 'TCP' || target === undefined || other !== undefined) return undefined;
  if (target.includes('/')) return undefined;
  const where = place.inside === undefined ? 'host' : `in ${bare(place.inside)}`;
  const forward: NaiveForward = { ...place, protocol: `${proto}`, port: `${port}`, to: target };
  return { claim: `${where} ${place.device} ${proto} ${port} ${family(target)}`, forward };
}

/** Where its port is; undefined: nowhere. */
function placeOf(policy: Policy): Pick<NaiveForward, 'inside' | 'device'> | undefined {
  const { iface, where, name, selector, container_name: container, to } = policy;
  const isHost = where === 'host' || (where === undefined && iface !== undefined);
  if (isHost) return isText(iface) ? { device: iface } : undefined;
  const inside = name ?? selector ?? container;
  const called = to === undefined ? [selector, container] : [to];
  if (!isText(inside) || called.some((one) => isText(one) && bare(one) === bare(inside))) return undefined;
  return { inside, device: isText(iface) ? iface : '*' };
}
