/**
 * A container's forwards as texts for iptables-restore, for hosts that keep their rules in files: what
 * `docker-iptables.py` wrote, with all bindings, host addresses, both families, and calls from the same bridge.
 */
import { contains, type Family, formatPrefix } from '../../net/address.ts';
import type { Bridge, Forward } from './model.ts';

export interface RuleFile {
  readonly family: Family;
  /** The rules of a table, as `-A …`. */
  readonly nat: readonly string[];
  readonly filter: readonly string[];
}

/** `chain`: the chain of nat that packets to this host come to. It exists already. */
export function iptablesRules(
  forwards: readonly Forward[],
  bridges: readonly Bridge[],
  { family, chain }: { readonly family: Family; readonly chain: string },
): RuleFile {
  const own = forwards.filter(({ to }) => to.family === family);
  const masquerades = own.flatMap((forward) => hairpin(forward, bridges));
  return {
    family,
    nat: unique([...own.map((forward) => translation(forward, chain)), ...masquerades]),
    filter: unique(own.map(acceptance)),
  };
}

/** `action`: to append the rules or to delete them. `undefined`: there are none. */
export function restoreText(
  { nat, filter }: Pick<RuleFile, 'nat' | 'filter'>,
  action: 'A' | 'D',
): string | undefined {
  const table = (name: string, rules: readonly string[]) =>
    [`*${name}`, ...rules.map((rule) => `-${action} ${rule}`), 'COMMIT', ''].join('\n');
  return nat.length + filter.length === 0 ? undefined : `${table('nat', nat)}${table('filter', filter)}`;
}

/** The rules of a text that `restoreText` has written. */
export function rulesIn(text: string): Pick<RuleFile, 'nat' | 'filter'> {
  const [before = '', filter = ''] = text.split('*filter\n', 2);
  return { nat: appended(before), filter: appended(filter) };
}

const appended = (text: string): readonly string[] =>
  text.split('\n').flatMap((line) => (line.startsWith('-A ') ? [line.slice('-A '.length)] : []));

const translation = ({ at, protocol, port, to, toPort }: Forward, chain: string): string => {
  const host = at.kind === 'address' ? `-d ${formatPrefix(at.address)} ` : '';
  return `${chain} ${host}-p ${protocol} -m ${protocol} --dport ${port} -j DNAT --to-destination ${endOf(to, toPort)}`;
};

const endOf = (to: Forward['to'], port: number): string =>
  to.family === 6 ? `[${formatPrefix(to)}]:${port}` : `${formatPrefix(to)}:${port}`;

/** Only what came by a forward: other ports and other ways stay as they were. */
const acceptance = ({ protocol, to, toPort }: Forward): string =>
  `FORWARD -d ${formatPrefix(to)} ${portOf(protocol, toPort)} -m conntrack --ctstate DNAT -j ACCEPT`;

/** A reply to a neighbour would not come back this way, so the neighbour calls in the host's name. */
function hairpin({ protocol, to, toPort }: Forward, bridges: readonly Bridge[]): readonly string[] {
  return bridges.flatMap(({ name, subnets }) =>
    subnets
      .filter((subnet) => contains(subnet, to))
      .map(
        (subnet) =>
          `POSTROUTING -s ${formatPrefix(subnet)} -d ${formatPrefix(to)} -o ${name} ${portOf(protocol, toPort)} -m conntrack --ctstate DNAT -j MASQUERADE`,
      ),
  );
}

const portOf = (protocol: string, port: number): string => `-p ${protocol} -m ${protocol} --dport ${port}`;

const unique = (rules: readonly string[]): readonly string[] => [...new Set(rules)];
