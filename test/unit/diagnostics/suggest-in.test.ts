/** Lines that would let in denied callers: each must be a rule that does. */
import { describe, expect, it } from 'vitest';
import { formatSuggestIn } from '../../../src/cli/format/suggest-in.ts';
import type { DeniedCall } from '../../../src/diagnostics/denied-in.ts';
import { suggestCallers } from '../../../src/diagnostics/suggest-in.ts';
import { parseAcl } from '../../../src/policy/acl.ts';
import { parseRules } from '../../../src/policy/rule.ts';
import { byId, container } from '../../support/containers.ts';
import { prefix } from '../../support/host-claims.ts';

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
const CATALOG_HERE = new Map([['web', [{ ...instance('198.51.100.7'), node: 'n1' }]]]);
const KEYS = new Map([['app', ['metrics']]]);
const suggested = (...calls: readonly DeniedCall[]) => suggestCallers(calls, KEYS, { catalog: CATALOG });
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
  });

  it('is named by its service with types of ICMP too, which are those of one family', () => {
    expect(rulesOf(call('198.51.100.9', 'icmp', 8))).toEqual(['prometheus:icmp/8']);
    expect(rulesOf(call('2001:db8::5', 'icmp', 128))).toEqual(['db:icmpv6/128']);
    expect(rulesOf(call('198.51.100.7', 'icmp', 8))).toEqual(['198.51.100.7:icmp/8']);
    expect(rulesOf(call('2001:db8::6', 'icmp', 128))).toEqual(['[2001:db8::6]:icmp/128']);
  });

  it('is let in by one line where several instances of its service called', () => {
    const catalog = new Map([['web@dc2', [instance('192.0.2.1'), instance('2001:db8::1')]]]);
    const calls = [call('192.0.2.1', 'tcp', 80, 2), call('2001:db8::1', 'tcp', 81, 3)];
    expect(suggestCallers(calls, KEYS, { catalog })[0]?.lines).toEqual([
      { rule: 'web@dc2:tcp/80-81', packets: 5, services: ['web@dc2'] },
    ]);
  });

  it('of this host is named by its service also at its own address, or told as a container', () => {
    const app = container('app', {
      networks: [{ id: 'a', name: 'a', endpoint: 'e', ipv4: prefix('172.18.0.2'), ipv6: undefined }],
      ports: [{ host: prefix('0.0.0.0/0'), hostPort: 9090, protocol: 'tcp', containerPort: 80 }],
    });
    const job = { ...app, id: 'job', name: 'job', ports: [] };
    const networks = [{ id: 'a', name: 'a', endpoint: 'e', ipv4: prefix('172.18.0.3'), ipv6: undefined }];
    const neighbours = { node: 'n1', containers: byId(app, { ...job, networks }) };
    const calls = [call('172.18.0.2', 'tcp', 80, 2), call('172.18.0.3', 'tcp', 80)];
    expect(suggestCallers(calls, KEYS, { catalog: CATALOG_HERE, neighbours })[0]?.lines).toEqual([
      { rule: 'web:tcp/80', packets: 2, services: ['web'] },
      { rule: '172.18.0.3:tcp/80', packets: 1, services: [], caller: 'job' },
    ]);
  });

  it('behind a gateway is told so', () => {
    const network = {
      ...{ id: 'b', name: 'bridge', driver: 'bridge', isInternal: false, bridge: 'docker0', options: {} },
      subnets: [{ prefix: prefix('172.17.0.0/16'), gateway: undefined }],
    };
    const neighbours = { node: 'n1', containers: byId(), networks: new Map([['b', network]]) };
    const [suggestion] = suggestCallers([call('172.17.0.1', 'tcp', 80)], KEYS, {
      ...{ catalog: CATALOG, neighbours },
    });
    expect(suggestion?.lines).toMatchObject([{ rule: '172.17.0.1:tcp/80', gatewayOf: 'bridge' }]);
  });

  it('is left out where the key lets it in by now', () => {
    const acl = parseAcl(new Map([['metrics', 'prometheus:tcp/80']]), new Map(), 'ingress');
    const held = { acl, key: 'metrics' };
    const calls = [call('198.51.100.9', 'tcp', 80), call('198.51.100.9', 'tcp', 81)];
    const rules = (key: string) =>
      suggestCallers(calls, KEYS, { catalog: CATALOG, held: { ...held, key } })[0]?.lines.map(
        ({ rule }) => rule,
      );
    expect(rules('metrics')).toEqual(['prometheus:tcp/81']);
    expect(rules('other')).toEqual(['prometheus:tcp/80-81']);
  });

  it('is not named by a service whose name is no rule', () => {
    expect(rulesOf(call('198.51.100.8', 'tcp', 80))).toEqual(['198.51.100.8:tcp/80']);
  });

  it('comes in the order of its packets, and what no rule can say is told', () => {
    const found = suggested(
      call('192.0.2.1', 'tcp', 80, 1),
      call('192.0.2.2', 'tcp', 80, 5),
      call('192.0.2.3', '132', undefined),
      call('192.0.2.4', 'tcp', 0),
    );
    expect(found[0]?.lines.map(({ packets }) => packets)).toEqual([5, 1]);
    expect(found[0]?.notExpressible).toEqual(['192.0.2.3 132', '192.0.2.4 tcp/0']);
    expect(found[0]?.keys).toEqual(['metrics']);
  });
});

it('prints what Consul can keep: comments and rules alone', () => {
  const suggestions = suggested(call('198.51.100.9', 'tcp', 9100, 3), call('192.0.2.3', '132', undefined));
  const rest = { covers: 60_000, ingressPath: 'ingress/acl/' };
  const text = formatSuggestIn({ ...rest, suggestions, isFull: true });
  const { rules, problems } = parseRules('metrics', text, 'ingress');
  expect(problems).toEqual([]);
  expect(rules).toHaveLength(1);
  expect(text).toContain('prometheus:tcp/9100  # 3 packets; at its address: prometheus');
  expect(formatSuggestIn({ ...rest, suggestions: [], isFull: false })).toMatch(/^# no call was denied/);
});
