/** nft's JSON as nft 1.0.6 wrote it for packets of each kind, and what else may come. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseRefusals } from '../../../../src/adapters/dataplane/refusals.ts';

const golden = readFileSync(join(import.meta.dirname, 'refusals.nft-1.0.6.json'), 'utf8');

const setOf = (type: unknown, elem: unknown) =>
  JSON.stringify([{ nftables: [{ metainfo: { version: '1' } }, { set: { name: 'denied', type, elem } }] }]);

test('one of each kind, as the kernel counted them', () => {
  expect(parseRefusals(golden)).toEqual([
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
  expect(parseRefusals('[]\n')).toEqual([]);
  expect(parseRefusals(setOf(['ipv4_addr', 'inet_proto'], undefined))).toEqual([]);
});

test('columns in another order, names for numbers, no counter', () => {
  const type = ['inet_service', 'ipv4_addr', 'inet_proto'];
  const elem = [{ concat: [443, '10.0.0.1', 'tcp'] }, { elem: { val: { concat: [53, '10.0.0.2', 17] } } }];
  expect(parseRefusals(setOf(type, elem))).toEqual([
    { address: '10.0.0.1', protocol: 'tcp', port: 443, packets: 0 },
    { address: '10.0.0.2', protocol: 'udp', port: 53, packets: 0 },
  ]);
});

test("a user's set of addresses alone, or of something else", () => {
  expect(parseRefusals(setOf('ipv4_addr', ['10.0.0.1']))).toEqual([
    { address: '10.0.0.1', protocol: '', port: undefined, packets: 0 },
  ]);
  expect(parseRefusals(setOf('mark', [1, 2]))).toEqual([]);
});

test.each(['', 'nft: not found', '{}', '[{"nftables":[{"set":{"name":"x"}}]}]', golden.slice(0, 900)])(
  'no such JSON: %#',
  (text) => {
    expect(() => parseRefusals(text)).toThrow();
  },
);
