/** nft's JSON as nft 1.0.6 wrote it for packets of each kind, and what else may come. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseDenied } from '../../../src/dataplane/denied.ts';

/** What is the same of all: when the last packet came is told in a test of its own. */
const parseDestinations = (text: string) => parseDenied(text).destinations.map(({ idle, ...rest }) => rest);

const golden = readFileSync(join(import.meta.dirname, 'denied.nft-1.0.6.json'), 'utf8');

const setOf = (type: unknown, elem: unknown) =>
  JSON.stringify([{ nftables: [{ metainfo: { version: '1' } }, { set: { name: 'denied', type, elem } }] }]);

test('one of each kind, as the kernel counted them', () => {
  expect(parseDestinations(golden)).toEqual([
    { address: '10.99.0.9', protocol: '132', port: 0, packets: 1 },
    { address: '10.99.0.9', protocol: 'udp', port: 5353, packets: 2 },
    { address: 'fd00:99::9', protocol: 'udp', port: 53, packets: 1 },
    { address: '10.99.0.9', protocol: 'icmp', port: 8, packets: 1 },
    { address: 'fd00:99::9', protocol: 'icmp', port: 8, packets: 1 },
    { address: 'ff02::1:ff13:6f6e', protocol: 'icmp', port: 135, packets: 1 },
    { address: 'ff02::16', protocol: 'icmp', port: 143, packets: 1 },
    { address: '10.99.0.9', protocol: '47', port: undefined, packets: 1 },
    { address: '10.99.0.9', protocol: '200', port: undefined, packets: 1 },
  ]);
});

test('nothing was refused, or there are no such sets', () => {
  expect(parseDestinations('[]\n')).toEqual([]);
  expect(parseDestinations(setOf(['ipv4_addr', 'inet_proto'], undefined))).toEqual([]);
});

test('columns in another order, names for numbers, no counter', () => {
  const type = ['inet_service', 'ipv4_addr', 'inet_proto'];
  const elem = [{ concat: [443, '10.0.0.1', 'tcp'] }, { elem: { val: { concat: [53, '10.0.0.2', 17] } } }];
  expect(parseDestinations(setOf(type, elem))).toEqual([
    { address: '10.0.0.1', protocol: 'tcp', port: 443, packets: 0 },
    { address: '10.0.0.2', protocol: 'udp', port: 53, packets: 0 },
  ]);
});

test("a user's set of addresses alone, or of something else", () => {
  expect(parseDestinations(setOf('ipv4_addr', ['10.0.0.1']))).toEqual([
    { address: '10.0.0.1', protocol: '', port: undefined, packets: 0 },
  ]);
  expect(parseDestinations(setOf('mark', [1, 2]))).toEqual([]);
});

test.each(['', 'nft: not found', '{}', '[{"nftables":[{"set":{"name":"x"}}]}]', golden.slice(0, 900)])(
  'no such JSON: %#',
  (text) => {
    expect(() => parseDestinations(text)).toThrow();
  },
);

const setNamed = (name: string, type: unknown, elem: readonly unknown[], more: object = {}) => ({
  nftables: [{ set: { name, type, elem, ...more } }],
});
const counterNamed = (name: string, packets: number) => ({ nftables: [{ counter: { name, packets } }] });
const entry = (val: unknown, packets: number, expires?: number) => ({
  elem: { val, counter: { packets }, ...(expires === undefined ? {} : { expires }) },
});

test('sets by address and by network, counters, and when the last packet came', () => {
  const { destinations, ...rest } = parseDenied(
    JSON.stringify([
      setNamed('denied_icmp4', ['ipv4_addr', 'icmp_type'], [entry({ concat: ['10.0.0.1', 8] }, 2, 590)], {
        ...{ size: 512, timeout: 600 },
      }),
      setNamed('denied4_by_address', 'ipv4_addr', [entry('10.0.0.1', 2)], { size: 2 }),
      setNamed('denied4_by_network_8', 'ipv4_addr', [entry('10.0.0.0', 2)], { size: 1 }),
      setNamed('denied6_by_network_8', 'ipv6_addr', [entry('2000::', 1)], { size: 256 }),
      counterNamed('denied_packets', 3),
      counterNamed('denied_spoofed', 1),
      counterNamed('denied_frames', 4),
      { nftables: [] },
    ]),
  );
  expect(destinations).toEqual([{ address: '10.0.0.1', protocol: 'icmp', port: 8, packets: 2, idle: 10 }]);
  const group = { protocol: '', port: undefined };
  expect(rest).toEqual({
    addresses: [{ ...group, address: '10.0.0.1', packets: 2 }],
    networks: [
      { ...group, address: '10.0.0.0/8', packets: 2 },
      { ...group, address: '2000::/8', packets: 1 },
    ],
    counts: { packets: 3, spoofed: 1, frames: 4 },
    // That all networks are there is no loss.
    isFull: false,
  });
});

test('a set that has as many elements as it takes is full', () => {
  const full = setNamed('denied4_by_address', 'ipv4_addr', [entry('10.0.0.1', 1), entry('10.0.0.2', 1)], {
    size: 2,
  });
  expect(parseDenied(JSON.stringify([full])).isFull).toBe(true);
});

test('calls that came in have a caller, and a counter of their own', () => {
  const callers = ['ipv4_addr', 'ipv4_addr', 'inet_proto', 'inet_service'];
  const call = (port: number, protocol: number) => ({
    elem: { val: { concat: ['198.51.100.7', '172.18.0.2', protocol, port] }, counter: { packets: 3 } },
  });
  const sets = [{ name: 'denied_in4', type: callers, size: 2, elem: [call(80, 6), call(9, 132)] }];
  const items = [...sets.map((set) => ({ set })), { counter: { name: 'denied_in_packets', packets: 9 } }];
  const record = parseDenied(JSON.stringify([{ nftables: items }]));
  expect(record.destinations).toEqual([
    { source: '198.51.100.7', address: '172.18.0.2', protocol: 'tcp', port: 80, packets: 3 },
    { source: '198.51.100.7', address: '172.18.0.2', protocol: 'sctp', port: 9, packets: 3 },
  ]);
  expect(record).toMatchObject({ counts: { packets: 9, spoofed: 0 }, isFull: true });
});
