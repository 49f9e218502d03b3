/**
 * What ingress rules cost packets: small packets of one flow and new connections to a container that has them, each
 * compared with the same without rules and with the smallest stateful rule set, also where it has as many egress rules. Both
 * count the client's processor time alone, so that they can be taken on a busy machine.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { withFacts } from '../../src/features/egress/facts.ts';
import { loadTemplate } from '../../src/features/egress/included-templates.ts';
import { render } from '../../src/features/egress/render.ts';
import { loadIngressTemplate, renderIngress } from '../../src/features/ingress/render.ts';
import { compile } from '../../src/policy/compile.ts';
import { inTurn } from './data-path.ts';
import { ACCEPTING, connectionRate, type Link, openLink, PORT, packetRate } from './link.ts';
import type { Figure } from './measure.ts';
import { aclOf, type Kind, ruleText } from './rules.ts';

const MEASURES = [
  { what: 'packets of one flow', unit: 'thousand/s', measure: packetRate },
  { what: 'TCP connections', unit: 'thousand/s', measure: connectionRate },
];

/** Each figure and its floors are medians of `rounds`, taken in turn. */
export async function benchIngressPath(
  counts: readonly number[],
  rounds: number,
): Promise<readonly Figure[]> {
  await using bare = await openLink();
  await using stateful = await openLink();
  await loadSmallestStateful(stateful);
  const figures: Figure[] = [];
  for (const kind of ['destinations', 'prefixes'] as const)
    for (const count of counts)
      for (const egress of [false, true])
        figures.push(...(await compare({ kind, count, egress }, { bare, stateful }, rounds)));
  return figures;
}

interface Row {
  readonly kind: Kind;
  readonly count: number;
  /** The container has egress rules too. */
  readonly egress: boolean;
}

async function compare(
  row: Row,
  floors: { readonly bare: Link; readonly stateful: Link },
  rounds: number,
): Promise<readonly Figure[]> {
  await using ruled = await openLink();
  if (row.egress) await loadEgress(row, ruled);
  await loadCallers(row, ruled);
  const figures: Figure[] = [];
  for (const { what, unit, measure } of MEASURES) {
    const links = [ruled, floors.bare, floors.stateful];
    const [value = Number.NaN, bare = Number.NaN, stateful = Number.NaN] = await inTurn(
      links,
      rounds,
      measure,
    );
    const figure = {
      ...{ group: 'data path, ingress rules', what: `${what}, ${describeRow(row)}`, unit, value },
    };
    figures.push({ ...figure, floor: bare, floorName: 'no rules' });
    figures.push({ ...figure, floor: stateful, floorName: 'stateful', target: '≥ 0.95' });
  }
  return figures;
}

function describeRow({ kind, count, egress }: Row): string {
  const callers = `${count} ${kind === 'prefixes' ? 'prefixes' : 'addresses'}`;
  return egress ? `${callers}, egress rules too` : callers;
}

/** As many destinations; the client is none of them. */
async function loadEgress({ kind, count }: Row, { server }: Link): Promise<void> {
  const { ruleSet: allowed } = compile(['bench'], aclOf(ruleText(count, [], kind)), new Map(), []);
  const { text } = render(loadTemplate('nftables'), {
    ...{ allowed, ungranted: undefined, mode: 'enforce', dns: 'resolvers', resolvers: [] },
  });
  const input = withFacts(text, { resolvers: [], attachments: [] });
  await server.run('sh', ['dataplane/netns', 'load', 'egress'], { input, timeout: 120_000 });
}

/** The client is one of many callers that the server lets in. */
async function loadCallers({ kind, count }: Row, { client, server }: Link): Promise<void> {
  const caller = kind === 'prefixes' ? client.ipv4.replace(/\d+$/, '0/29') : client.ipv4;
  const lines = [`${caller}:tcp/${PORT}`, `${caller}:tcp/${ACCEPTING}`, `${caller}:udp/${PORT}`];
  const { ruleSet } = compile(['bench'], aclOf(ruleText(count - 1, lines, kind)), new Map(), []);
  const { text } = renderIngress(loadIngressTemplate(), ruleSet, 'enforce');
  await server.run('sh', ['dataplane/netns', 'load', 'ingress'], { input: text, timeout: 120_000 });
  // Until lookups in sets are reliable: `$settled` of dataplane/netns.
  await sleep(3_000 + text.length / 1_000);
}

/** One chain that accepts established connections and the caller, and nothing else. */
async function loadSmallestStateful({ client, server }: Link): Promise<void> {
  const ports = `{ ${PORT}, ${ACCEPTING} }`;
  const rules = `iif "lo" accept; ct state established,related accept; ip saddr ${client.ipv4} th dport ${ports} accept;`;
  const chain = `chain input { type filter hook input priority 0; policy drop; ${rules} }`;
  await server.run('nft', ['-f', '-'], { input: `table inet smallest { ${chain}; }\n` });
}
