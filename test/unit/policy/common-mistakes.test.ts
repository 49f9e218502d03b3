/** What other tools have in the place of a rule is told as what it is, with what to write instead. */
import { describe, expect, it, test } from 'vitest';
import { parseTarget } from '../../../src/diagnostics/target.ts';
import { compile } from '../../../src/policy/compile.ts';
import { formatRule, parseRule } from '../../../src/policy/rule.ts';
import { aclOf, catalogOf } from '../diagnostics/fixtures.ts';
import { ruleOf } from './rules.ts';

const host = (name: string, rule = '192.0.2.7:tcp/443') =>
  `expected an address or a service, got the host name "${name}"; write its addresses, as in ${rule}, or its service in Consul as tag.service`;
const dnsName = (name: string, rule: string) =>
  `expected a service name, got its DNS name "${name}"; write ${rule}`;
const wildcard = (text: string) =>
  `expected an address or a service, got the wildcard "${text}"; write the prefixes behind it, as in 192.0.2.0/24:tcp/443`;
const denial = (text: string) =>
  `expected a rule that allows, got "${text}"; rules only allow, and all other traffic is denied: delete the line`;
const range = (text: string, prefixes: string) =>
  `expected one address or prefix, got the address range "${text}"; write it as prefixes, each in a line: ${prefixes}`;

const HOST_NAMES: readonly (readonly [string, string])[] = [
  ['api.stripe.com', host('api.stripe.com')],
  ['API.Stripe.COM', host('API.Stripe.COM')],
  ['api.stripe.com.', host('api.stripe.com')],
  ['example.com:tcp/443', host('example.com')],
  ['example.com:8443', host('example.com', '192.0.2.7:tcp/8443')],
  ['ntp.example.com:udp/123', host('ntp.example.com', '192.0.2.7:udp/123')],
  ['db.example.org:tcp/5432', host('db.example.org', '192.0.2.7:tcp/5432')],
  ['www.bbc.co.uk', host('www.bbc.co.uk')],
  ['xn--bcher-kva.example.com', host('xn--bcher-kva.example.com')],
  ['example.com/v1', host('example.com')],
  ['intranet.example.', host('intranet.example')],
  ['web.node.consul', host('web.node.consul')],
  ['web.query.dc2.consul', host('web.query.dc2.consul')],
  ['x.service.consul', dnsName('x.service.consul', 'x')],
  ['x.service.consul.', dnsName('x.service.consul', 'x')],
  ['x.service.dc2.consul', dnsName('x.service.dc2.consul', 'x@dc2')],
  ['x.service.dc2.dc.consul', dnsName('x.service.dc2.dc.consul', 'x@dc2')],
  ['production.x.service.consul', dnsName('production.x.service.consul', 'production.x')],
  ['x.service.consul:tcp/5432', dnsName('x.service.consul', 'x')],
  ['x.service.consul:udp', dnsName('x.service.consul', 'x:udp')],
  ['_x._production.service.consul', dnsName('_x._production.service.consul', 'production.x')],
  ['_x._tcp.service.consul', dnsName('_x._tcp.service.consul', 'x')],
  ['_x._udp.service.dc2.consul', dnsName('_x._udp.service.dc2.consul', 'x@dc2:udp')],
];

const OTHERS: readonly (readonly [string, string])[] = [
  ['*.example.com', wildcard('*.example.com')],
  ['*.example.com:tcp/443', wildcard('*.example.com:tcp/443')],
  ['.example.example.com', wildcard('.example.example.com')],
  [
    'https://example.org/',
    `expected an address or a service, got the URL "https://example.org/"; write its addresses, as in 192.0.2.7:tcp/443, or its service in Consul as tag.service`,
  ],
  [
    'http://10.0.0.1/x',
    'expected an address or a service, got the URL "http://10.0.0.1/x"; write 10.0.0.1:tcp/80',
  ],
  [
    'https://[2001:db8::1]:8443',
    'expected an address or a service, got the URL "https://[2001:db8::1]:8443"; write [2001:db8::1]:tcp/8443',
  ],
  ['!10.0.0.0/8:tcp', denial('!10.0.0.0/8:tcp')],
  ['!production.pg', denial('!production.pg')],
  ['deny 10.0.0.0/8:tcp/80', denial('deny 10.0.0.0/8:tcp/80')],
  ['DROP all', denial('DROP all')],
  ['allow 10.0.0.1:tcp/80', 'expected the rule alone, got "allow 10.0.0.1:tcp/80"; write 10.0.0.1:tcp/80'],
  ['10.0.0.1-10.0.0.9:tcp/80', range('10.0.0.1-10.0.0.9', '10.0.0.1, 10.0.0.2/31, 10.0.0.4/30, 10.0.0.8/31')],
  ['10.0.0.8-15:udp', range('10.0.0.8-15', '10.0.0.8/29')],
  ['2001:db8::-2001:db8::f:tcp', range('2001:db8::-2001:db8::f', '2001:db8::/124')],
  [
    '10.0.0.1-10.255.255.254',
    'expected one address or prefix, got the address range "10.0.0.1-10.255.255.254"; write it as prefixes',
  ],
  [
    '10.0.0.9-10.0.0.1:tcp',
    'expected one address or prefix, got the address range "10.0.0.9-10.0.0.1", whose end comes first; write it as prefixes',
  ],
];

/** In keys of egress these are rules by name, and mistakes have messages of their own. */
test.each([...HOST_NAMES, ...OTHERS])('%s in an ingress key', (text, reason) => {
  const byName = parseRule(text, 'egress');
  const found = parseRule(text, 'ingress');
  if (byName !== undefined && 'rule' in byName)
    expect(found).toHaveProperty('reason', expect.stringContaining(`got the name "${text}": rules by name`));
  else expect(found).toEqual({ reason });
});

/** Names are targets of their own there. */
const NOT_NAMES = OTHERS.filter(([text]) => !/example/.test(text));

test.each(NOT_NAMES)('%s as the target of explain', (text, reason) => {
  expect(() => parseTarget(text, undefined)).toThrow(reason);
  expect(() => parseTarget(text, 'tcp/443')).toThrow(reason);
});

describe('what can be a service is one', () => {
  test.each([
    ...['production.postgresql', 'example.com', 'v1.2.postgresql', 'prod.eu.es', 'a.b.c.web', 'x.consul'],
    ...['com', 'v2.1.app', 'env:prod.io', '1.2.3.com-api', 'node.web', 'service.consul', 'deny', 'not'],
  ])('%s', (text) => {
    expect(formatRule(ruleOf(text))).toBe(text);
  });
});

describe('a service that is not registered and may be a host', () => {
  const problemsOf = (line: string) =>
    compile(['key'], aclOf({ key: line }), catalogOf({ com: [], postgresql: [] }), []).problems.map(
      ({ reason }) => reason,
    );

  it('is told as both', () => {
    expect(problemsOf('example.com')).toEqual([
      'no instance of com is registered, so it grants nothing; if example.com is a host name, write its ports too, as in example.com:tcp/443',
    ]);
  });

  it('is told as a service alone where nobody would call a host so', () => {
    expect(problemsOf('production.postgresql')).toEqual([
      'no instance of postgresql is registered, so it grants nothing',
    ]);
  });
});

describe('the target of explain', () => {
  it('may be an address as a rule has it', () => {
    expect(parseTarget('10.0.0.5:tcp/443', undefined)).toEqual(parseTarget('10.0.0.5', 'tcp/443'));
    expect(parseTarget('10.0.0.5:udp/53', undefined)).toEqual(parseTarget('10.0.0.5', 'udp/53'));
    expect(parseTarget('[::1]:443', undefined)).toEqual(parseTarget('::1', '443'));
  });
});

test('a sentence of any line is short, however long the line', () => {
  const units = ['api.', '*.', '!', 'deny ', 'https://', '10.0.0.1-', '_x._tcp.', 'x#', '.com', ':443', '-'];
  for (const unit of units)
    for (const text of [unit.repeat(50_000), `x${unit.repeat(50_000)}.service.consul`]) {
      const parsed = parseRule(text);
      if (parsed !== undefined && 'reason' in parsed) expect(parsed.reason.length).toBeLessThan(400);
    }
});
