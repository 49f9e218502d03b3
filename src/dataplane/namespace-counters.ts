/**
 * The counters of a network namespace, from the texts of /proc: they tell cheaply whether anything may have been denied.
 */

/** What the kernel counts of a namespace. Equal texts: nothing was counted in between. */
export interface NamespaceCounters {
  /** Of packets that were sent. While they are equal, none was denied. */
  readonly sent: string;
  /** Of packets that came in. Broadcasts of neighbours change them. */
  readonly received: string;
  /** Of what usually follows a denied packet: failed connections and errors that the namespace sent to itself. */
  readonly failed: string;
  /** Of packets that came in and reached no program, as where rules about callers deny them. */
  readonly undelivered: string;
}

export function countersFrom(snmp: string, snmp6: string): NamespaceCounters {
  const counters = new Map([...pairsOf(snmp), ...snmp6.split('\n').flatMap(pairOfLine)]);
  const which = (isMeant: (name: string) => boolean) =>
    [...counters].flatMap(([name, count]) => (isMeant(name) ? [`${name} ${count}`] : [])).join(' ');
  const lost = (all: string, rest: string) => Number(counters.get(all)) - Number(counters.get(rest));
  return {
    sent: which((name) => /^(\w+6|\w+:)Out/.test(name)),
    received: which((name) => name === 'Ip:InReceives' || name === 'Ip6InReceives'),
    failed: which((name) => FAILED.has(name)),
    undelivered: `${lost('Ip:InReceives', 'Ip:InDelivers')} ${lost('Ip6InReceives', 'Ip6InDelivers')}`,
  };
}

const FAILED = new Set([
  ...['Tcp:AttemptFails', 'Tcp:EstabResets', 'Icmp:OutDestUnreachs', 'Icmp6OutDestUnreachs'],
  ...['Ip:OutDiscards', 'Ip6OutDiscards'],
]);

/** `snmp` has a line of names and a line of numbers for each protocol. */
function* pairsOf(snmp: string): Iterable<readonly [string, string]> {
  const rows = snmp.split('\n').map((line) => line.split(' '));
  for (const [row, names] of rows.entries()) {
    if (row % 2 === 1) continue;
    for (const [at, name] of names.entries())
      if (at > 0) yield [`${names[0]}${name}`, rows[row + 1]?.[at] ?? ''];
  }
}

/** `snmp6` has a line for each name. */
function pairOfLine(line: string): readonly (readonly [string, string])[] {
  const [name = '', count = ''] = line.split(/\s+/);
  return name === '' ? [] : [[name, count]];
}
