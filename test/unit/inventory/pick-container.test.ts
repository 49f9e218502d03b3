/** One word means the same container to every command. */
import { describe, expect, test } from 'vitest';
import { pickNamespace } from '../../../src/diagnostics/namespace-view.ts';
import { pickContainer } from '../../../src/inventory/pick-container.ts';
import { container } from '../../support/containers.ts';

const ids = { web: 'abcdef12'.padEnd(64, '0'), job: 'abcd9999'.padEnd(64, '0'), abcd9: 'f'.repeat(64) };
const running = new Map(
  Object.entries(ids).map(([name, id]) => [id, { ...container(name), id, name }] as const),
);
const views = {
  namespaces: Object.entries(ids).map(([name, id]) => ({
    ...{ id: `${id}@0`, workloads: [name], ids: [id], target: name, grants: [] },
    ...{ mode: 'enforce' as const, dns: 'none' as const },
  })),
  unsupported: [{ name: 'hosted', id: 'dddd'.padEnd(64, '0'), reason: 'it is on the network of the host' }],
  notEnabled: ['forgot'],
};

describe.each([
  ['to set, clear, render and denied', (word: string) => pickContainer(running, word).name],
  ['to status, explain and suggest', (word: string) => pickNamespace(views, word).target],
])('%s', (_who, pick) => {
  test.each([
    ['its name', 'web', 'web'],
    ['its id', ids.job, 'job'],
    ['the beginning of its id', 'abcdef', 'web'],
    ['a single character of that', 'f', 'abcd9'],
    ['a name that other ids begin with', 'abcd9', 'abcd9'],
  ])('%s means it', (_what, word, name) => expect(pick(word)).toBe(name));

  test('the beginning of several ids means none, and tells them', () => {
    expect(() => pick('abcd')).toThrow(
      '"abcd" matches 2 containers: web (abcdef120000), job (abcd99990000); give more of the id, or the name',
    );
  });

  test('other words are no ids', () => {
    for (const word of ['nobody', 'ABCDEF', ''])
      expect(() => pick(word)).toThrow(/no (?:running )?container/);
  });
});

test('a container is found by any workload that shares its network, and by the one through which it is entered', () => {
  const [first] = views.namespaces;
  if (first === undefined) throw new Error('no namespace');
  const shared = {
    ...first,
    workloads: ['a', 'b'],
    ids: ['1'.repeat(64), '11'.padEnd(64, '2')],
    target: 'root',
  };
  const pick = (word: string) => pickNamespace({ ...views, namespaces: [shared] }, word);
  for (const word of ['a', 'b', 'root', '1', '112', 'abcdef']) expect(pick(word)).toBe(shared);
});

test.each([
  ['hosted', 'hosted: it is on the network of the host'],
  ['dddd', 'hosted: it is on the network of the host'],
  ['forgot', 'forgot names ACL keys but not EGRESSTRATOR_ENABLE=1, so it has no rules'],
])('%s is told why it has no rules', (word, message) => {
  expect(() => pickNamespace(views, word)).toThrow(message);
});
