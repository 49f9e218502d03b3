/**
 * Whatever is altered in a kernel, and whenever the controller is started again: what it should hold comes back, and
 * who altered it is told of where there is a memory of what it was.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Gate } from '../../src/features/egress/gate.ts';
import type { Loads } from '../../src/reconciler/load-records.ts';
import { container } from '../support/containers.ts';
import { type FakeSetup, startFake } from '../support/fake-controller.ts';
import { FakeConsul, FakeEngine, FakeKernel } from '../support/fake-world.ts';

const web = container('web');
const PLACE = `${web.id}@${web.startedAt}`;
const HOLE = '\n# accept everything';

interface World {
  readonly consul: FakeConsul;
  readonly engine: FakeEngine;
  readonly kernel: FakeKernel;
}

function worldWith(rules: string): World {
  const world = { consul: new FakeConsul(), engine: new FakeEngine(), kernel: new FakeKernel() };
  world.consul.put({ db: rules });
  world.engine.run(web);
  return world;
}

async function run(world: World, previousLoads?: Loads, gate?: Gate): Promise<FakeSetup> {
  const setup = startFake({ ...world, ...(previousLoads && { previousLoads }), ...(gate && { gate }) });
  await setup.rest();
  return setup;
}

const textIn = ({ kernel }: World): string => kernel.texts.get(PLACE) ?? '';
const alter = ({ kernel }: World, text: string): void => void kernel.texts.set(PLACE, text);

/** Loads rules, ends the controller, and returns what it kept. */
async function load(world: World): Promise<Loads> {
  const setup = await run(world);
  await setup.controller.close();
  return setup.persistedLoads.current;
}

describe('rules that were altered while no controller ran', () => {
  test('are put right and reported, with a memory of them', async () => {
    const world = worldWith('10.0.0.1:tcp/80');
    const kept = await load(world);
    const text = textIn(world);
    alter(world, text + HOLE);
    const { log, drifts } = await run(world, kept);
    expect(textIn(world)).toBe(text);
    expect(drifts).toEqual(['web']);
    expect(log.messages('warn')).toContain('rules in the kernel were changed');
  });

  test('are put right and reported if they were removed', async () => {
    const world = worldWith('10.0.0.1:tcp/80');
    const kept = await load(world);
    const text = textIn(world);
    world.kernel.texts.clear();
    const { drifts } = await run(world, kept);
    expect([textIn(world), drifts]).toEqual([text, ['web']]);
  });

  test('are put right without a memory: nobody believes what is there', async () => {
    const world = worldWith('10.0.0.1:tcp/80');
    await load(world);
    const text = textIn(world);
    alter(world, text + HOLE);
    const { drifts, persistedLoads } = await run(world);
    expect([textIn(world), drifts]).toEqual([text, []]);
    expect(persistedLoads.current.get(PLACE)?.digest).toBe(`digest of ${text}`);
  });

  test('stay only as long as nothing is known of what they should be', async () => {
    const world = worldWith('10.0.0.1:tcp/80');
    await load(world);
    const text = textIn(world);
    alter(world, text + HOLE);
    const consul = new FakeConsul();
    const setup = await run({ ...world, consul });
    expect(textIn(world)).toBe(text + HOLE);
    expect(setup.persistedLoads.current.size).toBe(0);
    consul.put({ db: '10.0.0.1:tcp/80' });
    await setup.rest();
    expect(textIn(world)).toBe(text);
  });
});

describe('no alteration is', () => {
  test('what was not altered: nothing is loaded, with a memory of it', async () => {
    const world = worldWith('10.0.0.1:tcp/80');
    const kept = await load(world);
    world.kernel.loads.length = 0;
    const { drifts } = await run(world, kept);
    expect([world.kernel.loads, drifts]).toEqual([[], []]);
  });

  test('a last load that was not kept before a crash: it is loaded anew', async () => {
    const world = worldWith('10.0.0.1:tcp/80');
    const kept = await load(world);
    world.consul.put({ db: '10.0.0.2:tcp/80' });
    await load(world);
    alter(world, textIn(world) + HOLE);
    const { drifts } = await run(world, kept);
    expect(drifts).toEqual([]);
    expect(textIn(world)).not.toContain(HOLE);
    expect(world.kernel.allowed(web)).toEqual(['10.0.0.2 . tcp . 80']);
  });

  test('a namespace that was attached elsewhere meanwhile', async () => {
    const world = worldWith('10.0.0.1:tcp/80');
    const kept = await load(world);
    alter(world, `${textIn(world)}\n# another device`);
    world.engine.run({ ...web, attachments: ['net:endpoint', 'other:endpoint'] });
    const { drifts } = await run(world, kept);
    expect(drifts).toEqual([]);
    expect(textIn(world)).not.toContain('another device');
  });
});

test('what the gate has loaded is loaded once anew, when there is time: nobody saw it right then', async () => {
  const world = worldWith('10.0.0.1:tcp/80');
  await load(world);
  const text = textIn(world);
  world.engine.stop('web');
  const fingerprint = /egresstrator v1 ([0-9a-f]+)/.exec(text)?.[1] ?? '';
  const gate: Gate = {
    prepare: () => {},
    loadedAtStart: async () => ({ fingerprint, resolvers: ['192.0.2.53'] }),
  };
  const setup = startFake({ ...world, gate, driftInterval: 100 });
  await setup.rest();
  world.kernel.loads.length = 0;
  alter(world, text.replace(/facts = 0x[0-9a-f]+/, 'facts = 0x00000001') + HOLE);
  world.engine.run(web);
  for (let turn = 0; turn < 40 && textIn(world).includes(HOLE); turn += 1) await setup.rest();
  expect(textIn(world)).toBe(text);
  for (let turn = 0; turn < 6; turn += 1) await setup.rest();
  expect(world.kernel.loads).toEqual(['web']);
});

test('what is kept is forgotten with the container', async () => {
  const world = worldWith('10.0.0.1:tcp/80');
  const setup = await run(
    world,
    new Map([['gone@0', { ...(await load(worldWith('x'))).get(PLACE), ...OLD }]]),
  );
  expect([...setup.persistedLoads.current.keys()]).toEqual([PLACE]);
  world.engine.stop('web');
  await setup.rest();
  expect(setup.persistedLoads.current.size).toBe(0);
});

const OLD = { attachments: 'net:endpoint', fingerprint: 'f', facts: '0x1', digest: 'd' };

const steps = fc.oneof(
  fc.record({ kind: fc.constant('edit' as const), port: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant('alter' as const), how: fc.constantFrom('add', 'remove', 'replace') }),
  fc.record({ kind: fc.constant('restart' as const), keeps: fc.boolean() }),
  fc.record({ kind: fc.constant('verify' as const) }),
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** What somebody may do to rules. `replace`: they still say that they are ours, with another fingerprint. */
const ALTERATIONS: Readonly<Record<string, (text: string) => string>> = {
  add: (text) => text + HOLE,
  remove: () => '',
  replace: (text) => text.replace(/egresstrator v1 [0-9a-f]+/, 'egresstrator v1 0badc0de') + HOLE,
};

test('in any order of edits, alterations, restarts and comparisons, the right rules are there in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 8 }), async (sequence: readonly Step[]) => {
      const world = worldWith('10.0.0.1:tcp/1');
      let setup = startFake({ ...world, driftInterval: 20 });
      await setup.rest();
      let port = 1;
      for (const step of sequence) {
        if (step.kind === 'edit') {
          port = step.port;
          world.consul.put({ db: `10.0.0.1:tcp/${port}` });
          await setup.rest();
        } else if (step.kind === 'verify') await setup.rest();
        else if (step.kind === 'restart') setup = await startAnew(world, setup, step.keeps);
        else setup = await alterBetween(world, setup, step.how);
      }
      for (let turn = 0; turn < 3; turn += 1) await setup.rest();
      expect(textIn(world)).not.toContain(HOLE);
      expect(world.kernel.allowed(web)).toEqual([`10.0.0.1 . tcp . ${port}`]);
      await setup.controller.close();
    }),
    { numRuns: 15 },
  );
}, 120_000);

async function startAnew(world: World, setup: FakeSetup, keeps: boolean): Promise<FakeSetup> {
  await setup.controller.close();
  const previousLoads = keeps ? setup.persistedLoads.current : undefined;
  const next = startFake({ ...world, driftInterval: 20, ...(previousLoads && { previousLoads }) });
  await next.rest();
  return next;
}

/** While no controller runs; the next one remembers what there was, and must tell of it. */
async function alterBetween(world: World, setup: FakeSetup, how: string): Promise<FakeSetup> {
  await setup.controller.close();
  const before = textIn(world);
  const altered = ALTERATIONS[how]?.(before) ?? '';
  if (altered === '') world.kernel.texts.clear();
  else alter(world, altered);
  const previousLoads = setup.persistedLoads.current;
  const isKnown = previousLoads.get(PLACE)?.digest === `digest of ${before}`;
  const next = startFake({ ...world, driftInterval: 20, previousLoads });
  await next.rest();
  if (isKnown && how !== 'replace') expect(next.drifts).toEqual(['web']);
  return next;
}
