/** Who is asked for names. */
import { describe, expect, test } from 'vitest';
import { consulServer, resolversIn, upstreamServers } from '../../../src/daemon/name-servers.ts';

describe('the resolvers of the host', () => {
  test('are the first three of resolv.conf, on loopback too', () => {
    const text = [
      '# nameserver 192.0.2.1',
      'search corp.example',
      'nameserver 127.0.0.53',
      '\tnameserver\t2001:db8::53\r',
      'nameserver resolver.example',
      'nameserver fe80::1%eth0',
      'nameserver 192.0.2.4',
    ].join('\n');
    expect(resolversIn(text)).toEqual([
      { address: '127.0.0.53', port: 53 },
      { address: '2001:db8::53', port: 53 },
      { address: 'fe80::1%eth0', port: 53 },
    ]);
  });

  test('are read again after a while, and stay when the file is missing', () => {
    let [now, text] = [0, 'nameserver 192.0.2.1'];
    const read = () => {
      if (text === '') throw new Error('ENOENT');
      return text;
    };
    const servers = upstreamServers({ upstream: undefined }, () => now, read);
    const first = [{ address: '192.0.2.1', port: 53 }];
    expect(servers()).toEqual(first);
    text = 'nameserver 192.0.2.2';
    expect(servers()).toEqual(first);
    now = 10_000;
    expect(servers()).toEqual([{ address: '192.0.2.2', port: 53 }]);
    [now, text] = [20_000, ''];
    expect(servers()).toEqual([{ address: '192.0.2.2', port: 53 }]);
  });

  test('stay while the file is written, and go when it is empty again', () => {
    let [now, text] = [0, 'nameserver 192.0.2.1'];
    const servers = upstreamServers(
      { upstream: undefined },
      () => now,
      () => text,
    );
    const first = servers();
    [now, text] = [5_000, ''];
    expect(servers()).toEqual(first);
    [now, text] = [6_000, 'nameserver 192.0.2.2'];
    expect(servers()).toEqual([{ address: '192.0.2.2', port: 53 }]);
    [now, text] = [11_000, ''];
    expect(servers()).toHaveLength(1);
    now = 12_000;
    expect(servers()).toEqual([]);
  });

  test('are not read where others are named', () => {
    const upstream = [{ address: '192.0.2.53', port: 5353 }];
    const read = () => {
      throw new Error('read');
    };
    expect(upstreamServers({ upstream }, () => 0, read)()).toBe(upstream);
  });
});

test.each([
  ['127.0.0.1', { address: '127.0.0.1', port: 8600 }],
  ['localhost', { address: '127.0.0.1', port: 8600 }],
  ['2001:db8::1', { address: '2001:db8::1', port: 8600 }],
  ['consul.example', undefined],
])("Consul's DNS server of an agent at %s", (host, expected) => {
  expect(consulServer({ consul: undefined }, host)).toEqual(expected);
  const named = { address: '192.0.2.9', port: 1 };
  expect(consulServer({ consul: named }, host)).toBe(named);
});
