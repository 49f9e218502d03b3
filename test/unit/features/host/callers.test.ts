/**
 * Containers that say themselves who may call: their published ports are open to these callers without a service, and
 * their registered ones to nobody else.
 */
import { expect, test } from 'vitest';
import type { ContainerCallers } from '../../../../src/features/host/callers.ts';
import type { PersistedPorts } from '../../../../src/features/host/port-overrides.ts';
import { type FoundService, portsOf } from '../../../../src/features/host/ports.ts';
import type { Container } from '../../../../src/inventory/container.ts';
import { namespaceId } from '../../../../src/inventory/namespace.ts';
import { formatPrefix } from '../../../../src/net/address.ts';
import type { AllowEntry } from '../../../../src/policy/rule-set.ts';
import { prefix } from '../../../support/host-claims.ts';
import { end, port, web } from '../../../support/host-inventory.ts';

const may = (caller: string, ports: string, protocol: AllowEntry['protocol'] = 'tcp'): AllowEntry => {
  const [first = 0, last = first] = ports.split('-').map(Number);
  return { prefix: prefix(caller), protocol, ranges: [{ first, last }] };
};

const limited = (
  entries: readonly AllowEntry[],
  traits: Partial<ContainerCallers> = {},
): ContainerCallers => ({
  ...{ text: 'a key', entries, ofRunner: entries, isLimiting: true },
  ...traits,
});

const WEB = web({
  ports: [port('0.0.0.0/0', 8080, 80), port('::/0', 8080, 80), port('127.0.0.1', 9090, 90)],
});

const serviceAt = (at: number, container: Container = WEB): FoundService => ({
  ...{ text: 'the service web', protocol: 'tcp', at: [{ container, port: at }] },
});

interface Given {
  readonly container?: Container;
  readonly services?: readonly FoundService[];
  readonly byHand?: PersistedPorts;
}

function open(callers: ContainerCallers, { container = WEB, services = [], byHand }: Given = {}) {
  const settings = { callers: new Map([[container.id, callers]]), ...(byHand && { byHand }) };
  const { openings, proxied } = portsOf(services, [container], settings);
  const text = (from: (typeof proxied)[number]['from']) =>
    typeof from === 'string' ? from : from.map(formatPrefix).join(',');
  return {
    open: openings.map(({ to, port: at, from }) => `${formatPrefix(to)} ${at} ${text(from)}`),
    proxied: proxied.map(({ at, port: number, from }) => `${formatPrefix(at)} ${number} ${text(from)}`),
    because: [...new Set(openings.map(({ origin }) => origin.text))],
  };
}

test('a published port is open to its callers without a service, each in their family', () => {
  const callers = limited([may('10.0.0.0/8', '80-81'), may('2001:db8::/32', '80'), may('192.0.2.1', '90')]);
  expect(open(callers)).toEqual({
    open: ['172.18.0.2 80 10.0.0.0/8', 'fd00:18::2 80 2001:db8::/32'],
    proxied: ['0.0.0.0/0 8080 10.0.0.0/8', '::/0 8080 2001:db8::/32'],
    because: ['a key'],
  });
});

test("IPv6 callers reach a container with IPv4 alone through Docker's proxy", () => {
  const container = { ...WEB, networks: [end('front', '172.18.0.2')] };
  const callers = limited([may('10.0.0.0/8', '80'), may('2001:db8::/32', '80')]);
  expect(open(callers, { container })).toMatchObject({
    open: ['172.18.0.2 80 10.0.0.0/8'],
    proxied: ['0.0.0.0/0 8080 10.0.0.0/8', '::/0 8080 2001:db8::/32'],
  });
});

test('a registered port is open to the callers alone, published or not', () => {
  const callers = limited([may('10.0.0.0/8', '80'), may('10.1.0.0/16', '80'), may('192.0.2.1', '85')]);
  const services = [serviceAt(80), serviceAt(85), serviceAt(90)];
  expect(open(callers, { services })).toEqual({
    open: ['172.18.0.2 80 10.0.0.0/8', '172.18.0.2 85 192.0.2.1', '172.18.0.2 80 10.0.0.0/8'],
    proxied: ['0.0.0.0/0 8080 10.0.0.0/8', '::/0 8080 nobody'],
    because: ['the service web, for a key', 'a key'],
  });
});

test('without callers nothing is open, also where a service is registered', () => {
  for (const callers of [limited([]), limited([may('10.0.0.0/8', '80', 'udp')])])
    expect(open(callers, { services: [serviceAt(80)] })).toMatchObject({
      ...{ open: [], proxied: ['0.0.0.0/0 8080 nobody', '::/0 8080 nobody'] },
    });
});

test('in audit a service is open to anyone, as before', () => {
  const callers = limited([may('10.0.0.0/8', '80')], { isLimiting: false });
  expect(open(callers, { services: [serviceAt(80)] }).proxied).toEqual([
    '0.0.0.0/0 8080 anyone',
    '::/0 8080 anyone',
  ]);
  expect(open(callers).open).toEqual(['172.18.0.2 80 10.0.0.0/8']);
});

test('what an image names limits a service, and opens no port', () => {
  const callers = limited([may('0.0.0.0/0', '80')], { ofRunner: [] });
  expect(open(callers).open).toEqual([]);
  expect(open(callers, { services: [serviceAt(80)] }).open).toEqual(['172.18.0.2 80 0.0.0.0/0']);
});

test('by hand counts instead', () => {
  const callers = limited([may('10.0.0.0/8', '80')]);
  const rule = { protocol: 'tcp', port: 80, from: 'anyone', since: 0 } as const;
  const set = (kind: 'open' | 'close'): PersistedPorts => new Map([[namespaceId(WEB), [{ ...rule, kind }]]]);
  expect(open(callers, { byHand: set('close') }).open).toEqual([]);
  expect(open(callers, { byHand: set('open') }).open).toEqual([
    '172.18.0.2 80 anyone',
    'fd00:18::2 80 anyone',
  ]);
});
