/** What diff predicts of an ingress key is what the feature then lets in: the same for shared networks and local callers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ingressSnapshot } from '../../../src/diagnostics/ingress-snapshot.ts';
import { Ingress } from '../../../src/features/ingress/ingress.ts';
import { ingressNamespaces } from '../../../src/features/ingress/namespaces.ts';
import { loadIngressTemplate } from '../../../src/features/ingress/render.ts';
import { ALL_FRESH } from '../../../src/inventory/ages.ts';
import type { Inventory } from '../../../src/inventory/inventory.ts';
import { namespacesOf } from '../../../src/inventory/namespace.ts';
import type { Instance } from '../../../src/inventory/service.ts';
import { parseAcl } from '../../../src/policy/acl.ts';
import { parseRules } from '../../../src/policy/rule.ts';
import { canonical, type RuleSet } from '../../../src/policy/rule-set.ts';
import { byId, container } from '../../support/containers.ts';
import { prefix } from '../../support/host-claims.ts';
import { diagnosticsOf } from '../../support/snapshot.ts';
import { allows } from '../policy/rule-sets.ts';
import { to } from './fixtures.ts';

type Texts = Readonly<Record<string, string>>;
type Services = Readonly<Record<string, readonly Instance[]>>;

const NODE = 'n1';

const at = (ipv4: string, ipv6: string) => [
  { id: 'net', name: 'net', endpoint: 'e', ipv4: prefix(ipv4), ipv6: prefix(ipv6) },
];

/** `web`, and `side` in its network; `job`, which publishes a port at which services may be registered. */
const runningWith = (keys: { readonly web: string; readonly side: string; readonly job: string }) => {
  const naming = (list: string) => ({ environment: [`EGRESSTRATOR_INGRESS=${list}`] });
  const port = { host: prefix('0.0.0.0/0'), hostPort: 9090, protocol: 'tcp', containerPort: 80 } as const;
  return byId(
    container('web', { ...naming(keys.web), networks: at('172.18.0.2', 'fd00::2') }),
    container('side', { ...naming(keys.side), network: { kind: 'container', owner: 'web' }, networks: [] }),
    container('job', { ...naming(keys.job), networks: at('172.18.0.3', 'fd00::3'), ports: [port] }),
  );
};

/** What the feature desires of each container. */
function loaded(
  containers: Inventory['containers'],
  texts: Texts,
  services: Services,
): ReadonlyMap<string, RuleSet> {
  const feature = new Ingress({ template: loadIngressTemplate(), mode: 'enforce', grace: 0, node: NODE });
  const inventory: Inventory = {
    ...{ containers, isComplete: true, namespaces: namespacesOf(containers), networks: undefined },
    consul: {
      ...{ rules: new Map(), ingress: new Map(Object.entries(texts)), ages: ALL_FRESH },
      services: new Map(Object.entries(services)),
      awaited: { rules: false, services: new Set() },
    },
  };
  feature.references(inventory);
  const plans = [...feature.plan(inventory).values()];
  return new Map(
    plans.flatMap((one) =>
      one.kind === 'apply'
        ? one.desired.namespace.members.map((member) => [
            member.container.name,
            one.desired.rules.policy.ruleSet,
          ])
        : [],
    ),
  );
}

function predict(containers: Inventory['containers'], texts: Texts, services: Services, text: string) {
  const acl = parseAcl(new Map(Object.entries(texts)), new Map(), 'ingress');
  const { namespaces } = ingressNamespaces(namespacesOf(containers), 'enforce');
  const ingress = ingressSnapshot(acl, namespaces, { node: NODE, containers });
  return diagnosticsOf(() => ({ services, ingress })).diff({ key: 'a', text, direction: 'ingress' });
}

const SOURCES = ['10.0.0.1', '10.0.0.2', '192.0.2.44', '172.18.0.2', '172.18.0.3', 'fd00::3', '2001:db8::1'];
const CALLS = SOURCES.flatMap((source) => [
  ...[80, 81].flatMap((port) => [to(source, 'tcp', port), to(source, 'udp', port)]),
  ...[8, 128].map((type) => to(source, 'icmp', type)),
]);

const line = fc.oneof(
  fc.constantFrom('pg:tcp/80', 'some.pg:tcp/80-81', 'pg:udp', 'dns:icmp/8', 'dns:icmpv6/128', 'pg:icmp'),
  fc.constantFrom('10.0.0.0/30:tcp/80', '10.0.0.1:tcp', '0.0.0.0/0:udp/81', '[fd00::]/8:tcp/80', 'no rule'),
);
const text = fc.array(line, { maxLength: 4 }).map((lines) => lines.join('\n'));
const anywhere = fc.record({
  address: fc.constantFrom('10.0.0.1', '192.0.2.44', '2001:db8::1', 'not-an-address'),
  port: fc.constantFrom(0, 80, 9090),
  tags: fc.subarray(['some']),
  node: fc.constantFrom(NODE, 'n2'),
});
/** A registration at the published port of `job`. */
const here = fc.constant({ address: '192.0.2.44', port: 9090, tags: ['some'], node: NODE });
const instance = fc.oneof(anywhere, here);
const instances = fc.array(instance, { maxLength: 3 });
const keys = fc.subarray(['a', 'b', 'gone']).map((all) => all.join(','));

test('diff of an ingress key predicts what is loaded then', async () => {
  let changes = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record({ web: keys, side: keys, job: keys }).map(runningWith),
      fc.record({ a: text, b: text }),
      text,
      fc.record({ pg: instances, dns: instances }),
      async (containers, texts, proposed, services) => {
        const answer = await predict(containers, texts, services, proposed);
        const before = loaded(containers, texts, services);
        const after = loaded(containers, { ...texts, a: proposed }, services);
        for (const [name, is] of after) {
          const change = answer.changes.find(({ workloads }) => workloads.includes(name));
          const [gained, lost] = [change?.gained, change?.lost].map((rules = []) =>
            canonical(parseRules('', rules.map(({ rule }) => rule).join('\n')).rules.flatMap(entryOf)),
          );
          for (const { host, protocol, port } of CALLS) {
            const [was, stays, plus, minus] = [before.get(name), is, gained, lost].map(
              (one) => one !== undefined && allows(one, host, protocol, port),
            );
            expect({ name, plus, minus }).toEqual({ name, plus: !was && stays, minus: was && !stays });
            if (was !== stays) changes += 1;
          }
        }
      },
    ),
    { numRuns: 300 },
  );
  expect(changes).toBeGreaterThan(100);
});

const entryOf = ({ rule }: ReturnType<typeof parseRules>['rules'][number]) =>
  rule.kind === 'address' ? [rule] : [];
