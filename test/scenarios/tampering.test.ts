/**
 * After any change in a kernel, and a restart of the controller at any time, the right rules are loaded again. The
 * change is reported if the controller knows the state before it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Gate } from '../../src/features/egress/gate.ts';
import type { Loads } from '../../src/reconciler/load-records.ts';
import { container } from '../support/containers.ts';
import { type FakeSetup, startFake } from '../support/fake-controller.ts';
import { FakeConsul, FakeEngine, FakeKernel } from '../support/fakes.ts';

const web = container('web');
const PLACE = `${web.id}@${web.startedAt}`;
const HOLE = '\n# accept everything';

interface Fakes {
  readonly consul: FakeConsul;
  readonly engine: FakeEngine;
  readonly kernel: FakeKernel;
}

function fakesWith(rules: string): Fakes {
  const fakes = { consul: new FakeConsul(), engine: new FakeEngine(), kernel: new FakeKernel() };
  fakes.consul.put({ db: rules });
  fakes.engine.run(web);
  return fakes;
}

async function run(fakes: Fakes, previousLoads?: Loads, gate?: Gate): Promise<FakeSetup> {
  const setup = startFake({ ...fakes, ...(previousLoads && { previousLoads }), ...(gate && { gate }) });
  await setup.rest();
  return setup;
}

const textIn = ({ kernel }: Fakes): string => kernel.texts.get(PLACE) ?? '';
const alter = ({ kernel }: Fakes, text: string): void => void kernel.texts.set(PLACE, text);

/** Loads rules, ends the controller, and returns what it kept. */
async function load(fakes: Fakes): Promise<Loads> {
  const setup = await run(fakes);
  await setup.controller.close();
  return setup.persistedLoads.current;
}

describe('rules that were altered while no controller ran', () => {
  test('are put right and reported, with a memory of them', async () => {
    const fakes = fakesWith('10.0.0.1:tcp/80');
    const kept = await load(fakes);
    const text = textIn(fakes);
    alter(fakes, text + HOLE);
    const { log, drifts } = await run(fakes, kept);
    expect(textIn(fakes)).toBe(text);
    expect(drifts).toEqual(['web']);
    expect(log.messages('warn')).toContain('rules in the kernel were changed');
  });

  test('are put right and reported if they were removed', async () => {
    const fakes = fakesWith('10.0.0.1:tcp/80');
    const kept = await load(fakes);
    const text = textIn(fakes);
    fakes.kernel.texts.clear();
    const { drifts } = await run(fakes, kept);
    expect([textIn(fakes), drifts]).toEqual([text, ['web']]);
  });

  test('are put right without a memory: nobody believes what is there', async () => {
    const fakes = fakesWith('10.0.0.1:tcp/80');
    await load(fakes);
    const text = textIn(fakes);
    alter(fakes, text + HOLE);
    const { drifts, persistedLoads } = await run(fakes);
    expect([textIn(fakes), drifts]).toEqual([text, []]);
    expect(persistedLoads.current.get(PLACE)?.digest).toBe(`digest of ${text}`);
  });

  test('stay only as long as nothing is known of what they should be', async () => {
    const fakes = fakesWith('10.0.0.1:tcp/80');
    await load(fakes);
    const text = textIn(fakes);
    alter(fakes, text + HOLE);
    const consul = new FakeConsul();
    const setup = await run({ ...fakes, consul });
    expect(textIn(fakes)).toBe(text + HOLE);
    expect(setup.persistedLoads.current.size).toBe(0);
    consul.put({ db: '10.0.0.1:tcp/80' });
    await setup.rest();
    expect(textIn(fakes)).toBe(text);
  });
});

describe('no alteration is', () => {
  test('what was not altered: nothing is loaded, with a memory of it', async () => {
    const fakes = fakesWith('10.0.0.1:tcp/80');
    const kept = await load(fakes);
    fakes.kernel.loads.length = 0;
    const { drifts } = await run(fakes, kept);
    expect([fakes.kernel.loads, drifts]).toEqual([[], []]);
  });

  test('a last load that was not kept before a crash: it is loaded anew', async () => {
    const fakes = fakesWith('10.0.0.1:tcp/80');
    const kept = await load(fakes);
    fakes.consul.put({ db: '10.0.0.2:tcp/80' });
    await load(fakes);
    alter(fakes, textIn(fakes) + HOLE);
    const { drifts } = await run(fakes, kept);
    expect(drifts).toEqual([]);
    expect(textIn(fakes)).not.toContain(HOLE);
    expect(fakes.kernel.allowed(web)).toEqual(['10.0.0.2 . tcp . 80']);
  });

  test('a namespace that was attached elsewhere meanwhile', async () => {
    const fakes = fakesWith('10.0.0.1:tcp/80');
    const kept = await load(fakes);
    alter(fakes, `${textIn(fakes)}\n# another device`);
    fakes.engine.run({ ...web, attachments: ['net:endpoint', 'other:endpoint'] });
    const { drifts } = await run(fakes, kept);
    expect(drifts).toEqual([]);
    expect(textIn(fakes)).not.toContain('another device');
  });
});

test('what the gate has loaded is loaded once anew, when there is time: nobody saw it right then', async () => {
  const fakes = fakesWith('10.0.0.1:tcp/80');
  await load(fakes);
  const text = textIn(fakes);
  fakes.engine.stop('web');
  const fingerprint = /egresstrator v1 ([0-9a-f]+)/.exec(text)?.[1] ?? '';
  const gate: Gate = {
    prepare: () => {},
    loadedAtStart: async () => ({ fingerprint, resolvers: ['192.0.2.53'] }),
  };
  const setup = startFake({ ...fakes, gate, driftInterval: 100 });
  await setup.rest();
  fakes.kernel.loads.length = 0;
  alter(fakes, text.replace(/facts = 0x[0-9a-f]+/, 'facts = 0x00000001') + HOLE);
  fakes.engine.run(web);
  for (let turn = 0; turn < 40 && textIn(fakes).includes(HOLE); turn += 1) await setup.rest();
  expect(textIn(fakes)).toBe(text);
  for (let turn = 0; turn < 6; turn += 1) await setup.rest();
  expect(fakes.kernel.loads).toEqual(['web']);
});

test('what is kept is forgotten with the container', async () => {
  const fakes = fakesWith('10.0.0.1:tcp/80');
  const setup = await run(
    fakes,
    new Map([['gone@0', { ...(await load(fakesWith('x'))).get(PLACE), ...OLD }]]),
  );
  expect([...setup.persistedLoads.current.keys()]).toEqual([PLACE]);
  fakes.engine.stop('web');
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
      const fakes = fakesWith('10.0.0.1:tcp/1');
      let setup = startFake({ ...fakes, driftInterval: 20 });
      await setup.rest();
      let port = 1;
      for (const step of sequence) {
        if (step.kind === 'edit') {
          port = step.port;
          fakes.consul.put({ db: `10.0.0.1:tcp/${port}` });
          await setup.rest();
        } else if (step.kind === 'verify') await setup.rest();
        else if (step.kind === 'restart') setup = await startAnew(fakes, setup, step.keeps);
        else setup = await alterBetween(fakes, setup, step.how);
      }
      for (let turn = 0; turn < 3; turn += 1) await setup.rest();
      expect(textIn(fakes)).not.toContain(HOLE);
      expect(fakes.kernel.allowed(web)).toEqual([`10.0.0.1 . tcp . ${port}`]);
      await setup.controller.close();
    }),
    { numRuns: 15 },
  );
}, 120_000);

async function startAnew(fakes: Fakes, setup: FakeSetup, keeps: boolean): Promise<FakeSetup> {
  await setup.controller.close();
  const previousLoads = keeps ? setup.persistedLoads.current : undefined;
  const next = startFake({ ...fakes, driftInterval: 20, ...(previousLoads && { previousLoads }) });
  await next.rest();
  return next;
}

/** While no controller runs; the next one remembers what there was, and must tell of it. */
async function alterBetween(fakes: Fakes, setup: FakeSetup, how: string): Promise<FakeSetup> {
  await setup.controller.close();
  const before = textIn(fakes);
  const altered = ALTERATIONS[how]?.(before) ?? '';
  if (altered === '') fakes.kernel.texts.clear();
  else alter(fakes, altered);
  const previousLoads = setup.persistedLoads.current;
  const isKnown = previousLoads.get(PLACE)?.digest === `digest of ${before}`;
  const next = startFake({ ...fakes, driftInterval: 20, previousLoads });
  await next.rest();
  if (isKnown && how !== 'replace') expect(next.drifts).toEqual(['web']);
  return next;
}
