/** Two controllers on one Engine replace each other's rules: each reports that there is another. */
import { expect, test, vi } from 'vitest';
import type { Loaded, NamespaceRef } from '../../src/dataplane/dataplane.ts';
import type { Ruleset } from '../../src/inventory/ruleset.ts';
import { container } from '../support/containers.ts';
import { eventually } from '../support/eventually.ts';
import { type FakeSetup, startFake } from '../support/fake-controller.ts';
import { FakeConsul, FakeEngine, FakeKernel } from '../support/fakes.ts';

const web = container('web');
const OTHERS = 'f'.repeat(32);
const ANOTHER =
  /^rules of another egresstrator \([0-9a-f]{32}\) replaced ours.* a second controller on this Engine/;

const consulOf = (rule: string) => {
  const consul = new FakeConsul();
  consul.put({ db: rule });
  return consul;
};
const problemsOf = ({ controller }: FakeSetup) =>
  controller.answers.status().namespaces.flatMap(({ problems }) => problems.map(({ reason }) => reason));

test('what another has loaded is told as that, by both, until it is so no more', async () => {
  const fakes = { engine: new FakeEngine(), kernel: new FakeKernel(), driftInterval: 40 };
  fakes.engine.run(web);
  const one = startFake({ ...fakes, consul: consulOf('10.0.0.1:tcp/80') });
  await eventually(() => expect(fakes.kernel.allowed(web)).toHaveLength(1));
  const other = startFake({ ...fakes, consul: consulOf('10.0.0.2:tcp/80') });
  for (const setup of [one, other])
    await vi.waitFor(() => expect(problemsOf(setup)).toEqual([expect.stringMatching(ANOTHER)]), 5_000);
  await other.controller.close();
  await vi.waitFor(() => expect(problemsOf(one)).toEqual([]), 5_000);
});

test('rules that somebody altered without a word of egresstrator are not', async () => {
  const setup = startFake({ driftInterval: 40 });
  setup.engine.run(web);
  setup.consul.put({ db: '10.0.0.1:tcp/80' });
  await setup.rest();
  setup.kernel.texts.clear();
  await eventually(() => expect(setup.log.messages('warn')).toContain('rules in the kernel were changed'));
  expect(problemsOf(setup)).toEqual([]);
});

test('rules that another replaces in the instant of a load do not blame the template', async () => {
  class Contested extends FakeKernel {
    override async load(namespace: NamespaceRef, ruleset: Ruleset): Promise<Loaded> {
      return { ...(await super.load(namespace, ruleset)), fingerprint: OTHERS };
    }
  }
  const setup = startFake({ kernel: new Contested() });
  setup.engine.run(web);
  setup.consul.put({ db: '10.0.0.1:tcp/80' });
  await eventually(() => {
    const [found] = setup.controller.answers.status().namespaces;
    expect(found?.lastError).toMatch(
      /^the namespace of web holds the rules of another egresstrator \(f{32}\) right after rules [0-9a-f]+ were loaded; if a second controller runs on this Engine, stop one$/,
    );
  });
});
