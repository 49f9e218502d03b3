/**
 * The data path: the cost of rules for packets. TCP throughput, small UDP packets and new TCP connections, each compared
 * with the same without rules; connections also with the smallest stateful rule set.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Namespace } from '../../lab/netns.ts';
import { ACCEPTING, connectionRate, type Link, openLink, PORT, tcpRate, udpRate } from './link.ts';
import { type Figure, sample } from './measure.ts';
import { type Kind, loadable, renderRules, ruleText } from './rules.ts';

type FloorName = 'no rules' | 'stateful';

interface Measure {
  readonly what: string;
  readonly unit: string;
  readonly measure: (link: Link) => Promise<number>;
  /** The floors, each with the least ratio for nftables with 10,000 or more destinations. */
  readonly floors: Readonly<Partial<Record<FloorName, string>>>;
}

/** These figures need an idle machine. */
export const THROUGHPUT: readonly Measure[] = [
  { what: 'TCP', unit: 'Gbit/s', measure: tcpRate, floors: { 'no rules': '≥ 0.9' } },
  { what: 'UDP 64 bytes', unit: 'thousand/s', measure: udpRate, floors: { 'no rules': '≥ 0.75' } },
];

export const CONNECTIONS: readonly Measure[] = [
  {
    ...{ what: 'TCP connections', unit: 'thousand/s', measure: connectionRate },
    floors: { 'no rules': '', stateful: '≥ 0.95' },
  },
];

export interface DataPathOptions {
  readonly measures: readonly Measure[];
  /** Each figure and its floors are medians of this many rounds. */
  readonly rounds: number;
  readonly counts: readonly number[];
  readonly templates: readonly string[];
}

interface Row {
  readonly template: string;
  readonly kind: Kind;
  readonly count: number;
}

export async function benchDataPath({
  measures,
  rounds,
  ...options
}: DataPathOptions): Promise<readonly Figure[]> {
  await using bare = await openLink();
  await using stateful = await openLink();
  await loadSmallestStateful(stateful);
  const links = { 'no rules': bare, stateful };
  const figures: Figure[] = measures === CONNECTIONS ? [await costOfState(links, rounds)] : [];
  for (const row of rowsOf(options)) figures.push(...(await compare(row, links, { measures, rounds })));
  return figures;
}

type Links = Readonly<Record<FloorName, Link>>;

const rowsOf = ({ templates, counts }: Pick<DataPathOptions, 'templates' | 'counts'>): readonly Row[] =>
  templates.flatMap((template) => {
    const isDefault = template === 'nftables';
    const kinds: readonly Kind[] = isDefault ? ['destinations', 'prefixes'] : ['destinations'];
    const some = isDefault ? counts : counts.filter((count) => count <= 10_000);
    return kinds.flatMap((kind) => some.map((count) => ({ template, kind, count })));
  });

/** The cost of any stateful firewall. */
async function costOfState(links: Links, rounds: number): Promise<Figure> {
  const taken = await inTurn([links['no rules'], links.stateful], rounds, connectionRate);
  const [floor = Number.NaN, value = Number.NaN] = taken;
  return {
    ...{ group: 'data path, the smallest stateful rule set', what: 'TCP connections', unit: 'thousand/s' },
    ...{ value, floor, floorName: 'no rules' },
  };
}

type MeasureOptions = Pick<DataPathOptions, 'measures' | 'rounds'>;

/** Measures without and with rules in turn, so that a change in the machine's speed affects all alike. */
async function compare(
  row: Row,
  links: Links,
  { measures, rounds }: MeasureOptions,
): Promise<readonly Figure[]> {
  const { template, kind, count } = row;
  await using ruled = await openLink();
  await loadRules(row, ruled);
  const figures: Figure[] = [];
  for (const { what, unit, measure, floors } of measures) {
    const names = namesOf(floors);
    const [value = Number.NaN, ...taken] = await inTurn(
      [ruled, ...names.map((name) => links[name])],
      rounds,
      measure,
    );
    for (const [at, floorName] of names.entries()) {
      const target = template === 'nftables' && count >= 10_000 ? floors[floorName] : '';
      figures.push({
        ...{ group: `data path, template ${template}`, what: `${what}, ${count} ${kind}`, unit, value },
        ...{ floor: taken[at] ?? Number.NaN, floorName, ...(target ? { target } : {}) },
      });
    }
  }
  return figures;
}

const FLOORS = ['no rules', 'stateful'] as const;

const namesOf = (floors: Measure['floors']): readonly FloorName[] =>
  FLOORS.filter((name) => floors[name] !== undefined);

/** The median of each link. */
export async function inTurn(
  links: readonly Link[],
  rounds: number,
  take: Measure['measure'],
): Promise<readonly number[]> {
  const taken = links.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1)
    for (const [at, link] of links.entries()) taken[at]?.push(await take(link));
  return taken.map((values) => sample(values).median);
}

/** One chain that accepts established connections and the measured destination, and nothing else. */
async function loadSmallestStateful({ client, server }: Link): Promise<void> {
  const rules = `ct state established,related accept; ip daddr ${server.ipv4} tcp dport ${ACCEPTING} accept;`;
  const chain = `chain output { type filter hook output priority 0; policy drop; ${rules} }`;
  await client.run('nft', ['-f', '-'], { input: `table inet smallest { ${chain}; }\n` });
}

async function loadRules({ template, kind, count }: Row, { client, server }: Link): Promise<void> {
  const text = loadable(renderRules(ruleText(count, grantsOf(template, kind, server), kind), template));
  await client.run('sh', ['dataplane/netns', 'load', 'egress'], { input: text, timeout: 120_000 });
  // A denylist marks no flow until lookups in its sets are reliable: `$settled` of dataplane/netns.
  if (template === 'denylist') await sleep(3_000 + text.length / 1_000);
}

/**
 * Rules in which the server is one of many destinations. iptables compares them in order, so there the server is the first.
 * A denylist names only the others.
 */
function grantsOf(template: string, kind: Kind, { ipv4 }: Namespace): readonly string[] {
  if (template === 'denylist') return [];
  const prefix = template === 'iptables' ? '0.0.0.0/0' : ipv4.replace(/\d+$/, '0/29');
  const target = template === 'nftables' && kind === 'destinations' ? ipv4 : prefix;
  return [`${target}:tcp/${PORT}`, `${target}:tcp/${ACCEPTING}`, `${target}:udp/${PORT}`];
}
