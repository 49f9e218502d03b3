/** A feature without kernel tables: networks with members that are created, joined, left and removed by steps. */
import { expect, onTestFinished, test } from 'vitest';
import type { Planned } from '../../../src/common/plan.ts';
import { Reconciler } from '../../../src/reconciler/reconciler.ts';
import { type Step, type SteppedFeature, steppedDriver } from '../../../src/reconciler/steps.ts';

interface Arguments {
  readonly create: { readonly network: string };
  readonly join: { readonly network: string; readonly member: string };
  readonly leave: { readonly network: string; readonly member: string };
  readonly remove: { readonly network: string };
}
interface Network {
  readonly name: string;
  readonly members: readonly string[];
}

class Networks implements SteppedFeature<Network, Network | undefined, Arguments> {
  readonly feature = 'networks';
  readonly there = new Map<string, Set<string>>();
  readonly taken: string[] = [];
  isBroken = false;

  isSame = (one: Network, other: Network): boolean => JSON.stringify(one) === JSON.stringify(other);

  async inspect(name: string): Promise<Network | undefined> {
    const members = this.there.get(name);
    return members && { name, members: [...members] };
  }

  steps(desired: Network | undefined, observed: Network | undefined): readonly Step<Arguments>[] {
    const { name: network = '' } = desired ?? observed ?? {};
    const [wanted, found] = [new Set(desired?.members), new Set(observed?.members)];
    const step = (action: 'join' | 'leave') => (member: string) => ({ action, with: { network, member } });
    return [
      ...[...found.difference(wanted)].map(step('leave')),
      ...(observed !== undefined && desired === undefined
        ? [{ action: 'remove', with: { network } } as const]
        : []),
      ...(observed === undefined && desired !== undefined
        ? [{ action: 'create', with: { network } } as const]
        : []),
      ...[...wanted.difference(found)].map(step('join')),
    ];
  }

  readonly table = {
    create: async ({ network }: Arguments['create']) => {
      this.taken.push(`create ${network}`);
      this.there.set(network, new Set());
    },
    join: async ({ network, member }: Arguments['join']) => {
      if (this.isBroken) throw new Error('no address is free');
      this.taken.push(`join ${network} ${member}`);
      this.there.get(network)?.add(member);
    },
    leave: async ({ network, member }: Arguments['leave']) => {
      this.taken.push(`leave ${network} ${member}`);
      this.there.get(network)?.delete(member);
    },
    remove: async ({ network }: Arguments['remove']) => {
      this.taken.push(`remove ${network}`);
      this.there.delete(network);
    },
  };
}

function begin() {
  const networks = new Networks();
  const reconciler = new Reconciler({
    ...{ concurrency: 1, retry: { first: 5, most: 5 }, driftInterval: 3_600_000 },
    ...{ random: () => 0.5, now: Date.now, onDefect: () => {} },
  });
  onTestFinished(() => reconciler.close());
  const feature = reconciler.add(steppedDriver(networks));
  const plan = async (...wanted: readonly Network[]) => {
    const planned = wanted.map((one): [string, Planned<Network>] => [
      one.name,
      { kind: 'apply', desired: one },
    ]);
    feature.sync(new Map(planned), () => true);
    await reconciler.idle();
    return networks.taken.splice(0);
  };
  return { networks, feature, plan };
}

test('takes the steps from what is there to what is desired, and none if there is nothing to do', async () => {
  const { plan } = begin();
  expect(await plan({ name: 'net', members: ['a', 'b'] })).toEqual([
    'create net',
    'join net a',
    'join net b',
  ]);
  expect(await plan({ name: 'net', members: ['a', 'b'] })).toEqual([]);
  expect(await plan({ name: 'net', members: ['b', 'c'] })).toEqual(['leave net a', 'join net c']);
  expect(await plan()).toEqual(['leave net b', 'leave net c', 'remove net']);
  expect(await plan()).toEqual([]);
});

test('plans anew after a step has failed: what is done is not done again', async () => {
  const { plan, networks, feature } = begin();
  networks.isBroken = true;
  expect(await plan({ name: 'net', members: ['a'] })).toEqual(['create net']);
  expect(feature.state('net')?.lastError?.message).toBe('no address is free');
  networks.isBroken = false;
  await expect.poll(() => networks.taken).toEqual(['join net a']);
});
