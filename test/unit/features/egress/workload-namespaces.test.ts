/** Which namespaces are to be protected, for whom, and through which container they are entered. */
import { describe, expect, test } from 'vitest';
import { planNamespaces } from '../../../../src/features/egress/workload-namespaces.ts';
import { byId, container } from '../../../support/containers.ts';

const LATER = '2026-01-01T00:00:05Z';
const plain = { environment: [] };
const sharing = (owner: string) => ({ network: { kind: 'container', owner } as const });

describe('a container of its own', () => {
  test('is planned if it is a workload', () => {
    const { namespaces, unsupported } = planNamespaces(byId(container('web'), container('other', plain)));
    expect(namespaces.map(({ id, grants }) => ({ id, grants }))).toEqual([
      { id: 'web@2026-01-01T00:00:00Z', grants: ['db'] },
    ]);
    expect(unsupported).toEqual([]);
  });

  test('is not planned while it does not run', () => {
    const stopped = container('web', { running: false });
    expect(planNamespaces(byId(stopped))).toEqual({ namespaces: [], unsupported: [] });
  });

  test('that could undo its rules is said to be unenforceable', () => {
    const [namespace] = planNamespaces(byId(container('web', { canBypassRules: true }))).namespaces;
    expect(namespace?.unenforceable).toBe(true);
  });
});

describe('containers that share a namespace', () => {
  test('get the union of their grants, through the owner', () => {
    const owner = container('owner', { environment: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=db'] });
    const guest = container('guest', {
      ...sharing('owner'),
      startedAt: LATER,
      environment: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=web'],
    });
    const { namespaces } = planNamespaces(byId(guest, owner));
    expect(namespaces).toHaveLength(1);
    expect(namespaces[0]).toMatchObject({ grants: ['db', 'web'], target: { name: 'owner' } });
  });

  test('are protected if any of them is a workload', () => {
    const { namespaces } = planNamespaces(
      byId(container('owner', plain), container('guest', { ...sharing('owner'), startedAt: LATER })),
    );
    expect(namespaces.map(({ target, members }) => [target.name, members.length])).toEqual([['owner', 1]]);
  });

  test('are enforced if one of them is, and audited only if all are', () => {
    const audit = ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_MODE=audit'];
    const owner = container('owner', { environment: audit });
    const guest = container('guest', { ...sharing('owner'), startedAt: LATER });
    expect(planNamespaces(byId(owner, guest)).namespaces[0]?.mode).toBe('enforce');
    expect(planNamespaces(byId(owner)).namespaces[0]?.mode).toBe('audit');
  });

  test.each([
    [[undefined, undefined], { dns: 'resolvers' }],
    [['none', 'none'], { dns: 'none' }],
    [['none', undefined], { dns: 'resolvers' }],
    [['names', undefined], { dns: 'names' }],
    [['none', 'names'], { dns: 'names' }],
    [['resolvers', 'names'], { dns: 'resolvers', keepsResolvers: true }],
    [['resolvers', undefined], { dns: 'resolvers', keepsResolvers: true }],
  ])('may ask for what any of them may: %o', (words, expected) => {
    const [owner, guest] = words.map((word, index) =>
      container(index === 0 ? 'owner' : 'guest', {
        ...(index === 0 ? {} : { ...sharing('owner'), startedAt: LATER }),
        environment: ['EGRESSTRATOR_ENABLE=1', ...(word === undefined ? [] : [`EGRESSTRATOR_DNS=${word}`])],
      }),
    );
    if (owner === undefined || guest === undefined) throw new Error('two containers');
    const [{ dns, keepsResolvers } = {}] = planNamespaces(byId(owner, guest)).namespaces;
    expect({ dns, keepsResolvers }).toEqual({ keepsResolvers: undefined, ...expected });
  });

  test('are unenforceable if a container inside could undo the rules, workload or not', () => {
    const owner = container('owner', { ...plain, canBypassRules: true });
    const guest = container('guest', { ...sharing('owner'), startedAt: LATER });
    expect(planNamespaces(byId(owner, guest)).namespaces[0]?.unenforceable).toBe(true);
  });

  test('of an owner that ended are entered through what is left', () => {
    const { namespaces } = planNamespaces(byId(container('guest', sharing('owner'))));
    expect(namespaces.map(({ target }) => target.name)).toEqual(['guest']);
  });

  test('of an owner that restarted since are not in its new namespace', () => {
    const owner = container('owner', { startedAt: LATER });
    const guest = container('guest', {
      ...sharing('owner'),
      environment: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=web'],
    });
    const { namespaces } = planNamespaces(byId(owner, guest));
    expect(namespaces.map(({ target, grants }) => [target.name, grants])).toEqual([
      ['owner', ['db']],
      ['guest', ['web']],
    ]);
  });

  test('that are left behind together get the union, through each of them', () => {
    const one = container('one', sharing('gone'));
    const two = container('two', {
      ...sharing('gone'),
      startedAt: LATER,
      environment: ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=web'],
    });
    const { namespaces } = planNamespaces(byId(one, two));
    expect(namespaces.map(({ target, grants }) => [target.name, grants])).toEqual([
      ['one', ['db', 'web']],
      ['two', ['db', 'web']],
    ]);
  });

  test('in a circle end the search', () => {
    const { namespaces } = planNamespaces(byId(container('a', sharing('b')), container('b', sharing('a'))));
    expect(namespaces.length).toBeGreaterThan(0);
  });
});

describe("the host's network", () => {
  test('is refused, also through another container', () => {
    const host = container('host', { network: { kind: 'host' }, environment: [] });
    const { namespaces, unsupported } = planNamespaces(byId(host, container('guest', sharing('host'))));
    expect(namespaces).toEqual([]);
    expect(unsupported.map(({ container: { name } }) => name)).toEqual(['guest']);
  });
});
