/**
 * Another feature is a folder, not a change: one that loads a marker of its own into each namespace and the host, held
 * beside egress by the same reconciler and the same driver.
 */
import { createHash } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import type { Planned } from '../../src/common/plan.ts';
import { Egress } from '../../src/features/egress/egress.ts';
import { loadTemplate } from '../../src/features/egress/included-templates.ts';
import type { Feature } from '../../src/features/feature.ts';
import { ALL_FRESH } from '../../src/inventory/ages.ts';
import type { Container } from '../../src/inventory/container.ts';
import type { Inventory } from '../../src/inventory/inventory.ts';
import { HOST, type NetworkNamespace, namespacesOf } from '../../src/inventory/namespace.ts';
import { type Loaded, NOTHING_LOADED, type Ruleset } from '../../src/inventory/ruleset.ts';
import { LoadRecords } from '../../src/reconciler/load-records.ts';
import { Reconciler } from '../../src/reconciler/reconciler.ts';
import {
  RulesetDriver,
  type RulesetLoader,
  type RulesetSource,
} from '../../src/reconciler/ruleset-driver.ts';
import { byId, container } from '../support/containers.ts';
import { FakeLog } from '../support/fakes.ts';

/** A whole feature: what it desires of each namespace, and how that is rendered. */
class Marker implements Feature<NetworkNamespace>, RulesetSource<NetworkNamespace> {
  readonly name = 'marker';
  readonly owner = 'marker';

  plan({ namespaces }: Inventory) {
    return new Map(
      [...namespaces].map(([id, desired]): [string, Planned<NetworkNamespace>] => [
        id,
        { kind: 'apply', desired },
      ]),
    );
  }

  isSame = (one: NetworkNamespace, other: NetworkNamespace): boolean => one.id === other.id;
  namespaceOf = (desired: NetworkNamespace): NetworkNamespace => desired;
  describe = (): object => ({});

  async render({ kind, id }: NetworkNamespace): Promise<{ ruleset: Ruleset }> {
    const fingerprint = createHash('sha256').update(id).digest('hex').slice(0, 32);
    const text = `table inet egresstrator_marker { comment "egresstrator v1 ${fingerprint}"; } # ${kind}`;
    return { ruleset: { owner: this.owner, text, fingerprint } };
  }
}

/** Kernels with tables by owner. */
class Kernels implements RulesetLoader {
  readonly tables = new Map<string, Ruleset>();

  async load(namespace: NetworkNamespace, ruleset: Ruleset): Promise<Loaded> {
    this.tables.set(`${namespace.id} ${ruleset.owner}`, ruleset);
    return this.inspect(namespace, ruleset.owner);
  }

  async inspect({ id }: NetworkNamespace, owner: string): Promise<Loaded> {
    const found = this.tables.get(`${id} ${owner}`);
    if (found === undefined) return NOTHING_LOADED;
    const facts = /define facts = (0x[0-9a-f]+)/.exec(found.text)?.[1];
    return { fingerprint: found.fingerprint, facts, digest: `digest of ${found.text}` };
  }

  async clear({ id }: NetworkNamespace, owner: string): Promise<void> {
    this.tables.delete(`${id} ${owner}`);
  }
}

const inventoryOf = (...containers: readonly Container[]): Inventory => ({
  ...{ containers: byId(...containers), isComplete: true, namespaces: namespacesOf(byId(...containers)) },
  networks: undefined,
  consul: {
    rules: new Map([['db', '10.0.0.1:tcp/80']]),
    ...{ services: new Map(), ages: ALL_FRESH, awaited: { rules: false, services: new Set() } },
  },
});

const NO_RESOLVERS = {
  resolvers: async () => [],
  resolversFromFile: async () => [],
  configuredResolvers: () => [],
};

function openEgress(): Egress {
  const retry = { first: 5, most: 5 };
  const facts = { source: NO_RESOLVERS, retry, random: () => 0.5, onChange: () => {} };
  const overrides = { previous: undefined, persist: () => {}, now: Date.now };
  const template = loadTemplate('nftables');
  return new Egress({
    template,
    protectedHosts: [],
    mode: 'enforce',
    grace: 20,
    prepare: [],
    facts,
    overrides,
  });
}

function begin(driftInterval = 3_600_000) {
  const kernels = new Kernels();
  const [egress, marker] = [openEgress(), new Marker()];
  const reconciler = new Reconciler({
    ...{ concurrency: 4, retry: { first: 5, most: 20 }, driftInterval, random: () => 0.5, now: Date.now },
    onDefect: () => {},
  });
  onTestFinished(() => reconciler.close());
  const context = () => ({
    loader: kernels,
    records: new LoadRecords(undefined, () => {}),
    log: new FakeLog(),
  });
  const egressRules = reconciler.add(new RulesetDriver(egress.rules, context()));
  const markers = reconciler.add(new RulesetDriver(marker, context()));
  const sync = async (inventory: Inventory) => {
    const exists = (id: string) => inventory.namespaces.has(id);
    egress.references(inventory);
    egressRules.sync(egress.plan(inventory), exists);
    markers.sync(marker.plan(inventory), exists);
    await reconciler.idle();
  };
  const held = (id: string) =>
    [...kernels.tables.keys()]
      .toSorted()
      .flatMap((key) => (key.startsWith(`${id} `) ? key.split(' ')[1] : []));
  return { kernels, sync, held };
}

const web = container('web');
const plain = container('plain', { environment: [] });
const [WEB, PLAIN] = ['web@2026-01-01T00:00:00Z', 'plain@2026-01-01T00:00:00Z'];

test('each feature has its own tables in the namespaces that it plans, the host among them', async () => {
  const { sync, held } = begin();
  await sync(inventoryOf(web, plain));
  expect([held(WEB), held(PLAIN), held(HOST)]).toEqual([['egress', 'marker'], ['marker'], ['marker']]);
});

test('one feature lets go of a namespace, and the other stays', async () => {
  const { sync, held } = begin();
  await sync(inventoryOf(web));
  await sync(inventoryOf({ ...web, environment: [] }));
  expect(held(WEB)).toEqual(['marker']);
});

test('what somebody altered of either is mended', async () => {
  const { sync, kernels, held } = begin(20);
  await sync(inventoryOf(web));
  kernels.tables.clear();
  await expect.poll(() => [held(WEB), held(HOST)]).toEqual([['egress', 'marker'], ['marker']]);
});
