/** What is wrong with ingress keys, told apart from ACL keys of the same name. */
import { describe, expect, it } from 'vitest';
import { formatAnnotations } from '../../../src/cli/format/annotations.ts';
import { formatFindings } from '../../../src/cli/format/lint.ts';
import { sarifOf } from '../../../src/cli/format/sarif.ts';
import { lintIngress } from '../../../src/diagnostics/lint-ingress.ts';
import { parseAcl } from '../../../src/policy/acl.ts';
import { container } from '../../support/containers.ts';
import { prefix } from '../../support/host-claims.ts';
import { diagnosticsOf } from '../../support/snapshot.ts';

const KEYS = {
  web: '0.0.0.0/0:tcp\nprometheus\n10.0.0.0/8:tcp/80\n10.1.0.0/16:tcp/80',
  metrics: 'prometheus:tcp/9100',
};
const acl = parseAcl(new Map(Object.entries(KEYS)), new Map(), 'ingress');
const workloads = [{ name: 'app', grants: ['web', 'gone'] }];
const catalog = new Map([['prometheus', []]]);

const found = () => lintIngress({ acl, workloads, containers: [] }, { catalog, failures: new Map() });
const placed = found().map(({ direction, code, key, line }) => `${direction} ${code} ${key} ${line ?? '-'}`);

describe('lint of ingress keys', () => {
  it('finds what lint of ACL keys finds', () => {
    expect(placed.toSorted()).toEqual([
      'ingress bad-line web 2',
      'ingress broad web 1',
      'ingress missing-key gone -',
      'ingress service metrics 1',
      'ingress shadowed web 3',
      'ingress shadowed web 4',
      'ingress unused-key metrics -',
    ]);
    expect(found().map(({ reason, remedy }) => `${reason}; ${remedy}`)).toEqual(
      expect.arrayContaining([
        'it allows tcp from any address on all ports; name the services or the networks that are needed',
        'app asks for this key, but Consul does not have it; add it to Consul, or remove it from EGRESSTRATOR_INGRESS',
      ]),
    );
  });

  it('names them so that no ACL key is meant', () => {
    const [one] = found().filter(({ code }) => code === 'broad');
    const findings = one === undefined ? [] : [one];
    expect(formatFindings(findings, [], (_, text) => text)).toMatch(/^ingress web:1: warning/);
    expect(formatAnnotations(findings, false)).toContain('ingress web line 1');
    const folders = { kvPath: 'egress/acl/', ingressPath: 'ingress/acl/' };
    expect(JSON.stringify(sarifOf(findings, folders, '1'))).toContain('"uri":"ingress/acl/web"');
  });

  it('tells of callers by IPv6 that only the proxy can carry', () => {
    const port = { protocol: 'tcp', containerPort: 80, hostPort: 8080 } as const;
    const ports = [
      { ...port, host: prefix('0.0.0.0/0') },
      { ...port, host: prefix('::/0') },
    ];
    const app = container('app', { ports });
    const codesOf = (one: typeof app) =>
      lintIngress({ acl: new Map(), workloads: [], containers: [one] }, { catalog, failures: undefined }).map(
        ({ code, container: name }) => `${code} ${name}`,
      );
    expect(codesOf(app)).toEqual(['hidden-caller app']);
    expect(codesOf({ ...app, ports: ports.slice(0, 1) })).toEqual([]);
    const networks = app.networks.map((one) => ({ ...one, ipv6: prefix('2001:db8::2') }));
    expect(codesOf({ ...app, networks })).toEqual([]);
  });
});

describe('questions about ingress keys', () => {
  const diagnostics = diagnosticsOf(() => ({
    keys: { web: '10.0.0.1:tcp/80' },
    services: { prometheus: [{ address: '198.51.100.9', port: 0, tags: [], node: 'n1' }] },
    ingress: { acl, workloads, containers: [] },
  }));

  it('lint: all, those of one key, or of one direction', async () => {
    const keysOf = async (question: Parameters<typeof diagnostics.lint>[0]) =>
      new Set(
        (await diagnostics.lint(question)).findings.map(
          ({ direction = 'egress', key }) => `${direction} ${key}`,
        ),
      );
    expect(await keysOf({ direction: 'ingress', key: 'web' })).toEqual(new Set(['ingress web']));
    expect(await keysOf({ key: 'web' })).not.toContain('ingress web');
    expect(await keysOf({})).toContain('ingress gone');
    await expect(keysOf({ direction: 'ingress', key: 'db' })).rejects.toThrow(
      'Consul has no ingress key "db"',
    );
  });

  it('diff: who gains and loses what by a new text', async () => {
    const text = 'prometheus:tcp/9100\n10.0.0.0/8:tcp/80\n0.0.0.0/0:tcp';
    const { changes, problems } = await diagnostics.diff({ key: 'web', text, direction: 'ingress' });
    expect(problems).toEqual([]);
    expect(changes).toEqual([]);
    const narrower = await diagnostics.diff({
      ...{ key: 'web', text: 'prometheus:tcp/9100\n0.0.0.0/0:tcp/1-79', direction: 'ingress' },
    });
    expect(narrower.changes).toMatchObject([{ workloads: ['app'], gained: [] }]);
    expect(narrower.changes[0]?.lost.map(({ rule }) => rule).join()).toContain('tcp/');
  });
});
