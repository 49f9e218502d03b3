/**
 * Rules that say who may reach a container: the grammar of egress rules, but that a service has no port of its own.
 */
import { describe, expect, test } from 'vitest';
import { formatRule, parseRule } from '../../../src/policy/rule.ts';

const parsed = (line: string) => parseRule(line, 'ingress');
const reasonOf = (line: string): string | undefined => {
  const found = parsed(line);
  return found !== undefined && 'reason' in found ? found.reason : undefined;
};
const written = (line: string): string | undefined => {
  const found = parsed(line);
  return found !== undefined && 'rule' in found ? formatRule(found.rule) : undefined;
};

describe('a rule about callers', () => {
  test.each([
    '10.0.0.0/8:tcp/8080',
    '10.0.0.0/8:tcp/80,443,8000-8100',
    '[2001:db8::]/32:icmp/128',
    'prometheus:tcp',
    'prometheus:tcp/9100',
    'production.prometheus@dc2:tcp/9100,9200-9300',
    'v1.2.web:udp/53',
    'prometheus:icmp',
    'prometheus:icmp/8',
    'prometheus:icmpv6',
    'prometheus:icmpv6/128',
  ])('%s', (line) => {
    expect(written(line)).toBe(line);
    expect(parsed(line)).toEqual(parsed(`  ${line.replace('tcp', 'TCP')} # a comment`));
  });

  test.each([
    ['prometheus:tcp/9100,80', 'prometheus:tcp/80,9100'],
    ['prometheus:icmp/0-255', 'prometheus:icmp'],
    ['prometheus:icmpv6/0-255', 'prometheus:icmpv6'],
  ])('%s is %s', (line, canonical) => {
    expect(written(line)).toBe(canonical);
    expect(written(canonical)).toBe(canonical);
  });

  const ALONE = "expected a protocol and the container's own port after a service, got";

  test.each([
    ['prometheus', `${ALONE} "prometheus" alone; write it as in prometheus:tcp/8080`],
    ['prod.web@dc2', `${ALONE} "prod.web@dc2" alone; write it as in prod.web@dc2:tcp/8080`],
    ['prometheus:', `${ALONE} "prometheus" alone; write it as in prometheus:tcp/8080`],
    ['prometheus:9100', 'expected tcp, udp or icmp (icmpv6) after ":", got "9100"; write tcp/9100'],
    ['prometheus:sctp/9100', 'expected tcp, udp or icmp (icmpv6) after ":", got "sctp/9100"'],
    ['prometheus:tcp/70000', 'expected a port 0-65535 or a range of them, got "70000"'],
    ['prometheus:tcp/9100@dc2', 'expected the datacenter before the protocol, got ":tcp/9100@dc2"'],
    [':tcp/80', 'expected an address or a service before ":tcp/80"'],
    ['10.0.0.0/8', 'expected a protocol after the address, as in ":tcp/443", got "10.0.0.0/8" alone'],
  ])('refuses %s', (line, reason) => {
    expect(reasonOf(line)).toBe(reason);
  });

  test('is none for egress, whose services have ports in the catalog', () => {
    expect(parseRule('prometheus:tcp/9100')).toHaveProperty('reason');
    const rule = {
      kind: 'service',
      service: 'prometheus',
      tag: undefined,
      datacenter: undefined,
      protocol: 'tcp',
    };
    expect(parseRule('prometheus')).toEqual({ rule, warnings: [] });
  });
});
