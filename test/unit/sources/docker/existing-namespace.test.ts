/** Whose namespace a container is in, followed to the end through containers that may end meanwhile. */
import { expect, test } from 'vitest';
import { ExistingNamespaces } from '../../../../src/sources/docker/existing-namespace.ts';

const inspected = (id: string, mode: string) => ({
  ...{ Id: id, Name: `/${id}`, Image: 'image', Config: {} },
  State: { Running: true, Pid: 4242, StartedAt: '2026-01-01T00:00:00Z' },
  HostConfig: { NetworkMode: mode },
});

function engineWith(modes: Readonly<Record<string, string>>) {
  const asked: string[] = [];
  const inspect = async (id: string): Promise<unknown> => {
    asked.push(id);
    const mode = modes[id];
    if (mode === undefined) throw new Error(`No such container: ${id}`);
    return inspected(id, mode);
  };
  return { inspect, asked };
}

const joins = (owner: string) => ({ kind: 'container', owner }) as const;

test('a container that joined one that joined another', async () => {
  const engine = engineWith({ root: 'bridge', middle: 'container:root' });
  const joined = new ExistingNamespaces(engine);
  expect(await joined.resolve(joins('middle'))).toEqual({ ...joins('middle'), root: 'root' });
  expect(await joined.resolve(joins('root'))).toEqual({ ...joins('root'), root: 'root' });
});

test('what was read once holds, also when it is gone', async () => {
  const modes: Record<string, string> = { root: 'bridge', middle: 'container:root' };
  const engine = engineWith(modes);
  const joined = new ExistingNamespaces(engine);
  await joined.resolve(joins('middle'));
  delete modes.middle;
  expect(await joined.resolve(joins('middle'))).toMatchObject({ root: 'root' });
  expect(engine.asked).toEqual(['middle', 'root']);
});

test("the host's network in the end is the host's", async () => {
  const joined = new ExistingNamespaces(engineWith({ root: 'host', middle: 'container:root' }));
  expect(await joined.resolve(joins('middle'))).toEqual({ kind: 'host' });
});

test('where the way is lost, the last one known is the root; it is asked for again', async () => {
  const modes: Record<string, string> = { middle: 'container:root' };
  const joined = new ExistingNamespaces(engineWith(modes));
  expect(await joined.resolve(joins('middle'))).toMatchObject({ root: 'root' });
  expect(await joined.resolve(joins('gone'))).toMatchObject({ root: 'gone' });
  modes.root = 'host';
  expect(await joined.resolve(joins('middle'))).toEqual({ kind: 'host' });
});

test('a circle, which no Engine makes, ends', async () => {
  const joined = new ExistingNamespaces(engineWith({ a: 'container:b', b: 'container:a' }));
  expect((await joined.resolve(joins('a'))).kind).toBe('container');
});
