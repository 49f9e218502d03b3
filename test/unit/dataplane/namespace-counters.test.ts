/** Which counters of /proc tell what. */
import { expect, test } from 'vitest';
import { countersFrom } from '../../../src/dataplane/namespace-counters.ts';

const snmp = (counts: Readonly<Record<string, number>>): string =>
  [
    'Ip: Forwarding InReceives InDelivers OutRequests OutDiscards',
    `Ip: 1 ${counts.received ?? 5} ${counts.delivered ?? 5} ${counts.sent ?? 3} 0`,
    'Icmp: InMsgs OutDestUnreachs',
    `Icmp: 0 ${counts.unreachable ?? 0}`,
    'Tcp: AttemptFails EstabResets OutRsts',
    `Tcp: ${counts.attempts ?? 0} 0 0`,
  ].join('\n');
const snmp6 = (counts: Readonly<Record<string, number>> = {}): string =>
  [
    `Ip6InReceives                   \t${counts.received ?? 1}`,
    `Ip6InDelivers                   \t${counts.delivered ?? 1}`,
    `Ip6OutRequests                  \t${counts.sent ?? 2}`,
    `Icmp6OutDestUnreachs            \t${counts.unreachable ?? 0}`,
  ].join('\n');

const none = countersFrom(snmp({}), snmp6());

const differing = (ipv4: Readonly<Record<string, number>>, ipv6: Readonly<Record<string, number>> = {}) => {
  const { sent, received, failed, undelivered } = countersFrom(snmp(ipv4), snmp6(ipv6));
  return [
    ...(sent === none.sent ? [] : ['sent']),
    ...(received === none.received ? [] : ['received']),
    ...(failed === none.failed ? [] : ['failed']),
    ...(undelivered === none.undelivered ? [] : ['undelivered']),
  ];
};

test.each([
  ['a packet that was sent', { sent: 4 }, {}, ['sent']],
  ['one by IPv6', {}, { sent: 3 }, ['sent']],
  ['a connection that was reset at once', { sent: 4, attempts: 1 }, {}, ['sent', 'failed']],
  ['an error to itself', { unreachable: 1 }, {}, ['sent', 'failed']],
  ['one by IPv6', {}, { unreachable: 1 }, ['sent', 'failed']],
  ['a packet that came in', { received: 6, delivered: 6 }, {}, ['received']],
  ['one that reached nobody', { received: 6 }, {}, ['received', 'undelivered']],
  ['one by IPv6', {}, { received: 2 }, ['received', 'undelivered']],
])('%s is counted', (_what, ipv4, ipv6, expected) => {
  expect(differing(ipv4, ipv6)).toEqual(expected);
});

test('without IPv6 the same counts stay equal', () => {
  expect(countersFrom(snmp({}), '')).toEqual(countersFrom(snmp({}), ''));
});
