/** A container that shares a namespace may be read before the one that owns it: both lead to the same kernel. */
import { expect, test } from 'vitest';
import type { NamespaceRef } from '../../src/dataplane/dataplane.ts';
import type { Ruleset, RulesetOwner } from '../../src/inventory/ruleset.ts';
import { container } from '../support/containers.ts';
import { startFake } from '../support/fake-controller.ts';
import { FakeKernel } from '../support/fakes.ts';

const owner = container('owner');
const guest = container('guest', { network: { kind: 'container', owner: 'owner' } });

/** Whoever is entered, it is the owner's kernel. */
class OneKernel extends FakeKernel {
  readonly #owners = (ref: NamespaceRef): NamespaceRef => ({ ...ref, containerId: owner.id });
  override load = (ref: NamespaceRef, ruleset: Ruleset) => super.load(this.#owners(ref), ruleset);
  override inspect = (ref: NamespaceRef, owner: RulesetOwner) => super.inspect(this.#owners(ref), owner);
  override clear = (ref: NamespaceRef, owner?: RulesetOwner) => super.clear(this.#owners(ref), owner);
  override held = () => super.held(`${owner.id}@${owner.startedAt}`);
}

test('rules that were loaded through a guest are not taken away when its owner is read', async () => {
  const setup = startFake({ kernel: new OneKernel() });
  setup.consul.put({ db: '10.0.0.1:tcp/80' });
  setup.engine.run(guest);
  await setup.rest();
  setup.engine.run(owner);
  await setup.rest();
  expect(setup.kernel.allowed(owner)).toEqual(['10.0.0.1 . tcp . 80']);
  expect(setup.controller.answers.status().namespaces.map(({ target }) => target)).toEqual(['owner']);
});
