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

/** Called a thousand times a second on a large host. */
export function countersFrom(snmp: string, snmp6: string): NamespaceCounters {
  const sent: string[] = [];
  const received: string[] = [];
  const failed: string[] = [];
  let undelivered = 0;
  const count = (name: string, isSent: boolean, value: string) => {
    if (isSent) sent.push(value);
    if (FAILED.has(name)) failed.push(value);
    const sign = DELIVERY.get(name);
    if (sign === undefined) return;
    undelivered += sign * Number(value);
    if (sign > 0) received.push(value);
  };
  countIpv4(snmp, count);
  countIpv6(snmp6, count);
  return {
    ...{ sent: sent.join(' '), received: received.join(' '), failed: failed.join(' ') },
    undelivered: `${undelivered}`,
  };
}

type Count = (name: string, isSent: boolean, value: string) => void;

/** Of what came in, what reached somebody is taken away. */
const DELIVERY = new Map<string, number>([
  ...([
    ['Ip:InReceives', 1],
    ['Ip:InDelivers', -1],
  ] as const),
  ...([
    ['Ip6InReceives', 1],
    ['Ip6InDelivers', -1],
  ] as const),
]);

const FAILED = new Set([
  ...['Tcp:AttemptFails', 'Tcp:EstabResets', 'Icmp:OutDestUnreachs', 'Icmp6OutDestUnreachs'],
  ...['Ip:OutDiscards', 'Ip6OutDiscards'],
]);

/** `snmp` has a line of names and a line of numbers for each protocol. */
function countIpv4(snmp: string, count: Count): void {
  const lines = snmp.split('\n');
  for (let row = 0; row + 1 < lines.length; row += 2) {
    const [protocol = '', ...names] = lines[row]?.split(' ') ?? [];
    const values = lines[row + 1]?.split(' ') ?? [];
    for (const [at, name] of names.entries())
      count(`${protocol}${name}`, name.startsWith('Out'), values[at + 1] ?? '');
  }
}

/** `snmp6` has a line for each name. */
function countIpv6(snmp6: string, count: Count): void {
  for (const line of snmp6.split('\n')) {
    const end = line.search(/\s/);
    const name = line.slice(0, end);
    if (end > 0) count(name, name.includes('6Out'), line.slice(end + 1).trimStart());
  }
}
