import { describe, expect, test } from 'vitest';
import { parseRule, type ServiceRule } from '../../../src/policy/rule.ts';
import { AN_ADDRESS, reasonOf } from './rules.ts';

const A_SERVICE = 'expected a service name of letters, digits, "-" and "_", or an address, got';
const FROM_CATALOG = 'expected tcp or udp after a service, whose port comes from the catalog, got';

describe('a rule by service', () => {
  const service = (name: string, more: Partial<ServiceRule> = {}): ServiceRule => ({
    kind: 'service',
    service: name,
    tag: undefined,
    datacenter: undefined,
    protocol: 'tcp',
    ...more,
  });

  test.each([
    ['postgresql', service('postgresql')],
    ['production.postgresql', service('postgresql', { tag: 'production' })],
    ['production.postgresql@dc2', service('postgresql', { tag: 'production', datacenter: 'dc2' })],
    ['postgresql@dc2:udp', service('postgresql', { datacenter: 'dc2', protocol: 'udp' })],
    ['production.dns:UDP', service('dns', { tag: 'production', protocol: 'udp' })],
    ['production.dns:tcp', service('dns', { tag: 'production' })],
    ['a.b.c.web', service('web', { tag: 'a.b.c' })],
    ['9.6.postgresql', service('postgresql', { tag: '9.6' })],
    ['1.2.3.web', service('web', { tag: '1.2.3' })],
    ['env:prod.web', service('web', { tag: 'env:prod' })],
    ['env:prod.web:udp', service('web', { tag: 'env:prod', protocol: 'udp' })],
    ['env=prod.web', service('web', { tag: 'env=prod' })],
    ['c#.web', service('web', { tag: 'c#' })],
    ['grün.wäb_1', service('wäb_1', { tag: 'grün' })],
    ['tcp', service('tcp')],
    ['2048-game', service('2048-game')],
  ])('%s', (line, rule) => {
    expect(parseRule(line)).toEqual({ rule, warnings: [] });
  });

  test.each([
    ['postgresql:tcp/5432', `${FROM_CATALOG} ":tcp/5432"; write postgresql`],
    ['postgresql:5432', `${FROM_CATALOG} ":5432"; write postgresql`],
    ['dns:udp/53', `${FROM_CATALOG} ":udp/53"; write dns:udp`],
    ['postgresql:icmp', 'expected tcp or udp after a service, got ":icmp"'],
    ['postgresql:', 'expected tcp or udp after a service, got ":"'],
    ['postgresql:udp@dc2', 'expected the datacenter before the protocol, got ":udp@dc2"'],
    [':tcp/80', 'expected an address, a name or a service before ":tcp/80"'],
    ['.web', 'expected a tag without quotes, "/", "," or "@" before the last dot, got ""'],
    ['a,b.web', 'expected a tag without quotes, "/", "," or "@" before the last dot, got "a,b"'],
    [
      '"a.web',
      'expected a tag without quotes, "/", "," or "@" before the last dot, got "\\"a"'.replace('\\', ''),
    ],
    ['web.', `${A_SERVICE} ""`],
    ['.', `${AN_ADDRESS} "."`],
    ['@dc2', `${A_SERVICE} ""`],
    ['prod.web$', `${A_SERVICE} "web$"`],
    ["prod.web'", `${A_SERVICE} "web'"`],
    ['prod.-web', `${A_SERVICE} "-web"`],
    ['prod.1', `${A_SERVICE} "1"`],
    ['web@', 'expected a datacenter of letters, digits, "-" and "_" after "@", got ""'],
    ['web@dc.2', 'expected a datacenter of letters, digits, "-" and "_" after "@", got "dc.2"'],
    ['web@a@b', 'expected a datacenter of letters, digits, "-" and "_" after "@", got "a@b"'],
    ['<<<<<<<', `${A_SERVICE} "<<<<<<<"`],
  ])('refuses %s', (line, reason) => {
    expect(reasonOf(line)).toBe(reason);
  });
});
