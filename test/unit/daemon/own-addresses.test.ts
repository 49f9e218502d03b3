/** Which addresses are this host's own, for a controller on the host and for one in a container. */
import { expect, test } from 'vitest';
import { ownAddresses } from '../../../src/daemon/own-addresses.ts';
import { formatPrefix } from '../../../src/net/address.ts';

const FIB_TRIE = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 203.0.113.0
        /24 link UNICAST
     |-- 203.0.113.9
        /32 host LOCAL
     |-- 203.0.113.255
        /32 link BROADCAST
Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.1
        /32 host LOCAL
     |-- 203.0.113.9
        /32 host LOCAL
`;
const IF_INET6 = `00000000000000000000000000000001 01 80 10 80       lo
20010db8000000000000000000000009 02 40 00 80     eth0
fe80000000000000004200fffe000001 05 40 20 80  veth1a2b
`;

const NONE = () => {
  throw new Error('ENOENT');
};
const known = (read: (path: string) => string) => {
  const here = ownAddresses(NONE).map(formatPrefix);
  return ownAddresses(read)
    .map(formatPrefix)
    .filter((address) => !here.includes(address));
};

test('are those of the first process too, which is on the host, without loopback and link-local ones', () => {
  const read = (path: string) => (path.endsWith('fib_trie') ? FIB_TRIE : IF_INET6);
  expect(new Set(known(read))).toEqual(new Set(['203.0.113.9', '2001:db8::9']));
});

test('are those of IPv4 where IPv6 is off', () => {
  expect(new Set(known((path) => (path.endsWith('fib_trie') ? FIB_TRIE : NONE())))).toEqual(
    new Set(['203.0.113.9']),
  );
});

test('do not change when a container gets an interface on the host', () => {
  expect(ownAddresses().map(formatPrefix)).not.toContainEqual(expect.stringMatching(/^(?:fe80|127\.|::1$)/));
});
