/** Overrides that an operator sets: they count until the container stops, even if the controller restarts. */
import { expect, test } from 'vitest';
import type { PersistedOverrides } from '../../src/features/egress/overrides.ts';
import { container } from '../support/containers.ts';
import { type FakeSetup, startFake } from '../support/fake-controller.ts';
import { FakeConsul, FakeEngine, FakeKernel } from '../support/fakes.ts';

const web = container('web');
const plain = container('plain', { environment: [] });
const RULES = { db: '10.0.0.1:tcp/80', other: '10.0.0.2:tcp/80' };
const [DB, OTHER] = ['10.0.0.1 . tcp . 80', '10.0.0.2 . tcp . 80'];

const statesOf = ({ controller }: FakeSetup) =>
  controller.answers.status().namespaces.map(({ target, state, byHand }) => [target, state, byHand?.kind]);

/** Controllers one after the other, on one host. */
function host() {
  const fakes = { engine: new FakeEngine(), kernel: new FakeKernel(), consul: new FakeConsul() };
  fakes.consul.put(RULES);
  fakes.engine.run(web, plain);
  let kept: PersistedOverrides | undefined;
  const begin = async () => {
    const setup = startFake({
      ...fakes,
      ...(kept && { previousOverrides: kept }),
      persistOverrides: (overrides) => {
        kept = new Map(overrides);
      },
    });
    await setup.rest();
    return setup;
  };
  return { ...fakes, begin, kept: () => kept };
}

test('other keys are told, and outlive the controller', async () => {
  const { begin, kernel } = host();
  const before = await begin();
  await before.controller.override([web, plain], { kind: 'set', grants: ['other'] });
  expect(statesOf(before)).toEqual([
    ['web', 'protected', 'set'],
    ['plain', 'protected', 'set'],
  ]);
  await before.controller.close();
  const after = await begin();
  expect(statesOf(after)).toEqual(statesOf(before));
  expect([kernel.allowed(web), kernel.allowed(plain)]).toEqual([[OTHER], [OTHER]]);
});

test('no rules are told, and outlive the controller', async () => {
  const { begin, kernel } = host();
  const before = await begin();
  await before.controller.override([web], { kind: 'clear' });
  expect(statesOf(before)).toEqual([['web', 'cleared', 'clear']]);
  await before.controller.close();
  const after = await begin();
  expect(statesOf(after)).toEqual([['web', 'cleared', 'clear']]);
  expect(after.controller.answers.status().namespaces).toMatchObject([{ target: 'web', grants: ['db'] }]);
  expect(kernel.allowed(web)).toBeUndefined();
  await after.controller.override([web], undefined);
  expect(statesOf(after)).toEqual([['web', 'protected', undefined]]);
  expect(kernel.allowed(web)).toEqual([DB]);
});

test('a container without keys of its own has no state once its rules are removed, or where there were none', async () => {
  const { begin, kernel } = host();
  const before = await begin();
  await before.controller.override([plain], { kind: 'clear' });
  expect(statesOf(before)).toEqual([['web', 'protected', undefined]]);
  await before.controller.override([plain], { kind: 'set', grants: ['other'] });
  await before.controller.override([plain], { kind: 'clear' });
  expect(statesOf(before)).toEqual([['web', 'protected', undefined]]);
  const views = before.controller.answers.snapshot()?.namespaces ?? [];
  expect(views.map(({ target }) => target)).toEqual(['web']);
  expect(kernel.allowed(plain)).toBeUndefined();
  await before.controller.close();
  expect(statesOf(await begin())).toEqual([['web', 'protected', undefined]]);
});

test('rules that were to be taken away when the controller ended go when it begins again', async () => {
  const { begin, kernel } = host();
  const before = await begin();
  const texts = new Map(kernel.texts);
  await before.controller.override([web], { kind: 'clear' });
  await before.controller.close();
  for (const [id, text] of texts) kernel.texts.set(id, text);
  await begin();
  expect(kernel.allowed(web)).toBeUndefined();
});

test('the stop of the container ends it, also while no controller runs, and it is forgotten', async () => {
  const { begin, kernel, engine, kept } = host();
  const before = await begin();
  await before.controller.override([web], { kind: 'set', grants: ['other'] });
  await before.controller.close();
  const restarted = { ...web, startedAt: '2026-01-02T00:00:00Z' };
  engine.run(restarted);
  const after = await begin();
  expect(statesOf(after)).toEqual([['web', 'protected', undefined]]);
  expect(kernel.allowed(restarted)).toEqual([DB]);
  expect(kept()).toEqual(new Map());
});
