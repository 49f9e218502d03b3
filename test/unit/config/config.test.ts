/** Flags before environment before default, and every problem at once. */
import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../../src/config/config.ts';

describe('resolveConfig', () => {
  test('has the defaults of egresstrator 0.2', () => {
    const { consul, template, docker } = resolveConfig({}, {});
    expect(consul).toMatchObject({
      address: '127.0.0.1:8500',
      kvPath: 'egress/acl/',
      ssl: false,
      health: 'any',
      maxConnections: 80,
    });
    expect({ template, host: docker.host }).toEqual({
      template: 'nftables',
      host: 'unix:///var/run/docker.sock',
    });
  });

  test('takes flags before variables before defaults', () => {
    const environment = { CONSUL_HTTP_ADDR: 'env:8500', CONSUL_PATH: 'env/' };
    const { consul } = resolveConfig({ consul: 'flag:8500' }, environment);
    expect([consul.address, consul.kvPath]).toEqual(['flag:8500', 'env/']);
  });

  test('keeps ACL keys and ingress keys apart', () => {
    expect(resolveConfig({}, {}).consul.ingressPath).toBe('ingress/acl/');
    const ingressPath = '/net/in/';
    expect(resolveConfig({ ingressPath }, {}).consul.ingressPath).toBe(ingressPath);
    for (const kvPath of ['net/in', 'net/', 'net/in/acl'])
      expect(() => resolveConfig({ ingressPath, kvPath }, {})).toThrow(
        '--ingress-path: expected a path outside of',
      );
    expect(() => resolveConfig({ ingressPath: '/' }, {})).toThrow('--ingress-path: expected a path');
  });

  test('takes an empty variable for none', () => {
    expect(resolveConfig({}, { CONSUL_HTTP_ADDR: '', CONSUL_HTTP_TOKEN: '' }).consul).toMatchObject({
      address: '127.0.0.1:8500',
      token: undefined,
    });
  });

  test('reads switches from flags and variables', () => {
    expect(resolveConfig({ ssl: true }, {}).consul.ssl).toBe(true);
    expect(resolveConfig({}, { CONSUL_HTTP_SSL: 'true' }).consul.ssl).toBe(true);
    expect(resolveConfig({}, { CONSUL_HTTP_SSL: 'false' }).consul.ssl).toBe(false);
  });

  test('reads numbers', () => {
    expect(resolveConfig({ consulConnections: '500' }, {}).consul.maxConnections).toBe(500);
    const environment = { EGRESSTRATOR_CONSUL_CONNECTIONS: '200' };
    expect(resolveConfig({}, environment).consul.maxConnections).toBe(200);
    expect(resolveConfig({}, {}).consul.wait).toBeUndefined();
    expect(resolveConfig({ consulWait: '60' }, {}).consul.wait).toBe(60_000);
    expect(() => resolveConfig({ consulWait: '0' }, {})).toThrow('a whole number from 1 to 600');
  });

  test.each([
    [{}, undefined],
    [{ maxAge: 'none' }, undefined],
    [{ maxAge: '90' }, { limit: 90_000, action: 'lock' }],
    [{ maxAge: '90s' }, { limit: 90_000, action: 'lock' }],
    [
      { maxAge: '15m', maxAgeAction: 'drop-services' },
      { limit: 900_000, action: 'drop-services' },
    ],
    [{ maxAge: '12h' }, { limit: 43_200_000, action: 'lock' }],
    [{ maxAge: '2d' }, { limit: 172_800_000, action: 'lock' }],
  ])('reads how old things may be: %o', (flags, expected) => {
    expect(resolveConfig(flags, {}).maxAge).toEqual(expected);
  });

  test.each([
    [{ maxAge: '29s' }, '--max-age: expected a duration from 30s to 365d'],
    [{ maxAge: '1000000d' }, 'to 365d'],
    [{ maxAge: '-1h' }, 'as 90s, 15m, 12h or 2d, or none, not "-1h"'],
    [{ maxAge: '2 weeks' }, 'not "2 weeks"'],
    [{ maxAge: '10m', consulWait: '600' }, '--max-age: expected a duration from 1200s to 365d'],
    [{ maxAge: '1h', maxAgeAction: 'open' }, '--max-age-action: expected lock, drop-services, not "open"'],
  ])('refuses ages that cannot be kept: %o', (flags, problem) => {
    expect(() => resolveConfig(flags, {})).toThrow(problem);
  });

  test('reads lists', () => {
    const { protectedHosts, prepare, prepareIngress } = resolveConfig(
      { protect: '10.0.0.1, fd00::1', prepare: 'a,b;;c', prepareIngress: 'web;' },
      {},
    );
    expect(protectedHosts.map(({ family, length }) => [family, length])).toEqual([
      [4, 32],
      [6, 128],
    ]);
    expect(prepare).toEqual([['a', 'b'], ['c']]);
    expect(prepareIngress).toEqual([['web']]);
    expect(resolveConfig({ protect: 'none' }, {}).protectedHosts).toEqual([]);
  });

  test('refuses to prepare rules for a gate where no folder is shared with one', () => {
    expect(() => resolveConfig({ prepare: 'a,b', runDir: 'none' }, {})).toThrow(
      '--prepare: expected no keys if --run-dir is none, not "a,b"',
    );
    expect(resolveConfig({ runDir: 'none' }, {})).toMatchObject({ runDir: undefined, prepare: [] });
  });

  test('reports every problem at once, each with where it stands', () => {
    const flags = { loader: 'magic', concurrency: '0', protect: '10.0.0.0/8,nope' };
    expect(() => resolveConfig(flags, { EGRESSTRATOR_DRIFT_INTERVAL: '1e3' })).toThrow(
      [
        '--loader: expected helper, nsenter, auto, not "magic"',
        '--protect: expected IP addresses separated by commas, not "10.0.0.0/8,nope"',
        '--concurrency: expected a whole number from 1 to 64, not "0"',
        'EGRESSTRATOR_DRIFT_INTERVAL: expected a whole number from 1 to 86400, not "1e3"',
      ].join('\n'),
    );
  });
});
