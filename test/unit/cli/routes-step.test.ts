/** Routes of networks.json in containers, as `uninstall` looks for them. */
import { expect, it } from 'vitest';
import { findRoutes } from '../../../src/cli/uninstall/routes-step.ts';
import { runSteps } from '../../../src/cli/uninstall/step.ts';
import { LoadError } from '../../../src/common/errors.ts';
import type { NamespaceRef } from '../../../src/dataplane/dataplane.ts';
import { byId, container } from '../../support/containers.ts';
import { FakeEngine } from '../../support/fakes.ts';

/** Each has a route of ours, and `failures` say what the kernels of some answer instead. */
function host(failures: Readonly<Record<string, Error>>) {
  const removed: string[] = [];
  const check = ({ name }: NamespaceRef) => {
    const failure = failures[name];
    if (failure !== undefined) throw failure;
  };
  const containers = Object.assign(new FakeEngine(), {
    list: async () => byId(container('first'), container('second'), container('third')),
  });
  const namespaceRoutes = {
    read: async (ref: NamespaceRef) => {
      check(ref);
      return ['10.2.0.2 via 10.9.0.1', 'forward ipv4'];
    },
    set: async (ref: NamespaceRef) => {
      check(ref);
      removed.push(ref.name);
      return [];
    },
  };
  return { removed, engine: async () => ({ containers, namespaceRoutes }) };
}

it('finds those of the others beside a container that cannot be read, and names it', async () => {
  const { removed, engine } = host({ first: new Error('its namespace cannot be entered') });
  const steps = await findRoutes(engine, undefined);
  expect(steps.map(({ what }) => what)).toEqual([
    'in first, which could not be read',
    'in second',
    'in third',
  ]);
  expect(await runSteps({ steps, unknown: [] })).toMatchObject([
    { state: 'left', reason: 'its namespace cannot be entered' },
    { state: 'removed' },
    { state: 'removed' },
  ]);
  expect(removed).toEqual(['second', 'third']);
});

it('leaves out a container that has ended', async () => {
  const { engine } = host({ second: new LoadError('it has ended', { gone: true }) });
  const steps = await findRoutes(engine, undefined);
  expect(steps.map(({ what }) => what)).toEqual(['in first', 'in third']);
});
