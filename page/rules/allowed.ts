/**
 * What a workload may reach, and by which key and line: the compiled rules, told line by line. Pure.
 */
import type { Problem } from '../../src/common/problem.ts';
import type { NamespaceView, Snapshot } from '../../src/diagnostics/snapshot.ts';
import { parseName } from '../../src/dns/name.ts';
import type { GrantedName, NamesReport } from '../../src/features/names/name-report.ts';
import { contains, formatPrefix, parseAddress } from '../../src/net/address.ts';
import { covers } from '../../src/net/ranges.ts';
import { matchesFor, type RuleMatch } from '../../src/policy/compile.ts';
import { isAbout, type NameRule } from '../../src/policy/name-rule.ts';
import type { Rule, RuleLine } from '../../src/policy/rule.ts';
import { formatTraffic, parseTraffic } from '../../src/policy/traffic.ts';

/** Where a line leads to: an instance of a service, an address that a name has now, or what it says itself. */
export interface AllowedDestination {
  /** `10.0.1.11`, `10.0.9.0/24`, `2001:db8::30` */
  readonly address: string;
  /** `tcp/5432` */
  readonly traffic: string;
  /** The node of the instance. */
  readonly node?: string | undefined;
  /** The name that leads there, and until when it is granted, in ms since the epoch. */
  readonly name?: string | undefined;
  readonly until?: number | undefined;
}

export interface AllowedLine {
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** `bad`: it is no rule and allows nothing. */
  readonly kind: Rule['kind'] | 'bad';
  readonly destinations: readonly AllowedDestination[];
  readonly problems: readonly Problem[];
}

export interface AllowedKey {
  readonly key: string;
  /** False: Consul does not have it. */
  readonly exists: boolean;
  /** Without comments and blank lines. */
  readonly lines: readonly AllowedLine[];
}

type View = Pick<NamespaceView, 'grants' | 'names'>;

/** In the order in which the workload names its keys. */
export const allowedBy = ({ grants, names }: View, snapshot: Snapshot): readonly AllowedKey[] =>
  [...new Set(grants)].map((key) => ({
    ...{ key, exists: snapshot.acl.has(key), lines: linesOf(key, snapshot, names) },
  }));

/** The lines of one key. `names`: what the workload's names lead to. */
export function linesOf(
  key: string,
  { acl, catalog, protectedHosts }: Pick<Snapshot, 'acl' | 'catalog' | 'protectedHosts'>,
  names?: NamesReport,
): readonly AllowedLine[] {
  const known = acl.get(key);
  if (known === undefined) return [];
  const { reasons, problems } = matchesFor([known], catalog, protectedHosts);
  const byLine = Map.groupBy(reasons, ({ line }) => line.line);
  const problemsAt = Map.groupBy([...known.problems, ...problems], ({ line }) => line ?? 0);
  const good = known.rules.map((one) => ({
    ...{ line: one.line, text: one.text, kind: one.rule.kind },
    destinations: destinationsOf(one, byLine.get(one.line) ?? [], names),
    problems: problemsAt.get(one.line) ?? [],
  }));
  const numbers = new Set(good.map(({ line }) => line));
  const bad = [...problemsAt]
    .filter(([line]) => !numbers.has(line))
    .map(([line, inside]) => badLine(line, inside));
  return [...good, ...bad].toSorted((one, other) => one.line - other.line);
}

const badLine = (line: number, problems: readonly Problem[]): AllowedLine => ({
  ...{ line, text: problems[0]?.text ?? '', kind: 'bad', destinations: [], problems },
});

const destinationsOf = (
  { rule }: RuleLine,
  reasons: readonly RuleMatch[],
  names: NamesReport | undefined,
): readonly AllowedDestination[] =>
  rule.kind === 'name'
    ? (names?.grants ?? []).filter((one) => leadsFrom(rule, one)).map(granted)
    : reasons.map(({ entry, instance }) => ({
        ...{ address: formatPrefix(entry.prefix), traffic: formatTraffic(entry), node: instance?.node },
      }));

const leadsFrom = (rule: NameRule, { name, address, ports }: GrantedName): boolean => {
  const parsed = parseName(name);
  return 'name' in parsed && isAbout(rule, parsed.name) && hasPorts(rule, ports) && hasAddress(rule, address);
};

/** What is granted for a name has the ports of one of the rules about it, or some of them. */
const hasPorts = ({ protocol, ranges }: NameRule, ports: string): boolean => {
  const traffic = parseTraffic(ports, 6);
  return (
    'ranges' in traffic &&
    traffic.protocol === protocol &&
    traffic.ranges.every((range) => covers(ranges, range))
  );
};

/** Without prefixes a rule grants public addresses, and which these are was decided when it was granted. */
const hasAddress = ({ prefixes }: NameRule, address: string): boolean => {
  const host = parseAddress(address);
  return prefixes.length === 0 || (host !== undefined && prefixes.some((one) => contains(one, host)));
};

const granted = ({ name, address, ports, until }: GrantedName): AllowedDestination => ({
  ...{ address, traffic: ports, name, until },
});
