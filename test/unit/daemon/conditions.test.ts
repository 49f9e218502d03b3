/** Which problems are logged, and for whom. */
import { expect, test } from 'vitest';
import type { Problem } from '../../../src/common/problem.ts';
import { conditionsOf } from '../../../src/daemon/conditions.ts';
import type { Status } from '../../../src/daemon/status.ts';

const unread = (text: string): Problem => ({
  ...{ severity: 'error', text },
  reason: 'the instances of this service could not be read, so it grants nothing until they are',
});
const uncalled: Problem = { ...unread('prometheus'), reason: `${unread('').reason}, and nobody is let in` };
const own: Problem = { severity: 'warning', reason: 'of this one' };

const namespace = (target: string): Status['namespaces'][number] => ({
  ...{ id: `${target}@0`, workloads: [target], target, state: 'protected', grants: ['db'], mode: 'enforce' },
  ...{ dns: 'none', hasRawSockets: false, fingerprint: 'f', verifiedAt: 1, lastError: undefined },
  problems: [unread('web'), unread('db'), own],
});

test('a service that cannot be read is one problem, however many workloads name it', () => {
  const ingress = ['a', 'c'].map((target) => ({
    ...{ id: `${target}@0`, workloads: [target], target, state: 'closed', keys: ['web'], mode: 'enforce' },
    ...{ fingerprint: 'f', verifiedAt: 1, lastError: undefined, problems: [uncalled] },
  })) satisfies Status['ingress'];
  const status = { namespaces: [namespace('a'), namespace('b')], ingress, sources: [], unsupported: [] };
  const found = conditionsOf(status, { unsupported: [] }, false);
  expect(found).toHaveLength(5);
  expect(found).toEqual(
    expect.arrayContaining([
      { container: 'a', problem: own },
      { container: 'b', problem: own },
      { container: undefined, problem: unread('web') },
      { container: undefined, problem: unread('db') },
      { container: undefined, problem: uncalled },
    ]),
  );
});
