/** The options of rules by DNS name. */
import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../../src/config/config.ts';

const names = (flags: Readonly<Record<string, string>>) => resolveConfig(flags, {}).names;

describe('options of names', () => {
  test('have defaults', () => {
    expect(names({})).toEqual({
      upstream: undefined,
      consul: undefined,
      grace: 300,
      limits: { perName: 1_000, perNamespace: 10_000 },
      freshPerMinute: 100,
      refresh: 0,
      answer: 'refused',
    });
  });

  test('take servers with and without a port, of both families', () => {
    const { upstream, consul } = names({
      namesUpstream: '192.0.2.53, 192.0.2.54:5353,2001:db8::53,[2001:DB8:0::54]:5353,[2001:db8::55]',
      namesConsul: '127.0.0.1:18600',
    });
    expect(upstream).toEqual([
      { address: '192.0.2.53', port: 53 },
      { address: '192.0.2.54', port: 5353 },
      { address: '2001:db8::53', port: 53 },
      { address: '2001:db8::54', port: 5353 },
      { address: '2001:db8::55', port: 53 },
    ]);
    expect(consul).toEqual({ address: '127.0.0.1', port: 18_600 });
    expect(names({ namesConsul: '::1' }).consul).toEqual({ address: '::1', port: 8600 });
  });

  test.each([
    ['0s', 0],
    ['90', 90],
    ['24h', 86_400],
  ])('take the grace %s', (namesGrace, expected) => {
    expect(names({ namesGrace }).grace).toBe(expected);
  });

  test('take the others', () => {
    const flags = { namesLimit: '5,50', namesFresh: '7', namesRefresh: '12h', namesAnswer: 'nxdomain' };
    expect(names(flags)).toMatchObject({
      limits: { perName: 5, perNamespace: 50 },
      freshPerMinute: 7,
      refresh: 43_200_000,
      answer: 'nxdomain',
    });
    const environment = { EGRESSTRATOR_NAMES_GRACE: '1h', EGRESSTRATOR_NAMES_UPSTREAM: '' };
    expect(resolveConfig({}, environment).names).toMatchObject({ grace: 3_600, upstream: undefined });
  });

  test('take a short grace without a refresh', () => {
    expect(names({ namesGrace: '19s' })).toMatchObject({ grace: 19, refresh: 0 });
    expect(names({ namesGrace: '20s', namesRefresh: '1h' })).toMatchObject({ grace: 20, refresh: 3_600_000 });
  });

  test.each([
    [{ namesUpstream: 'dns.example' }, '--names-upstream: expected IP addresses'],
    [{ namesUpstream: '192.0.2.1,' }, '--names-upstream: expected IP addresses'],
    [{ namesUpstream: '192.0.2.1:0' }, '--names-upstream: expected IP addresses'],
    [{ namesUpstream: '192.0.2.1:65536' }, '--names-upstream: expected IP addresses'],
    [{ namesUpstream: '[192.0.2.1]:53' }, '--names-upstream: expected IP addresses'],
    [{ namesUpstream: '2001:db8::1:53535' }, '--names-upstream: expected IP addresses'],
    [{ namesConsul: '192.0.2.1,192.0.2.2' }, '--names-consul: expected one IP address'],
    [{ namesGrace: '25h' }, '--names-grace: expected a duration of at most 24h'],
    [{ namesGrace: 'none' }, '--names-grace: expected a duration of at most 24h'],
    [{ namesLimit: '1000' }, '--names-limit: expected two whole numbers from 1 to 60000'],
    [{ namesLimit: '0,10' }, '--names-limit: expected two whole numbers'],
    [{ namesLimit: '1,100001' }, '--names-limit: expected two whole numbers'],
    [{ namesRefresh: '8d' }, '--names-refresh: expected a duration of at most 168h'],
    [{ namesRefresh: '1h', namesGrace: '19s' }, '--names-grace: expected at least 20s with --names-refresh'],
    [{ namesFresh: '0' }, '--names-fresh: expected a whole number from 1 to 100000'],
    [{ namesAnswer: 'servfail' }, '--names-answer: expected refused, nxdomain'],
  ])('reject %o', (flags, message) => {
    expect(() => resolveConfig(flags, {})).toThrow(message);
  });
});
