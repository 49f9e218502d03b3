/**
 * Sequences of states, applied forward, backward and at once, lead to the same kernels: the loaded rules depend on the
 * current state, and not on its history.
 */
import { describe, expect, test } from 'vitest';
import type { Container } from '../../src/inventory/container.ts';
import { namespaceId, namespacesOf } from '../../src/inventory/namespace.ts';
import type { Instance } from '../../src/inventory/service.ts';
import { byId, container } from '../support/containers.ts';
import { type FakeSetup, startFake } from '../support/fake-controller.ts';

interface State {
  readonly rules: Readonly<Record<string, string>>;
  readonly services: Readonly<Record<string, readonly Instance[]>>;
  readonly containers: readonly Container[];
}

const acl = (keys: string, more: Partial<Container> = {}) => ({
  environment: ['EGRESSTRATOR_ENABLE=1', `EGRESSTRATOR_ACL=${keys}`],
  ...more,
});

const instance = (address: string, port: number, ...tags: string[]): Instance => ({
  address,
  port,
  tags,
  node: 'n1',
});

const web = container('web', acl('db,cache'));
const job = container('job', acl('db'));
const guest = container('guest', acl('cache', { network: { kind: 'container', owner: 'plain' } }));
const plain = container('plain', { environment: [] });

/** A story with what people do to a host in it. */
const STORY: readonly State[] = [
  { rules: {}, services: {}, containers: [] },
  { rules: { db: '10.0.0.1:tcp/5432' }, services: {}, containers: [web] },
  { rules: { db: '10.0.0.1:tcp/5432', cache: 'prod.redis' }, services: {}, containers: [web, job] },
  {
    rules: { db: '10.0.0.1:tcp/5432\n10.0.0.300:tcp/1', cache: 'prod.redis' },
    services: { redis: [instance('10.0.1.1', 6379, 'prod'), instance('10.0.1.9', 6379, 'test')] },
    containers: [web, job, plain],
  },
  {
    rules: { db: '10.0.0.0/24:tcp/5432', cache: 'prod.redis' },
    services: { redis: [instance('10.0.1.1', 6379, 'prod'), instance('10.0.1.2', 6380, 'prod')] },
    containers: [web, { ...job, startedAt: '2026-01-01T01:00:00Z' }, plain, guest],
  },
  {
    rules: { cache: 'prod.redis' },
    services: { redis: [] },
    containers: [web, plain, guest],
  },
  {
    rules: { db: '10.0.0.9:udp/53', cache: '' },
    services: {},
    containers: [{ ...web, attachments: ['net:endpoint', 'other:endpoint'] }, guest],
  },
];

function enter({ consul, engine }: FakeSetup, { rules, services, containers }: State): void {
  consul.put(rules);
  for (const name of ['redis', 'mail']) consul.register(name, services[name] ?? []);
  const wanted = new Set(containers.map(({ id }) => id));
  engine.stop(...[...engine.containers.keys()].filter((id) => !wanted.has(id)));
  engine.run(...containers);
}

/** For each running container what its own kernel allows; undefined where nothing is loaded, or it has none. */
function kernels({ kernel }: FakeSetup, { containers }: State) {
  const own = namespacesOf(byId(...containers));
  return Object.fromEntries(
    containers.map((one) => [one.name, own.has(namespaceId(one)) ? kernel.allowed(one) : undefined]),
  );
}

async function walk(states: readonly State[], pause: boolean): Promise<FakeSetup> {
  const setup = startFake();
  for (const state of states) {
    enter(setup, state);
    if (pause) await setup.rest();
  }
  await setup.rest();
  return setup;
}

/** What a state asks for, worked out by hand. */
const EXPECTED: readonly Record<string, readonly string[] | undefined>[] = [
  {},
  { web: ['10.0.0.1 . tcp . 5432'] },
  { web: ['10.0.0.1 . tcp . 5432'], job: ['10.0.0.1 . tcp . 5432'] },
  {
    web: ['10.0.0.1 . tcp . 5432', '10.0.1.1 . tcp . 6379'],
    job: ['10.0.0.1 . tcp . 5432'],
    plain: undefined,
  },
  {
    web: ['10.0.0.0/24 . tcp . 5432', '10.0.1.1 . tcp . 6379', '10.0.1.2 . tcp . 6380'],
    job: ['10.0.0.0/24 . tcp . 5432'],
    plain: ['10.0.1.1 . tcp . 6379', '10.0.1.2 . tcp . 6380'],
    guest: undefined,
  },
  { web: [], plain: [], guest: undefined },
  { web: ['10.0.0.9 . udp . 53'], guest: [] },
];

describe.each(STORY.map((state, index) => ({ state, index })))('state $index', ({ state, index }) => {
  const before = STORY.slice(0, index);
  const after = STORY.slice(index + 1).reverse();

  test('reached step by step', async () => {
    expect(kernels(await walk([...before, state], true), state)).toEqual(EXPECTED[index]);
  });

  test('reached backward from the end', async () => {
    expect(kernels(await walk([...after, state], true), state)).toEqual(EXPECTED[index]);
  });

  test('reached in one leap, with everything before squashed', async () => {
    expect(kernels(await walk([...before, ...after, state], false), state)).toEqual(EXPECTED[index]);
  });
});
