/**
 * Policies by address: what each permits, and where each port leads, whatever runs.
 */
import type { Problem } from '../../common/problem.ts';
import { quote } from '../../common/text.ts';
import type { Network } from '../../inventory/network.ts';
import { type Family, formatPrefix, type Prefix, WIDTH } from '../../net/address.ts';
import type {
  ContainerForward,
  HostForward,
  NetworksFile,
  Permit,
  PolicyEntry,
  ResolvedPolicies,
} from './model.ts';
import { bare, type Meaning, Names } from './names.ts';
import { listed, problemAt } from './problems.ts';

/** Of all policies together. The kernel would hold more, but each is compared with the others. */
const MOST_PERMITS = 10_000;

type Of<Kind extends PolicyEntry['kind']> = Extract<PolicyEntry, { readonly kind: Kind }>;

/** `ofDocker`: the networks that Docker has, whose names policies may use. */
export function resolvePolicies(
  { addresses, networks, policies }: NetworksFile,
  ofDocker: readonly Network[],
): { readonly resolved: ResolvedPolicies; readonly problems: readonly Problem[] } {
  const names = new Names(addresses, networks, ofDocker);
  const problems: Problem[] = [];
  const permits: Permit[] = [];
  const hostForwards: HostForward[] = [];
  const containerForwards: ContainerForward[] = [];
  for (const policy of policies) {
    const target = meaningOf(policy, names, problems);
    if (target === undefined) continue;
    if (policy.kind === 'permit')
      permits.push(...permitsOf(policy, target, names, MOST_PERMITS - permits.length, problems));
    else if (policy.kind === 'host') {
      if (policy.perhapsIn !== undefined) problems.push(ambiguous(policy, policy.perhapsIn));
      hostForwards.push(...forwardsOf(policy, target, problems));
    } else containerForwards.push(...forwardsOf(policy, target, problems));
  }
  const resolved = {
    permits,
    hostForwards: withoutClaimedTwice(hostForwards, hostKey, problems),
    containerForwards: withoutClaimedTwice(containerForwards, containerKey, problems),
  };
  return { resolved, problems };
}

/** The addresses of its target. */
function meaningOf(policy: PolicyEntry, names: Names, problems: Problem[]): readonly Prefix[] | undefined {
  const field = policy.target.to === undefined ? undefined : 'to';
  return prefixesOf(names.targetOf(policy.target), policy, field, problems);
}

function prefixesOf(
  meaning: Meaning,
  { origin }: PolicyEntry,
  field: string | undefined,
  problems: Problem[],
): readonly Prefix[] | undefined {
  if ('reason' in meaning) {
    problems.push(problemAt('error', origin, field, meaning.reason));
    return undefined;
  }
  if (meaning.remark !== undefined) problems.push(problemAt('warning', origin, field, meaning.remark));
  return meaning.prefixes;
}

function permitsOf(
  policy: Of<'permit'>,
  targets: readonly Prefix[],
  names: Names,
  most: number,
  problems: Problem[],
): readonly Permit[] {
  const sources = prefixesOf(names.meaningOf(policy.from), policy, 'from', problems);
  if (sources === undefined) return [];
  const { protocol, range, origin } = policy;
  const pairs = pairsOf(sources, targets);
  if (pairs > most) {
    const reason = `permits ${pairs} pairs of addresses, and all policies together may permit ${MOST_PERMITS}; write prefixes instead of names`;
    problems.push(problemAt('error', origin, undefined, reason));
    return [];
  }
  const permits = sources.flatMap((from) =>
    targets
      .filter(({ family }) => family === from.family)
      .map((to) => ({ from, to, protocol, range, origin })),
  );
  if (permits.length === 0)
    problems.push(
      problemAt(
        'error',
        origin,
        'from',
        `has addresses of ${families(sources)} only, and the target of ${families(targets)}; add an address to one of them`,
      ),
    );
  return permits;
}

const pairsOf = (sources: readonly Prefix[], targets: readonly Prefix[]): number => {
  const of = (all: readonly Prefix[], family: Family) => all.filter((one) => one.family === family).length;
  return of(sources, 4) * of(targets, 4) + of(sources, 6) * of(targets, 6);
};

const families = (prefixes: readonly Prefix[]): string =>
  [...new Set(prefixes.map(({ family }) => `IPv${family}`))].join(' and ');

/** One for each family. */
function forwardsOf<T extends Of<'host'> | Of<'container'>>(
  policy: T,
  targets: readonly Prefix[],
  problems: Problem[],
): readonly (T & { readonly to: Prefix })[] {
  const network = targets.find(({ family, length }) => length < WIDTH[family]);
  const twice = targets.find((one, index) =>
    targets.some(({ family }, other) => other < index && family === one.family),
  );
  if (network === undefined && twice === undefined) return targets.map((to) => ({ ...policy, to }));
  const field = policy.target.to === undefined ? undefined : 'to';
  const all = listed(targets.map(formatPrefix), ', ');
  const reason =
    network === undefined
      ? `stands for more than one address (${all}), and a port leads to one; name one container`
      : `is the network ${formatPrefix(network)}, and a port leads to one address; name a container`;
  problems.push(problemAt('error', policy.origin, field, reason));
  return [];
}

const ambiguous = ({ origin, device }: Of<'host'>, container: string): Problem =>
  problemAt(
    'warning',
    origin,
    'iface',
    `names a device beside the container ${quote(container)}, and counts as the device ${device} of this host; write "where": "host" or "where": "container"`,
  );

type Claim = HostForward | ContainerForward;

const portKey = ({ protocol, port, to }: Claim): string => `IPv${to.family} ${protocol}/${port}`;

const hostKey = (one: HostForward): string => `${one.device} ${portKey(one)}`;

const containerKey = (one: ContainerForward): string =>
  `${bare(one.inside)} ${one.device ?? '*'} ${portKey(one)}`;

/** Of several policies for one port, the first in the file counts. */
function withoutClaimedTwice<T extends Claim>(
  claims: readonly T[],
  keyOf: (claim: T) => string,
  problems: Problem[],
): readonly T[] {
  const kept = new Map<string, T>();
  for (const claim of claims) {
    const first = kept.get(keyOf(claim));
    if (first === undefined) kept.set(keyOf(claim), claim);
    else problems.push(claimedTwice(first, claim));
  }
  return [...kept.values()];
}

function claimedTwice(first: Claim, { origin, to, toPort, protocol, port }: Claim): Problem {
  const { path } = first.origin;
  const isSame = formatPrefix(first.to) === formatPrefix(to) && first.toPort === toPort;
  return isSame
    ? problemAt('warning', origin, undefined, `says the same as ${path}; remove one`)
    : problemAt(
        'error',
        origin,
        undefined,
        `leads ${protocol}/${port} to ${formatPrefix(to)}, and ${path} leads it to ${formatPrefix(first.to)} already, which counts; remove one`,
      );
}
