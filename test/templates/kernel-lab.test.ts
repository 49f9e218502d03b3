/** What the networks of the lab must hold to, as those of an Engine do: else tests fail for what no rule did. */
import { afterAll, expect, it } from 'vitest';
import { createRoutingHost } from '../../lab/netns.ts';

const { host, dispose } = await createRoutingHost();
afterAll(dispose);

it('a bridge keeps its address when a port with a lower one comes', async () => {
  const address = async (): Promise<string> =>
    (await host.run('ip', ['-br', 'link', 'show', 'br-b'])).stdout.split(/\s+/)[2] ?? '';
  const before = await address();
  expect(before).toMatch(/^..:/);
  await host.run('ip', ['link', 'add', 'later', 'address', '00:00:00:00:00:01', 'type', 'veth']);
  await host.run('ip', ['link', 'set', 'later', 'master', 'br-b', 'up']);
  expect(await address()).toBe(before);
});
