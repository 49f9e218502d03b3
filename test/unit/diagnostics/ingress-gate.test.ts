/** Whether a caller gets past the ingress rules of a container, with the line that lets it in or the reason against it. */
import { describe, expect, it, test } from 'vitest';
import { deniedInAnswer } from '../../../src/diagnostics/denied-in.ts';
import { explainIn } from '../../../src/diagnostics/explain-in.ts';
import { HOST_OFF, type HostView } from '../../../src/diagnostics/host-view.ts';
import type { IngressView } from '../../../src/features/ingress/view.ts';
import { parseAcl } from '../../../src/policy/acl.ts';
import { compile } from '../../../src/policy/compile.ts';
import { container } from '../../support/containers.ts';
import { bridge, prefix } from '../../support/host-claims.ts';

const WEB = container('web', {
  networks: [{ id: 'a', name: 'a', endpoint: 'e', ipv4: prefix('172.18.0.2'), ipv6: undefined }],
  ports: [{ host: prefix('0.0.0.0/0'), hostPort: 8080, protocol: 'tcp', containerPort: 80 }],
});
const NOTHING = { bridges: [], guard: undefined, openings: [], proxied: [], forwards: [], permits: [] };
const HOST: HostView = { ...HOST_OFF, containers: [WEB] };

function viewOf(keys: Readonly<Record<string, string>>, more: Partial<IngressView> = {}): IngressView {
  const acl = parseAcl(new Map(Object.entries(keys)), new Map(), 'ingress');
  const instance = { address: '198.51.100.9', port: 0, tags: [], node: 'n1' };
  const policy = compile([...acl.keys()], acl, new Map([['prometheus', [instance]]]), [], 'ingress');
  return {
    ...{ ids: ['web'], target: 'web', keys: [...acl.keys()], mode: 'enforce', state: 'protected' },
    policy,
    ...more,
  };
}

const KEYS = { web: '# who may call\n10.0.0.0/8:tcp/80', metrics: 'prometheus:tcp/9100' };

const ask = (source: string, traffic: string, view = viewOf(KEYS), rules: object = {}) =>
  explainIn({ container: 'web', source, traffic }, HOST, { ...NOTHING, ...rules }, [view]);

const lastGates = (...given: Parameters<typeof ask>): readonly string[] =>
  ask(...given).ways.map(({ gates }) => {
    const last = gates.at(-1);
    return `${last?.gate} ${last?.outcome}: ${last?.reason}`;
  });

describe('a call', () => {
  test.each([
    ['10.1.2.3', 'tcp/80', 'passes', 'ingress key web line 2: 10.0.0.0/8:tcp/80'],
    [
      '198.51.100.9',
      'tcp/9100',
      'passes',
      'ingress key metrics line 1: prometheus:tcp/9100 (instance 198.51.100.9)',
    ],
    [
      '198.51.100.9',
      'tcp/80',
      'denies',
      'its ingress keys (web, metrics) let this caller in only at tcp/9100',
    ],
    ['10.1.2.3', 'udp/80', 'denies', 'its ingress keys (web, metrics) let this caller in only at tcp/80'],
    ['192.0.2.1', 'tcp/80', 'denies', 'none of its ingress keys (web, metrics) names this caller'],
  ])('of %s to %s %s', (source, traffic, outcome, reason) => {
    expect(lastGates(source, traffic)[0]).toBe(`ingress ${outcome}: ${reason}`);
    expect(ask(source, traffic).passes).toBe(outcome === 'passes');
  });

  test.each([
    [
      '198.51.100.9',
      'icmp/8',
      'passes',
      'ingress key ping line 1: prometheus:icmp/8 (instance 198.51.100.9)',
    ],
    ['198.51.100.9', 'icmp/13', 'denies', 'its ingress keys (ping) let this caller in only at icmp/8'],
    ['2001:db8::9', 'icmp/135', 'passes', 'neighbour discovery always passes'],
    ['2001:db8::9', 'icmp/128', 'denies', 'none of its ingress keys (ping) names this caller'],
  ])('of %s by %s %s', (source, traffic, outcome, reason) => {
    const networks = WEB.networks.map((one) => ({ ...one, ipv6: prefix('2001:db8::2') }));
    const host = { ...HOST, containers: [{ ...WEB, networks }] };
    const view = viewOf({ ping: 'prometheus:icmp/8' });
    const asked = explainIn({ container: 'web', source, traffic }, host, NOTHING, [view]);
    expect(asked.ways.map(({ gates }) => gates.at(-1))).toEqual([{ gate: 'ingress', outcome, reason }]);
  });

  it('without a controller is answered by the keys, and the host is not known', () => {
    const host = { ...HOST, unknown: 'no controller answers' };
    const views = [viewOf(KEYS, { state: undefined })];
    const asked = explainIn(
      { container: 'web', source: '10.1.2.3', traffic: 'tcp/80' },
      host,
      NOTHING,
      views,
    );
    const gates = asked.ways.flatMap((way) => way.gates.map(({ gate, outcome }) => `${gate} ${outcome}`));
    expect(gates).toContain('guard unknown');
    expect(gates).not.toContain('guard passes');
    expect(gates).toContain('ingress passes');
  });

  it('of anyone is denied without keys', () => {
    expect(lastGates('10.1.2.3', 'tcp/80', viewOf({}))[0]).toBe(
      'ingress denies: the container names no ingress key, so nobody may call',
    );
  });

  it('is only recorded in audit mode, and passes', () => {
    const asked = ask('192.0.2.1', 'tcp/80', viewOf(KEYS, { mode: 'audit', state: 'audit' }));
    expect(asked.ways[0]?.gates.at(-1)?.outcome).toBe('records');
    expect(asked.passes).toBe(true);
  });

  it('has no answer while the rules are not loaded', () => {
    expect(lastGates('10.1.2.3', 'tcp/80', viewOf(KEYS, { state: 'failed' }))[0]).toBe(
      'ingress unknown: its ingress rules are not loaded (failed)',
    );
  });

  it('of a container on this host to a published port comes from the gateway', () => {
    const bridges = [bridge('br-a', '172.18.0.0/16', 'fd00:18::/64')];
    const publishedTo = (key: string, more: Partial<IngressView> = {}, rules: object = { bridges }) =>
      lastGates('172.18.0.9', 'tcp/80', viewOf({ web: key }, more), rules)[1];
    const hidden = "the container does not see this caller's address";
    expect(lastGates('172.18.0.9', 'tcp/80', viewOf(KEYS), { bridges })[0]).toMatch(/^ingress denies/);
    for (const key of ['172.18.0.1:tcp/80', '172.16.0.0/12:tcp', '0.0.0.0/0:tcp/80'])
      expect(publishedTo(key)).toMatch(`ingress unknown: ${hidden}`);
    for (const key of ['10.0.0.0/8:tcp/80', '172.18.0.1:tcp/81', '172.18.0.2:tcp/80', '# nobody']) {
      expect(publishedTo(key)).toMatch(`ingress denies: ${hidden}`);
      expect(publishedTo(key, { mode: 'audit' })).toMatch(`ingress records: ${hidden}`);
      expect(publishedTo(key, { state: 'failed' })).toMatch(`ingress unknown: ${hidden}`);
    }
    expect(ask('172.18.0.9', 'tcp/80', viewOf(KEYS), { bridges }).passes).toBe(false);
  });

  it('of itself to a port whose network is not known may come from anywhere on this host', () => {
    const outcomes = (source: string) => ask(source, 'tcp/80').ways.map(({ gates }) => gates.at(-1)?.outcome);
    expect(outcomes('127.0.0.1')).toEqual(['denies', 'unknown']);
  });

  it("to a container in the host's own network is not denied by anything", () => {
    const host = { ...HOST, containers: [container('hosted', { network: { kind: 'host' }, networks: [] })] };
    expect(() =>
      explainIn({ container: 'hosted', source: '10.1.2.3', traffic: 'tcp/80' }, host, NOTHING),
    ).toThrow(
      "hosted runs in the host's own network (--network host), where no rules are loaded: whoever reaches tcp/80 of this host reaches it",
    );
  });

  it('to another container meets no such gate', () => {
    expect(lastGates('10.1.2.3', 'tcp/80', viewOf(KEYS, { ids: ['api'] }))[0]).not.toMatch(/^ingress/);
  });
});

describe('denied calls', () => {
  const call = { source: '192.0.2.1', protocol: 'tcp', port: 80, packets: 1, firstSeenAt: 0, lastSeenAt: 0 };
  const ofIngress = { ...call, gate: 'ingress', address: '-', container: 'web' } as const;
  const other = { ...ofIngress, container: 'api' };
  const report = { calls: [ofIngress, other], packets: 2, unlisted: 0, isFull: false, covers: 0 };

  it('are of one container by its name', () => {
    expect(deniedInAnswer('web', HOST, report, [viewOf(KEYS)]).calls).toEqual([ofIngress]);
    expect(deniedInAnswer(undefined, HOST, report, [viewOf(KEYS)]).calls).toHaveLength(2);
  });

  it('are those of its namespace where a container shares one', () => {
    const side = container('side', { network: { kind: 'container', owner: 'web' }, networks: [] });
    const host = { ...HOST, containers: [WEB, side] };
    const views = [viewOf(KEYS, { ids: ['web', 'side'] })];
    expect(deniedInAnswer('side', host, report, views).calls).toEqual([ofIngress]);
  });

  it('are an error for a container that denies none, and without a controller where none is known', () => {
    const job = container('job', { networks: [] });
    const host = { ...HOST, containers: [WEB, job] };
    expect(() => deniedInAnswer('job', host, report, [viewOf(KEYS)])).toThrow(
      'job names no ingress keys, so no call to it is denied; those that do: web',
    );
    expect(() => deniedInAnswer(undefined, { ...HOST, unknown: 'nobody answers' }, report, [])).toThrow(
      'no container names ingress keys (EGRESSTRATOR_INGRESS), and nobody answers',
    );
  });

  it('are an error where nothing denies any', () => {
    expect(() => deniedInAnswer(undefined, HOST, report, [])).toThrow('no container names ingress keys');
  });
});
