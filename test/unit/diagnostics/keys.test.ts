/** All keys: who holds each, what it comes to, and those that exist on one side alone. */
import { expect, test } from 'vitest';
import { keyUses } from '../../../src/diagnostics/keys.ts';
import { parseAcl } from '../../../src/policy/acl.ts';

const acl = parseAcl(
  new Map([
    ['db', '# ours\n10.0.0.0/24:tcp/5432\npg\nwhat is this'],
    ['idle', '10.0.0.1:tcp/80'],
  ]),
);
const instance = (address: string) => ({ address, port: 5432, tags: [], node: 'n' });
const catalog = new Map([['pg', [instance('10.1.0.1'), instance('10.1.0.2')]]]);
const workloads = [
  { name: 'web', grants: ['db', 'gone', 'db'] },
  { name: 'job', grants: ['db'] },
];

test('each key with its rules, its destinations, its holders and its problems', () => {
  const [db, gone, idle] = keyUses({ acl, catalog, protectedHosts: [], workloads });
  expect(db).toMatchObject({ key: 'db', exists: true, rules: 2, destinations: 3, heldBy: ['job', 'web'] });
  expect(db?.problems).toMatchObject([{ line: 4, severity: 'error' }]);
  expect(gone).toMatchObject({ key: 'gone', exists: false, rules: 0, destinations: 0, heldBy: ['web'] });
  expect(idle).toMatchObject({
    key: 'idle',
    exists: true,
    rules: 1,
    destinations: 1,
    heldBy: [],
    problems: [],
  });
});

test('where nobody can tell the workloads, nobody is said to hold nothing', () => {
  const uses = keyUses({ acl, catalog, protectedHosts: [], workloads: undefined });
  expect(uses.map(({ key, heldBy }) => [key, heldBy])).toEqual([
    ['db', undefined],
    ['idle', undefined],
  ]);
});
