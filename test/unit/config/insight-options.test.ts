/** Where the controller is seen from outside: --listen, --publish, --register, --node. */
import { describe, expect, test } from 'vitest';
import { resolveConfig } from '../../../src/config/config.ts';

describe('--listen', () => {
  test.each([
    ['9464', { host: '127.0.0.1', port: 9464 }],
    ['0.0.0.0:9464', { host: '0.0.0.0', port: 9464 }],
    ['[::1]:9464', { host: '::1', port: 9464 }],
    ['docker-1.example:80', { host: 'docker-1.example', port: 80 }],
  ])('%s', (listen, expected) => expect(resolveConfig({ listen }, {}).listen).toEqual(expected));

  test('is off unless asked for', () => expect(resolveConfig({}, {}).listen).toBeUndefined());

  test.each(['here', '1.2.3.4:', ':80', '99999'])('refused: %s', (listen) => {
    expect(() => resolveConfig({ listen }, {})).toThrow(
      `--listen: expected a port, or host:port, not "${listen}"`,
    );
  });
});

describe('--allow-host', () => {
  test('names hosts, and none unless asked for', () => {
    expect(resolveConfig({}, {}).allowHosts).toEqual([]);
    expect(resolveConfig({ allowHost: 'a.example, b' }, {}).allowHosts).toEqual(['a.example', 'b']);
    expect(resolveConfig({}, { EGRESSTRATOR_ALLOW_HOST: 'a' }).allowHosts).toEqual(['a']);
  });

  test.each(['*', 'a:9464', 'http://a', 'a b'])('refused: %s', (allowHost) => {
    expect(() => resolveConfig({ allowHost }, {})).toThrow(
      `--allow-host: expected host names without ports, separated by commas, not "${allowHost}"`,
    );
  });
});

describe('--publish', () => {
  test.each([
    [{}, {}, undefined],
    [{ publish: true }, {}, 'egress/status/'],
    [{ publish: '/hosts/' }, {}, 'hosts/'],
    [{}, { EGRESSTRATOR_PUBLISH: 'hosts' }, 'hosts/'],
  ])('%j %j', (flags, environment, expected) =>
    expect(resolveConfig(flags, environment).publish).toBe(expected),
  );

  test.each(['egress/acl', '/egress/acl/status/', '/'])(
    'refused, as it would be taken for a key: %s',
    (publish) => {
      expect(() => resolveConfig({ publish }, {})).toThrow(
        '--publish: expected a path outside of egress/acl/',
      );
    },
  );

  test('refused where the rules are elsewhere', () => {
    expect(() => resolveConfig({ publish: true, kvPath: 'egress' }, {})).toThrow(
      'expected a path outside of egress/',
    );
  });
});

test('--register and --node have defaults that can be changed', () => {
  expect(resolveConfig({}, {})).toMatchObject({ register: 'egresstrator', deniedInterval: 60_000 });
  expect(resolveConfig({ register: 'none' }, { EGRESSTRATOR_NODE: 'docker-1' })).toMatchObject({
    register: undefined,
    node: 'docker-1',
  });
});
