/** Lines that would let in denied callers: each must be a rule that does. */
import { describe, expect, it } from 'vitest';
import { formatSuggestIn } from '../../../src/cli/format/suggest-in.ts';
import type { DeniedCall } from '../../../src/diagnostics/denied-in.ts';
import { suggestCallers } from '../../../src/diagnostics/suggest-in.ts';
import { parseRules } from '../../../src/policy/rule.ts';

const call = (source: string, protocol: string, port: number | undefined, packets = 1): DeniedCall => ({
  ...{ gate: 'ingress', source, address: '-', container: 'app', protocol, port, packets },
  ...{ firstSeenAt: 0, lastSeenAt: 0 },
});
const instance = (address: string) => ({ address, port: 9090, tags: [], node: 'n1' });
const CATALOG = new Map([
  ['prometheus', [instance('198.51.100.9')]],
  ['web', [instance('198.51.100.7')]],
  ['db', [instance('198.51.100.7'), instance('2001:db8::5')]],
  ['a b', [instance('198.51.100.8')]],
]);
const KEYS = new Map([['app', ['metrics']]]);
const suggested = (...calls: readonly DeniedCall[]) => suggestCallers(calls, KEYS, CATALOG);
const rulesOf = (...calls: readonly DeniedCall[]) => suggested(...calls)[0]?.lines.map(({ rule }) => rule);

describe('a denied caller', () => {
  it('is named by its service, with all ports that it called', () => {
    expect(rulesOf(call('198.51.100.9', 'tcp', 9100), call('198.51.100.9', 'tcp', 80))).toEqual([
      'prometheus:tcp/80,9100',
    ]);
    expect(rulesOf(call('2001:db8::5', 'udp', 53))).toEqual(['db:udp/53']);
  });

  it('is named by its address where several services are there, or none', () => {
    expect(suggested(call('198.51.100.7', 'tcp', 80))[0]?.lines).toEqual([
      { rule: '198.51.100.7:tcp/80', packets: 1, services: ['db', 'web'] },
    ]);
    expect(rulesOf(call('2001:db8::6', 'tcp', 80))).toEqual(['[2001:db8::6]:tcp/80']);
    expect(rulesOf(call('198.51.100.9', 'icmp', 8))).toEqual(['198.51.100.9:icmp/8']);
  });

  it('is not named by a service whose name is no rule', () => {
    expect(rulesOf(call('198.51.100.8', 'tcp', 80))).toEqual(['198.51.100.8:tcp/80']);
  });

  it('comes in the order of its packets, and what no rule can say is told', () => {
    const found = suggested(
      call('192.0.2.1', 'tcp', 80, 1),
      call('192.0.2.2', 'tcp', 80, 5),
      call('192.0.2.3', '132', undefined),
    );
    expect(found[0]?.lines.map(({ packets }) => packets)).toEqual([5, 1]);
    expect(found[0]?.notExpressible).toEqual(['192.0.2.3 132']);
    expect(found[0]?.keys).toEqual(['metrics']);
  });
});

it('prints what Consul can keep: comments and rules alone', () => {
  const suggestions = suggested(call('198.51.100.9', 'tcp', 9100, 3), call('192.0.2.3', '132', undefined));
  const text = formatSuggestIn({ suggestions, covers: 60_000, isFull: true });
  const { rules, problems } = parseRules('metrics', text, 'ingress');
  expect(problems).toEqual([]);
  expect(rules).toHaveLength(1);
  expect(text).toContain('prometheus:tcp/9100  # 3 packets; at its address: prometheus');
  expect(formatSuggestIn({ suggestions: [], covers: 60_000, isFull: false })).toMatch(
    /^# no call was denied/,
  );
});
