/** Policies of names stay the same objects as long as nothing changes that they are made of. */
import { expect, test } from 'vitest';
import { NamePolicies } from '../../../src/daemon/name-policies.ts';
import type { Inventory } from '../../../src/inventory/inventory.ts';
import { type Prefix, parsePrefix } from '../../../src/net/address.ts';
import { parseAcl } from '../../../src/policy/acl.ts';
import { compile } from '../../../src/policy/compile.ts';
import { byId, container } from '../../support/containers.ts';
import { address, dotted } from '../features/names/names.ts';

const setup = () => {
  const own: Prefix[] = [address('198.51.100.1')];
  const policies = new NamePolicies({
    ...{ grace: 60, answer: 'nxdomain', protectedHosts: [], consul: [], ownAddresses: () => own },
  });
  const instance = { address: '10.0.0.9', port: 80, tags: [], node: 'n1' };
  const services = new Map([['pg', [instance]]]);
  const web = container('web');
  const namespace = { id: 'web@0', mode: 'enforce' as const, target: web, grants: ['db'] };
  const policy = (text: string, others: readonly string[] = [], subnets: readonly string[] = []) => {
    const acl = parseAcl(new Map([['db', text]]));
    const compiled = compile(['db'], acl, services, []);
    const consul: Inventory['consul'] = {
      ...{ rules: undefined, services, ages: { rules: 'fresh', services: new Map() } },
      awaited: { rules: false, services: new Set() },
    };
    const networks = new Map(
      subnets.map((subnet) => {
        const parsed = parsePrefix(subnet);
        if ('reason' in parsed) throw new Error(parsed.reason);
        const one = { id: subnet, name: subnet, driver: 'bridge', isInternal: false, bridge: undefined };
        return [subnet, { ...one, options: {}, subnets: [{ prefix: parsed.prefix, gateway: undefined }] }];
      }),
    );
    const containers = byId(web, ...others.map((name) => container(name)));
    return policies.under({ containers, networks, consul }, acl)(namespace, compiled);
  };
  return { own, policy, namespace };
};

const RULES = 'api.example.com:tcp/443\npg';

test('a policy has the options, the rules, the containers and the services', () => {
  const { policy } = setup();
  const found = policy(RULES, ['db1']);
  expect(found).toMatchObject({ grace: 60, answer: 'nxdomain', mode: 'enforce' });
  expect(found.index.rules).toHaveLength(1);
  const resolvers = ['db1', 'web.net', 'pg.service.consul', 'n1.node.consul', 'api.example.com'];
  expect(resolvers.map((name) => found.localResolver(dotted(name)))).toEqual([
    ...['docker', 'docker', 'consul', 'consul', undefined],
  ]);
});

test('containers that come and go, and edits of other lines, make no new policy', () => {
  const { policy } = setup();
  const first = policy(RULES);
  expect(first.localResolver(['late'])).toBeUndefined();
  expect(policy(`${RULES}\n10.0.0.1:tcp/1`, ['late'])).toBe(first);
  expect(first.localResolver(['late'])).toBe('docker');
  policy(RULES);
  expect(first.localResolver(['late'])).toBeUndefined();
});

test('other names, another address of the host and another network do', () => {
  const { policy, own } = setup();
  const first = policy(RULES);
  const more = policy(`${RULES}\nwww.example.com:tcp/443`);
  expect(more).not.toBe(first);
  own.push(address('198.51.100.2'));
  const moved = policy(RULES);
  expect(moved.never.meaningOf(address('198.51.100.2'))).toBe('an address of this host');
  const bridged = policy(RULES, [], ['172.30.0.0/16']);
  expect(bridged.never.meaningOf(address('172.30.0.1'))).toBe('the gateway of the network 172.30.0.0/16');
  expect(policy(RULES, [], ['172.30.0.0/16'])).toBe(bridged);
});
