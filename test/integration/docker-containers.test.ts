/** The containers of a real Engine: what is known of them after each thing that can happen to one. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { type OwnEngine, startEngine } from '../../lab/engine.ts';
import { contains, formatPrefix } from '../../src/net/address.ts';
import { DockerContainerSource } from '../../src/sources/docker/containers.ts';
import { container } from '../support/containers.ts';
import { ENGINES } from '../support/engines.ts';
import { buildImageWith, type DockerLab, dockerLab, openDockerLab } from './docker-lab.ts';

const MASQUERADE = 'com.docker.network.bridge.enable_ip_masquerade';

const soon = { timeout: 60_000, interval: 20 };

function startWatch({ engine }: DockerLab) {
  const watch = new DockerContainerSource(engine).watch(() => {});
  onTestFinished(() => watch.close());
  const of = (id: string) => watch.value?.get(id);
  const become = (id: string, expected: object) =>
    vi.waitFor(() => expect(of(id)).toMatchObject(expected), soon);
  const vanish = (id: string) =>
    vi.waitFor(() => {
      expect(watch.value).toBeDefined();
      expect(of(id)).toBeUndefined();
    }, soon);
  return { watch, of, become, vanish };
}

async function resolversOf(source: DockerContainerSource, id: string): Promise<readonly string[]> {
  const found = (await source.list()).get(id);
  if (found === undefined) throw new Error(`${id} does not run`);
  return source.resolvers(found);
}

describe.each(ENGINES)('Engine %s', (version) => {
  let lab: DockerLab;
  beforeAll(async () => {
    lab = await openDockerLab(version);
  });

  test('one that runs already, one that starts, stops, starts again and is removed', async () => {
    const before = await lab.start('--env', 'EGRESSTRATOR_ENABLE=1', '--label', 'egresstrator.acl=a,b');
    const { become, of, vanish } = startWatch(lab);
    await become(before, {
      running: true,
      labels: { 'egresstrator.acl': 'a,b' },
      environment: expect.arrayContaining(['EGRESSTRATOR_ENABLE=1']),
    });
    const id = await lab.start();
    await become(id, { running: true, pid: expect.any(Number) });
    const firstStart = of(id)?.startedAt;
    await lab.docker('stop', '--time', '0', id);
    await vanish(id);
    await lab.docker('start', id);
    await become(id, { running: true });
    expect(of(id)?.startedAt).not.toBe(firstStart);
    await lab.docker('rm', '--force', id);
    await vanish(id);
  });

  test('a start is inspected once, with and without a network', async () => {
    const inspect = vi.spyOn(lab.engine, 'inspect');
    onTestFinished(() => inspect.mockRestore());
    const { watch, become } = startWatch(lab);
    await vi.waitFor(() => expect(watch.value).toBeDefined(), soon);
    for (const network of ['bridge', 'none']) {
      const id = await lab.start('--network', network, '--env', 'EGRESSTRATOR_ENABLE=1');
      await become(id, { running: true });
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(inspect.mock.calls.filter(([asked]) => asked === id)).toHaveLength(1);
    }
  });

  test('renamed, paused, and connected to networks', async () => {
    const { become, of } = startWatch(lab);
    const [one, two] = [await lab.network(), await lab.network()];
    const id = await lab.start('--network', one);
    await become(id, { network: { kind: 'own' }, attachments: [expect.stringMatching(/^\w{64}:\w{64}$/)] });
    const name = `renamed-${randomUUID()}`;
    await lab.docker('rename', id, name);
    await become(id, { name });
    const [attachment] = of(id)?.attachments ?? [];
    await lab.docker('network', 'connect', two, id);
    await vi.waitFor(() => expect(of(id)?.attachments).toHaveLength(2), soon);
    expect(of(id)?.attachments).toContain(attachment);
    await lab.docker('network', 'disconnect', one, id);
    await vi.waitFor(() => expect(of(id)?.attachments).toHaveLength(1), soon);
    expect(of(id)?.attachments).not.toContain(attachment);
    await lab.docker('pause', id);
    expect((await new DockerContainerSource(lab.engine).list()).get(id)?.running).toBe(true);
    await lab.docker('unpause', id);
  });

  test('networks of the Engine, and what it gives a container in them', async () => {
    const network = vi.spyOn(lab.engine, 'network');
    const list = vi.spyOn(lab.engine, 'networks');
    onTestFinished(() => void vi.restoreAllMocks());
    const { watch, of, become } = startWatch(lab);
    const known = (name: string) =>
      [...(watch.networks.value?.values() ?? [])].find((one) => one.name === name);
    await vi.waitFor(() => expect(known('bridge')?.bridge).toBe('docker0'), soon);
    const name = `test-${randomUUID().slice(0, 8)}`;
    const prefix = `fd00:7e57:${randomUUID().slice(0, 4)}:`;
    const settings = [
      '--ipv6',
      '--subnet',
      `${prefix}:/64`,
      '--gateway',
      `${prefix}:1`,
      '--opt',
      `${MASQUERADE}=false`,
    ];
    const made = await lab.docker('network', 'create', ...settings, name);
    onTestFinished(async () => void (await lab.docker('network', 'rm', name).catch(() => {})));
    await vi.waitFor(() => expect(known(name)).toBeDefined(), soon);
    const { subnets, ...rest } = known(name) ?? { subnets: [] };
    const bridge = `br-${made.slice(0, 12)}`;
    const options = { [MASQUERADE]: 'false' };
    expect(rest).toMatchObject({ id: made, driver: 'bridge', isInternal: false, bridge, options });
    const id = await lab.start('--network', name, '--publish', '80', '--publish', '127.0.0.1::53/udp');
    await become(id, { running: true });
    const [attachment] = of(id)?.networks ?? [];
    for (const address of [attachment?.ipv4, attachment?.ipv6]) {
      const inSubnet = subnets.filter(({ prefix }) => address && contains(prefix, address));
      expect(inSubnet).toMatchObject([{ gateway: expect.anything() }]);
    }
    const published = of(id)?.ports.map(
      ({ host, containerPort }) => `${formatPrefix(host)} ${containerPort}`,
    );
    expect(published).toEqual(['127.0.0.1 53', '0.0.0.0/0 80', '::/0 80']);
    for (const { hostPort, protocol, containerPort } of of(id)?.ports ?? []) {
      const output = await lab.docker('port', id, `${containerPort}/${protocol}`);
      expect(output).toMatch(new RegExp(`:${hostPort}$`, 'm'));
    }
    await lab.docker('rm', '--force', id);
    await lab.docker('network', 'rm', name);
    await vi.waitFor(() => expect(known(name)).toBeUndefined(), soon);
    expect(list).toHaveBeenCalledTimes(1);
    expect(network.mock.calls.filter(([asked]) => asked === made)).toHaveLength(2);
  });

  test('created with no network, and connected to one later', async () => {
    const { become } = startWatch(lab);
    const network = await lab.network();
    const id = await lab.start('--network', 'none');
    await become(id, { network: { kind: 'own' }, attachments: [] });
    await lab.docker('network', 'disconnect', 'none', id);
    await lab.docker('network', 'connect', network, id);
    await become(id, { network: { kind: 'own' }, attachments: [expect.any(String)] });
  });

  test('one in the namespace of another, named by its name', async () => {
    const { become } = startWatch(lab);
    const name = `owner-${randomUUID()}`;
    const owner = await lab.start('--name', name);
    const id = await lab.start('--network', `container:${name}`, '--cap-add', 'net_admin');
    await become(id, { network: { kind: 'container', owner }, attachments: [], canBypassRules: true });
  });

  test('one that dies again and again is known while it runs', async () => {
    const { vanish, of } = startWatch(lab);
    const id = await lab.startRunning(['sh', '-c', 'sleep 0.3; exit 1'], '--restart', 'always');
    const starts = new Set<string>();
    await vi.waitFor(() => {
      const startedAt = of(id)?.startedAt;
      if (startedAt) starts.add(startedAt);
      expect(starts.size).toBeGreaterThanOrEqual(3);
    }, soon);
    await lab.docker('rm', '--force', id);
    await vanish(id);
  });

  test('many at once', async () => {
    const { of, vanish } = startWatch(lab);
    const ids = await Promise.all(Array.from({ length: 8 }, () => lab.start('--network', 'none')));
    await vi.waitFor(() => expect(ids.every((id) => of(id)?.running)).toBe(true), soon);
    await lab.docker('rm', '--force', ...ids);
    await Promise.all(ids.map(vanish));
  });

  test('resolvers: the ones it names, where Docker does not ask on its behalf', async () => {
    const source = new DockerContainerSource(lab.engine);
    const id = await lab.start('--dns', '192.0.2.1', '--dns', '127.0.0.53', '--dns', '192.0.2.2');
    expect(await resolversOf(source, id)).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  test("resolvers: those behind Docker's own, on a user's network", async () => {
    const source = new DockerContainerSource(lab.engine);
    const options = ['--network', await lab.network(), '--dns', '192.0.2.1', '--dns', '2001:db8::53'];
    expect((await resolversOf(source, await lab.start(...options))).toSorted()).toEqual([
      '192.0.2.1',
      '2001:db8::53',
    ]);
  });

  test('resolvers: of an image whose resolv.conf is a link', async () => {
    const root = mkdtempSync(join(tmpdir(), 'egresstrator-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    for (const folder of ['etc', 'var/dns']) mkdirSync(join(root, folder), { recursive: true });
    symlinkSync('../var/dns/conf', join(root, 'etc/resolv.conf'));
    writeFileSync(join(root, 'var/dns/conf'), 'nameserver 203.0.113.1\n');
    const image = await buildImageWith(lab, 'linked', root);
    const id = await lab.docker(
      'run',
      '--pull=never',
      '--detach',
      '--dns',
      '192.0.2.1',
      image,
      'sleep',
      '60',
    );
    onTestFinished(() => lab.engine.remove(id));
    expect(await lab.docker('exec', id, 'cat', '/etc/resolv.conf')).toContain('192.0.2.1');
    expect(await resolversOf(new DockerContainerSource(lab.engine), id)).toEqual(['192.0.2.1']);
  });

  test('resolvers: of a container that is gone', async () => {
    const source = new DockerContainerSource(lab.engine);
    await expect(source.resolvers(container('ab'.repeat(32)))).rejects.toThrow(
      'ended before its resolvers were read',
    );
  });

  test('a name that is no id, and one that would be another request', async () => {
    for (const id of ['no-such-container', '../images', 'a/b', '']) {
      await expect(lab.engine.inspect(id)).rejects.toMatchObject({ status: 404 });
    }
  });
});

describe("the Engine's own resolvers", () => {
  const withOwnEngine = async (daemonOptions: string[]) => {
    const engine = await startEngine({
      version: '20.10',
      name: 'docker-dns',
      daemonOptions,
      diesWithParent: true,
    });
    onTestFinished(() => engine.remove());
    return dockerLab(engine.socketPath);
  };

  test('20.10 forwards to those of dockerd, and tells it nowhere', async () => {
    const lab = await withOwnEngine(['--dns', '192.0.2.53', '--dns', '127.0.0.1']);
    const network = await lab.network();
    const source = new DockerContainerSource(lab.engine);
    const ids = [await lab.start('--network', network), await lab.start('--network', network)];
    for (const id of ids) expect(await resolversOf(source, id)).toEqual(['192.0.2.53']);
    const left = await lab.docker('ps', '--all', '--quiet', '--filter', 'label=egresstrator.role');
    expect(left).toBe('');
  });
});

describe.each(ENGINES)('an Engine %s that goes away', (version) => {
  let own: OwnEngine;
  let lab: DockerLab;
  beforeAll(async () => {
    own = await startEngine({
      version,
      name: `docker-${version}`,
      daemonOptions: ['--live-restore'],
      diesWithParent: true,
    });
    lab = await dockerLab(own.socketPath);
    return () => own.remove();
  });

  test('what ran goes on and is known, and what ended meanwhile is not', async () => {
    const { watch, become, of, vanish } = startWatch(lab);
    const [lives, ends] = [await lab.start(), await lab.startRunning(['sleep', '3'])];
    await become(lives, { running: true });
    await become(ends, { running: true });
    await own.kill();
    await vi.waitFor(() => expect(watch.error).toBeDefined(), soon);
    expect(of(lives)?.running).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await own.start();
    await vanish(ends);
    await vi.waitFor(() => expect(watch.error).toBeUndefined(), soon);
    expect(of(lives)?.running).toBe(true);
    const later = await lab.start();
    await become(later, { running: true });
  });
});
