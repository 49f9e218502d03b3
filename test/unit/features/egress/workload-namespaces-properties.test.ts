/**
 * Random histories of containers that start, end, restart and join one another, beside a model that knows the
 * namespace of each, as a kernel would. Whatever happened, no workload is both without rules and unreported, and
 * what two workloads share is loaded for both.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planNamespaces } from '../../../../src/features/egress/workload-namespaces.ts';
import type { Container, NetworkMode } from '../../../../src/inventory/container.ts';
import { container } from '../../../support/containers.ts';

type Home = 'bridge' | 'none' | 'host' | number;
type Step = readonly [what: 'start' | 'stop', which: number];

const COUNT = 7;
const names = Array.from({ length: COUNT }, (_, index) => `c${index}`);

interface Seen {
  /** As the Engine tells them, the running ones alone. */
  readonly containers: ReadonlyMap<string, Container>;
  /** The namespaces by their numbers; 0 is the host's. */
  readonly inside: ReadonlyMap<string, number>;
}

/** A container that joins another starts only while that one runs, as with the Engine. */
function happen(homes: readonly Home[], workloads: readonly boolean[], steps: readonly Step[]): Seen {
  const containers = new Map<string, Container>();
  const inside = new Map<string, number>();
  steps.forEach(([what, which], moment) => {
    const [name = '', home = 'none'] = [names[which], homes[which]];
    containers.delete(name);
    inside.delete(name);
    if (what === 'stop') return;
    const joined = typeof home === 'number' ? inside.get(names[home] ?? '') : undefined;
    if (typeof home === 'number' && joined === undefined) return;
    inside.set(name, joined ?? (home === 'host' ? 0 : moment + 1));
    const traits = { startedAt: new Date(moment * 1000).toISOString(), network: modeOf(which, homes) };
    const asks = ['EGRESSTRATOR_ENABLE=1', `EGRESSTRATOR_ACL=${name}`];
    containers.set(name, container(name, { ...traits, environment: workloads[which] ? asks : [] }));
  });
  return { containers, inside };
}

function modeOf(which: number, homes: readonly Home[]): NetworkMode {
  const home = homes[which];
  if (typeof home !== 'number') return { kind: home === 'host' ? 'host' : 'own' };
  let root = home;
  for (let next = homes[root]; typeof next === 'number'; next = homes[root]) root = next;
  if (homes[root] === 'host') return { kind: 'host' };
  return { kind: 'container', owner: names[home] ?? '', root: names[root] };
}

/** Each may join one of a lower number: the Engine lets nobody join what was made later. */
const homes = fc.tuple(
  ...names.map((_, index) => {
    const own = fc.constantFrom<Home>('bridge', 'none', 'host');
    return index === 0 ? own : fc.oneof(own, fc.nat(index - 1), fc.nat(index - 1));
  }),
);
const histories = fc.record({
  homes,
  workloads: fc.array(fc.boolean(), { minLength: COUNT, maxLength: COUNT }),
  steps: fc.array(fc.tuple(fc.constantFrom('start', 'start', 'start', 'stop'), fc.nat(COUNT - 1)), {
    minLength: 5,
    maxLength: 30,
  }),
});

test('every workload that runs is in a namespace with rules for it, or reported, and never both', () => {
  fc.assert(
    fc.property(histories, ({ homes, workloads, steps }) => {
      const { containers, inside } = happen(homes, workloads, steps);
      const { namespaces, unsupported } = planNamespaces(containers);
      for (const [index, name] of names.entries()) {
        const place = inside.get(name);
        if (place === undefined || !workloads[index]) continue;
        const reported = unsupported.filter((one) => one.container.id === name);
        const planned = namespaces.filter(({ target }) => inside.get(target.id) === place);
        expect([reported.length, planned.length > 0]).toEqual(place === 0 ? [1, false] : [0, true]);
        for (const { grants } of planned) expect(grants).toContain(name);
      }
    }),
    { numRuns: 5_000 },
  );
});

test('all that is loaded in one namespace is loaded for the same workloads, however it is entered', () => {
  fc.assert(
    fc.property(histories, ({ homes, workloads, steps }) => {
      const { containers, inside } = happen(homes, workloads, steps);
      const grants = new Map<number, string>();
      for (const { target, grants: asked } of planNamespaces(containers).namespaces) {
        const place = inside.get(target.id) ?? 0;
        expect(asked.join()).toBe(grants.get(place) ?? asked.join());
        grants.set(place, asked.join());
      }
    }),
    { numRuns: 5_000 },
  );
});
