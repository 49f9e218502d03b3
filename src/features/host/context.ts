/**
 * The context of the template `host.hbs`: canonical values that this program prints itself, so that no text from Consul,
 * the Engine or a label gets into a firewall.
 */
import { comparePrefixes, type Family, formatPrefix, type Prefix } from '../../net/address.ts';
import { formatRange } from '../../net/ranges.ts';
import type { ShapeOf } from '../../rendering/shape.ts';
import type { Forward, HostRuleSet, Opening, Permit, ProxiedPort } from './model.ts';
import { needsPassages } from './passages.ts';

/** What the rules hold of one family. Each list holds elements of a set or map, and may be empty. */
export interface FamilyContext {
  /** `4` or `6`: ends the names of sets. */
  readonly number: string;
  /** `ip` or `ip6`. */
  readonly ip: string;
  /** `icmp` or `icmpv6`. */
  readonly icmp: string;
  /** `ipv4_addr` or `ipv6_addr`. */
  readonly type: string;
  /** Its ports are guarded. */
  readonly isGuarded: boolean;
  /** `172.18.0.0/16 . "br-a"`: the subnets of a bridge. */
  readonly own: readonly string[];
  /** `172.18.0.0/16`: what leaves them gets this host's address. */
  readonly masqueraded: readonly string[];
  /** `tcp . 8080 : 172.18.0.2 . 80` */
  readonly forwards: readonly string[];
  /** `198.51.100.1 . tcp . 8080 : 172.18.0.2 . 80` */
  readonly forwardsAt: readonly string[];
  /** `"eth1" . tcp . 8080 : 172.18.0.2 . 80` */
  readonly forwardsOn: readonly string[];
  /** `172.18.0.2 . tcp . 8080`: containers that call their own forwarded port. */
  readonly selves: readonly string[];
  /** `172.18.0.2 . tcp . 80`: where forwards lead. */
  readonly targets: readonly string[];
  /** `10.1.0.0/24 . 172.18.0.2 . tcp . 80-81`: who may reach whom. */
  readonly permits: readonly string[];
  /** `172.18.0.2 . tcp . 80` */
  readonly open: readonly string[];
  /** `172.18.0.2 . tcp . 80 . 198.51.100.0/28` */
  readonly openFrom: readonly string[];
  /** `172.18.0.2`: addresses that answer echo requests. */
  readonly answering: readonly string[];
  /** `tcp . 8080`: where Docker's proxy listens on all addresses for guarded containers. */
  readonly proxied: readonly string[];
  /** `198.51.100.1 . tcp . 8080`: where it listens on one address. */
  readonly proxiedAt: readonly string[];
  /** Those of `proxied` that are open to anyone. */
  readonly proxiedOpen: readonly string[];
  /** Those of `proxiedAt` that are open to anyone. */
  readonly proxiedOpenAt: readonly string[];
  /** `0.0.0.0/0 . tcp . 8080 . 198.51.100.0/28`: those that are open to some. */
  readonly proxiedFrom: readonly string[];
}

export interface HostContext {
  /** 32 hex digits that stand for this text. */
  readonly fingerprint: string;
  /** `egresstrator v1 <fingerprint>`: must be in the table's comment, which identifies loaded rules. */
  readonly comment: string;
  readonly families: readonly FamilyContext[];
  /** `"br-a"`: the Engine's bridges. */
  readonly bridges: readonly string[];
  /** Bridges whose containers are guarded. */
  readonly guarded: readonly string[];
  /** `"br-a" . "br-a"`: from a guarded bridge to itself. */
  readonly inside: readonly string[];
  readonly hasGuard: boolean;
  /** Bridges that the Engine makes later are closed until they are listed. */
  readonly guardsNewBridges: boolean;
  readonly hasForwards: boolean;
  readonly hasPermits: boolean;
  /** Other firewalls must know what passes: see `passages.ts`. */
  readonly needsPassages: boolean;
  /** What would be denied is recorded, and passes. */
  readonly observes: boolean;
  /** Callers on another bridge need an opening too. */
  readonly isBetween: boolean;
  readonly hasProxied: boolean;
}

const TEXTS = { list: 'text' } as const;

export const HOST_SHAPE: ShapeOf<HostContext> = {
  fields: {
    ...{ fingerprint: 'text', comment: 'text', hasGuard: 'flag', hasForwards: 'flag', observes: 'flag' },
    ...{ isBetween: 'flag', guardsNewBridges: 'flag', bridges: TEXTS, guarded: TEXTS, inside: TEXTS },
    ...{ hasProxied: 'flag', hasPermits: 'flag', needsPassages: 'flag' },
    families: {
      list: {
        fields: {
          ...{ number: 'text', ip: 'text', icmp: 'text', type: 'text', isGuarded: 'flag' },
          ...{ own: TEXTS, masqueraded: TEXTS, forwards: TEXTS, forwardsAt: TEXTS, forwardsOn: TEXTS },
          ...{ selves: TEXTS, targets: TEXTS, open: TEXTS, openFrom: TEXTS, answering: TEXTS },
          ...{ proxied: TEXTS, proxiedAt: TEXTS, proxiedOpen: TEXTS, proxiedOpenAt: TEXTS },
          ...{ proxiedFrom: TEXTS, permits: TEXTS },
        },
      },
    },
  },
};

export type HostContent = Omit<HostContext, 'fingerprint' | 'comment'>;

export function hostContent(rules: HostRuleSet): HostContent {
  const { bridges, guard, proxied, forwards, permits } = rules;
  const guarded = bridges.filter(({ isGuarded }) => isGuarded).map(({ name }) => quoted(name));
  return {
    families: ([4, 6] as const).map((family) => familyContext(rules, family)),
    bridges: bridges.map(({ name }) => quoted(name)),
    guarded,
    inside: guarded.map((name) => `${name} . ${name}`),
    hasGuard: guard !== undefined && (guarded.length > 0 || guard.guardsNewBridges === true),
    guardsNewBridges: guard?.guardsNewBridges === true,
    hasForwards: forwards.length > 0 || bridges.some(({ masqueraded }) => masqueraded.length > 0),
    hasPermits: permits.length > 0,
    needsPassages: needsPassages(rules),
    observes: guard?.mode === 'observe',
    isBetween: guard?.isBetween === true,
    hasProxied: proxied.length > 0,
  };
}

function familyContext(rules: HostRuleSet, family: Family): FamilyContext {
  const isOurs = ({ to }: { readonly to: Prefix }) => to.family === family;
  const forwards = rules.forwards.filter(isOurs);
  const openings = rules.openings.filter(isOurs);
  const ofFamily = (subnets: readonly Prefix[]) => subnets.filter((subnet) => subnet.family === family);
  return {
    ...(family === 4
      ? { number: '4', ip: 'ip', icmp: 'icmp', type: 'ipv4_addr' }
      : { number: '6', ip: 'ip6', icmp: 'icmpv6', type: 'ipv6_addr' }),
    isGuarded: rules.guard?.families.includes(family) === true,
    own: rules.bridges.flatMap(({ name, subnets }) =>
      ofFamily(subnets).map((subnet) => `${formatPrefix(subnet)} . ${quoted(name)}`),
    ),
    masqueraded: rules.bridges.flatMap(({ masqueraded }) => ofFamily(masqueraded).map(formatPrefix)),
    ...forwardsContext(forwards),
    permits: rules.permits.filter(isOurs).map(permitElement),
    ...openingsContext(openings),
    ...proxiedContext(rules.proxied.filter(({ at }) => at.family === family)),
  };
}

function proxiedContext(proxied: readonly ProxiedPort[]) {
  const isOpen = ({ from }: ProxiedPort) => from === 'anyone';
  const everywhere = proxied.filter(({ at }) => at.length === 0);
  const at = proxied.filter(({ at }) => at.length > 0);
  return {
    ...{ proxied: everywhere.map(portOf), proxiedAt: at.map(proxiedPort) },
    ...{
      proxiedOpen: everywhere.filter(isOpen).map(portOf),
      proxiedOpenAt: at.filter(isOpen).map(proxiedPort),
    },
    proxiedFrom: proxied.flatMap((one) =>
      sources(one.from, one.at.family).map((source) => `${proxiedPort(one)} . ${source}`),
    ),
  };
}

const forwardsContext = (forwards: readonly Forward[]) => ({
  forwards: forwards.flatMap((one) => (one.at.kind === 'any' ? `${portOf(one)} : ${targetOf(one)}` : [])),
  forwardsAt: forwards.flatMap((one) =>
    one.at.kind === 'address' ? `${formatPrefix(one.at.address)} . ${portOf(one)} : ${targetOf(one)}` : [],
  ),
  forwardsOn: forwards.flatMap((one) =>
    one.at.kind === 'device' ? `${quoted(one.at.name)} . ${portOf(one)} : ${targetOf(one)}` : [],
  ),
  selves: unique(forwards.map((one) => `${formatPrefix(one.to)} . ${portOf(one)}`)),
  targets: unique(forwards.map((one) => `${formatPrefix(one.to)} . ${one.protocol} . ${one.toPort}`)),
});

const openingsContext = (openings: readonly Opening[]) => ({
  open: openings.filter(({ from }) => from === 'anyone').map(openPort),
  openFrom: openings.flatMap((one) =>
    sources(one.from, one.to.family).map((source) => `${openPort(one)} . ${source}`),
  ),
  answering: unique(openings.map(({ to }) => formatPrefix(to))),
});

const sources = (from: readonly Prefix[] | string, family: Family): readonly string[] =>
  typeof from === 'string'
    ? []
    : from
        .filter((source) => source.family === family)
        .toSorted(comparePrefixes)
        .map(formatPrefix);

const portOf = ({ protocol, port }: { readonly protocol: string; readonly port: number }): string =>
  `${protocol} . ${port}`;

/** nft wants `0.0.0.0/0` as it is. */
const proxiedPort = (one: ProxiedPort): string => `${formatPrefix(one.at)} . ${portOf(one)}`;

const permitElement = ({ from, to, protocol, range }: Permit): string =>
  `${formatPrefix(from)} . ${formatPrefix(to)} . ${protocol} . ${formatRange(range)}`;

const openPort = (one: Opening): string => `${formatPrefix(one.to)} . ${portOf(one)}`;

const targetOf = ({ to, toPort }: Forward): string => `${formatPrefix(to)} . ${toPort}`;

/** The model's names of devices hold no quotation marks. */
const quoted = (name: string): string => `"${name}"`;

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];
