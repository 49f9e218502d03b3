/** Rules that others have changed. */
import { expect, test } from 'vitest';
import { container } from '../support/containers.ts';
import { type FakeSetup, startFake } from '../support/fake-controller.ts';

const web = container('web');

async function startWithRules(driftInterval: number): Promise<FakeSetup> {
  const setup = startFake({ driftInterval });
  setup.consul.put({ db: '10.0.0.1:tcp/80' });
  setup.engine.run(web);
  await setup.rest();
  return setup;
}

test('an alteration that leaves the fingerprint is recognised by the first comparison after a load', async () => {
  const { kernel, rest, controller } = await startWithRules(200);
  const [[place, text] = ['', '']] = kernel.texts;
  kernel.texts.set(place, `${text}\n# a hole`);
  const repaired = () => kernel.texts.get(place) === text;
  for (let turn = 0; turn < 20 && !repaired(); turn += 1) await rest();
  expect(repaired()).toBe(true);
  expect(controller.answers.status().namespaces.map(({ state }) => state)).toEqual(['protected']);
});

test('what is compared with the kernel is no less protected meanwhile', async () => {
  const { kernel, controller } = await startWithRules(20);
  const look = kernel.inspect.bind(kernel);
  const { promise, resolve } = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  kernel.inspect = async (namespace, owner) => {
    asked.resolve();
    await promise;
    return look(namespace, owner);
  };
  await asked.promise;
  expect(controller.answers.status().namespaces.map(({ state }) => state)).toEqual(['protected']);
  resolve();
});
