/**
 * Routes of ours in a namespace: made, kept, and removed again, beside those of others.
 */
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, it } from 'vitest';
import { ensureCommands } from '../../lab/apt.ts';
import { parseFacts } from '../../src/dataplane/host-facts.ts';
import { formatPrefix } from '../../src/net/address.ts';
import { netns } from './fixture.ts';
import { useHost } from './host-fixture.ts';

await ensureCommands({ ip: 'iproute2' });
const { containers, host } = await useHost();
const HOST_PROGRAM = fileURLToPath(new URL('../../dataplane/host', import.meta.url));
const { a1 } = containers;
const [V4, V6] = ['172.29.1.1', '2001:db8:a::1'];

const route = (...lines: readonly string[]) => netns(a1, 'reroute', `${lines.join('\n')}\n`);
const routes = async () =>
  (await netns(a1, 'routes')).stdout.split('\n').filter((line) => line.includes(' via '));
const ofOthers = async () =>
  (await Promise.all(['-4', '-6'].map((family) => a1.run('ip', [family, 'route', 'show']))))
    .flatMap(({ stdout }) => stdout.split('\n'))
    .filter((line) => line !== '' && !line.includes('proto 149'));

beforeEach(async () => {
  await route();
});

it('are made in both families, and those that are not wanted any more go', async () => {
  const before = await ofOthers();
  const [one, other] = [`10.2.0.2 via ${V4}`, `fd00:2::/64 via ${V6}`];
  expect(await route(one, other)).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await routes()).toEqual([one, other]);
  await route(`10.3.0.0/24 via ${V4}`, other);
  expect(await routes()).toEqual([`10.3.0.0/24 via ${V4}`, other]);
  await route();
  expect(await routes()).toEqual([]);
  expect(await ofOthers()).toEqual(before);
});

it('stay where they are wanted', async () => {
  await route(`10.2.0.2 via ${V4}`);
  expect(await route(`10.2.0.2 via ${V4}`)).toMatchObject({ exitCode: 0, stderr: '' });
});

it('replace no route of others, and say so', async () => {
  await a1.run('ip', ['route', 'add', '10.4.0.1', 'via', V4]);
  const before = await ofOthers();
  const { exitCode, stderr } = await route(`10.4.0.1 via 172.29.1.9`, `10.5.0.1 via ${V4}`);
  expect(await routes()).toEqual([`10.5.0.1 via ${V4}`]);
  await route();
  expect([exitCode, stderr.includes('the route to 10.4.0.1 via 172.29.1.9 cannot be made')]).toEqual([
    1,
    true,
  ]);
  expect(await ofOthers()).toEqual(before);
  await a1.run('ip', ['route', 'del', '10.4.0.1', 'via', V4]);
});

it('leave those of routing daemons, of whatever protocol', async () => {
  const protocols = ['bird', 'zebra', 'bgp', 'isis', 'ospf', 'rip', 'eigrp'];
  for (const [at, protocol] of protocols.entries())
    await a1.run('ip', ['route', 'add', `10.6.0.${at}`, 'via', V4, 'proto', protocol]);
  const before = await ofOthers();
  await route(`10.5.0.1 via ${V4}`);
  await route();
  expect(await ofOthers()).toEqual(before);
  for (const at of protocols.keys()) await a1.run('ip', ['route', 'del', `10.6.0.${at}`]);
});

it('let the namespace forward, and never end that', async () => {
  for (const family of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'])
    await a1.run('sh', ['-c', `echo 0 > /proc/sys/net/${family}`]);
  expect((await netns(a1, 'routes')).stdout).toBe('');
  expect((await route('forward ipv4', 'forward ipv6')).stdout).toBe('forward ipv4\nforward ipv6');
  expect((await route()).stdout).toBe('forward ipv4\nforward ipv6');
});

it.each(['x via y', '10.2.0.2 via', '10.2.0.2 dev eth0', '10.2.0.2 via $(id)', 'forward ipv4; id'])(
  'take no other line: %s',
  async (line) => {
    const before = await ofOthers();
    expect((await route(line)).exitCode).not.toBe(0);
    expect([await routes(), await ofOthers()]).toEqual([[], before]);
  },
);

it('the host tells its devices, its routes, and whether it forwards', async () => {
  const { stdout } = await host.run('sh', [HOST_PROGRAM, 'facts']);
  const { devices, routes: found, forwards } = parseFacts(stdout);
  expect([...devices]).toEqual(expect.arrayContaining(['br-a', 'br-b', 'eth0', 'lo']));
  const texts = found.map(({ prefix, device }) => `${formatPrefix(prefix)} ${device}`);
  expect(texts).toEqual(
    expect.arrayContaining(['172.29.1.0/24 br-a', '2001:db8:b::/64 br-b', '198.51.100.0/24 eth0']),
  );
  expect(texts.filter((text) => text.endsWith(' lo') || text.startsWith('fe80'))).toEqual([]);
  expect(forwards).toEqual([4, 6]);
  await host.run('sh', ['-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward']);
  expect(parseFacts((await host.run('sh', [HOST_PROGRAM, 'facts'])).stdout).forwards).toEqual([6]);
  await host.run('sh', [HOST_PROGRAM, 'forward']);
  expect(parseFacts((await host.run('sh', [HOST_PROGRAM, 'facts'])).stdout).forwards).toEqual([4, 6]);
});
