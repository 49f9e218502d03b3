/** The lab itself: what the other suites take for granted about engines, Consul, images and namespaces. */
import { Resolver } from 'node:dns/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureCompose } from '../../lab/compose.ts';
import {
  type Consul,
  type ConsulOptions,
  callConsul,
  makeCertificates,
  startConsul,
} from '../../lab/consul.ts';
import { labEngines } from '../../lab/engine/all.ts';
import { type Engine, ensureEngine, type OwnEngine, startEngine } from '../../lab/engine.ts';
import { ensureBaseImage, ensureEscapeImage, ensureWorkloadImage } from '../../lab/images.ts';
import { withLock } from '../../lab/lock.ts';
import { createNamespaces } from '../../lab/netns.ts';
import { freePorts } from '../../lab/ports.ts';
import { end, freeze, gone, identify, isAlive, launch, signal } from '../../lab/process.ts';
import { waitFor } from '../../lab/wait.ts';
import { ENGINES, engineHere, ONE_ENGINE } from '../support/engines.ts';

const folder = mkdtempSync(join(tmpdir(), 'egresstrator-lab-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('processes', () => {
  const logFile = join(folder, 'sleep.log');

  test('end is the end of exactly the process that was started', async () => {
    const process = launch({ command: 'sleep', args: ['60'], logFile });
    expect(isAlive(process)).toBe(true);
    await end(process);
    expect(isAlive(process)).toBe(false);
  });

  test('a pid that by now belongs to another process is not signalled', async () => {
    const process = launch({ command: 'sleep', args: ['60'], logFile });
    signal({ ...process, startTime: '1' }, 'SIGKILL');
    await expect(gone(process, 200)).rejects.toThrow('in vain');
    await end(process);
  });

  test('a process bound to its parent ends when that is killed', async () => {
    const script = `
      import { launch } from ${JSON.stringify(join(import.meta.dirname, '../../lab/process.ts'))};
      const options = { command: 'sleep', args: ['60'], logFile: ${JSON.stringify(logFile)} };
      console.log(launch({ ...options, parentDeathSignal: 'KILL' }).pid);
      setTimeout(() => {}, 60_000);`;
    const parent = execa('node', ['--input-type=module-typescript', '--eval', script], { reject: false });
    const pid = Number(await firstLine(parent));
    const child = identify(pid);
    expect(child).toBeDefined();
    parent.kill('SIGKILL');
    await parent;
    await waitFor(() => identify(pid)?.startTime !== child?.startTime, { what: 'the end of the child' });
  });

  test('a frozen process ends too', async () => {
    const process = launch({ command: 'sleep', args: ['60'], logFile });
    await freeze(process);
    await end(process, 2_000);
    expect(identify(process.pid)).toBeUndefined();
  });
});

describe('locks', () => {
  test('let one in at a time', async () => {
    let inside = 0;
    const seen: number[] = [];
    const work = async () => {
      seen.push(++inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside--;
    };
    await Promise.all([1, 2, 3].map(() => withLock('lab-test', work)));
    expect(seen).toEqual([1, 1, 1]);
  });

  test('of a killed holder are free', async () => {
    const script = `
      import { withLock } from ${JSON.stringify(join(import.meta.dirname, '../../lab/lock.ts'))};
      await withLock('lab-test-killed', async () => {
        console.log('held');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });`;
    const holder = execa('node', ['--input-type=module-typescript', '--eval', script], { reject: false });
    expect(await firstLine(holder)).toBe('held');
    const waiting = withLock('lab-test-killed', async () => 'in');
    const early = new Promise((resolve) => setTimeout(resolve, 200, 'still out'));
    expect(await Promise.race([waiting, early])).toBe('still out');
    holder.kill('SIGKILL');
    await expect(waiting).resolves.toBe('in');
  });
});

test('free ports are distinct', async () => {
  expect(new Set(await freePorts(50)).size).toBe(50);
});

describe.each(ENGINES)('Engine %s', (version) => {
  let engine: Engine;
  let image: string;
  const name = `lab-test-${process.pid}`;

  beforeAll(async () => {
    engine = await ensureEngine(engineHere(version));
    image = await ensureWorkloadImage(engine.socketPath);
  });
  afterAll(async () => {
    await docker(engine, 'rm', '-f', name, `${name}-peer`).catch(() => {});
    await docker(engine, 'network', 'rm', name).catch(() => {});
  });

  test('is of that version, and found again', async () => {
    expect(engine.version).toMatch(new RegExp(`^${version === '28.5' ? '(28|29|[3-9]\\d)' : '20\\.10'}\\.`));
    const pid = await pidOf(engine);
    expect(pid).toBeGreaterThan(0);
    expect(await pidOf(await ensureEngine(engineHere(version)))).toBe(pid);
  });

  test('is used as the host engine where it answers, and then not stopped', async () => {
    const host = await ensureEngine({ version: 'host', env: { DOCKER_HOST: `unix://${engine.socketPath}` } });
    expect(host).toMatchObject({ isOwn: false, socketPath: engine.socketPath, version: engine.version });
    await host.stop();
    await expect(host.kill()).rejects.toThrow("not the lab's");
    await expect(docker(engine, 'version')).resolves.toContain(engine.version);
  });

  test('joins containers on a network of both families', async () => {
    await docker(engine, 'network', 'create', '--ipv6', '--subnet', 'fd00:e9:5::/64', name);
    await docker(engine, 'run', '-d', '--name', `${name}-peer`, '--network', name, image);
    const ping = (command: string) =>
      docker(engine, 'run', '--rm', '--network', name, image, command, '-c1', '-W5', `${name}-peer`);
    await expect(ping('ping')).resolves.toContain(' 0% packet loss');
    await expect(ping('ping6')).resolves.toContain(' 0% packet loss');
  });

  test('is not disturbed when another engine starts', async () => {
    const rules = async () => [await iptables(engine, 'filter'), await iptables(engine, 'nat')];
    const before = await rules();
    const other = await startEngine({ version: '28.5', name: 'lab-test-other' });
    await other.remove();
    expect(await rules()).toEqual(before);
  });

  test('publishes ports', async () => {
    const [port = 0] = await freePorts(1);
    const serve = 'mkdir /www && echo hello > /www/index.html && httpd -f -h /www';
    await docker(engine, 'run', '-d', '--name', name, '-p', `${port}:80`, image, 'sh', '-c', serve);
    const get = async () => (await fetch(`http://${engine.publishedAddress}:${port}/`)).text();
    await expect(waitFor(() => get().catch(() => undefined), { what: 'httpd' })).resolves.toBe('hello\n');
  });

  test('does not make an image again', async () => {
    const id = () => docker(engine, 'image', 'inspect', '-f', '{{.Id}}', image);
    const before = await id();
    await ensureWorkloadImage(engine.socketPath);
    expect(await id()).toBe(before);
  });

  test('takes compose files', async () => {
    const compose = await ensureCompose();
    const project = mkdtempSync(join(folder, 'compose-'));
    const file = { services: { app: { image, network_mode: 'none' } } };
    writeFileSync(join(project, 'compose.yaml'), JSON.stringify(file));
    await compose.run(engine.socketPath, ['up', '-d'], { cwd: project });
    try {
      const services = await compose.run(engine.socketPath, ['ps', '--services'], { cwd: project });
      expect(services).toBe('app');
    } finally {
      await compose.run(engine.socketPath, ['down', '-t', '1'], { cwd: project });
    }
  });
});

/** What is in them is the same on each Engine. */
describe(`the images, on Engine ${ONE_ENGINE},`, () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await ensureEngine(engineHere(ONE_ENGINE));
  });

  // Making a Debian takes its minute on a busy machine.
  const slow = 300_000;

  test('one has Node and npm', { timeout: slow }, async () => {
    const base = await ensureBaseImage(engine.socketPath);
    const versions = await docker(engine, 'run', '--rm', base, 'sh', '-c', 'node --version && npm --version');
    expect(versions).toMatch(/^v2[4-9]\.[\d.]+\n\d+\.\d+\.\d+$/);
  });

  test('one can open raw sockets', { timeout: slow }, async () => {
    const tools = await ensureEscapeImage(engine.socketPath);
    const script = 'import socket; print(socket.socket(socket.AF_PACKET, socket.SOCK_RAW).family)';
    await expect(docker(engine, 'run', '--rm', tools, 'python3', '-c', script)).resolves.toMatch(
      /17|AF_PACKET/,
    );
  });
});

describe.each(ENGINES)('an Engine %s of a test', (version) => {
  let engine: OwnEngine;

  beforeAll(async () => {
    const options = { name: `lab-test-${version}`, daemonOptions: ['--live-restore'], diesWithParent: true };
    engine = await startEngine({ version, ...options });
    const image = await ensureWorkloadImage(engine.socketPath);
    await docker(engine, 'run', '-d', '--name', 'survivor', image);
  });
  afterAll(() => engine.remove());

  test('can be killed and restarted under its containers, and reload its configuration', async () => {
    const startedAt = () =>
      docker(engine, 'inspect', '-f', '{{.State.Running}} {{.State.StartedAt}}', 'survivor');
    const before = await startedAt();
    await engine.kill();
    await expect(docker(engine, 'version')).rejects.toThrow();
    await engine.start();
    await engine.restart();
    writeFileSync(engine.configFile, '{"labels": ["reloaded=yes"]}');
    engine.reload();
    const labels = () =>
      docker(engine, 'info', '-f', '{{.Labels}}').then((text) => text.includes('reloaded=yes'));
    await waitFor(labels, { what: 'the reload' });
    expect(await startedAt()).toBe(before);
    expect(before).toMatch(/^true /);
  });
});

describe('Consul', () => {
  test('a dev agent serves, and forgets at a restart', async () => {
    await withConsul({}, async (consul) => {
      await consul.call('PUT', '/v1/kv/a', 'text');
      expect(await consul.call('GET', '/v1/kv/a?raw')).toEqual({ status: 200, body: 'text' });
      await consul.restart();
      expect((await consul.call('GET', '/v1/kv/a')).status).toBe(404);
    });
  });

  test('a data folder outlives a crash', async () => {
    await withConsul({ dataDir: join(folder, 'consul-data') }, async (consul) => {
      await consul.call('PUT', '/v1/kv/a', 'text');
      await consul.kill();
      await consul.start();
      expect((await consul.call('GET', '/v1/kv/a?raw')).body).toBe('text');
    });
  });

  test('a frozen server holds its connections and answers when thawed', async () => {
    await withConsul({}, async (consul) => {
      await consul.freeze();
      const answer = consul.call('GET', '/v1/status/leader').then(() => 'answered');
      const silence = new Promise((resolve) => setTimeout(resolve, 300, 'silence'));
      expect(await Promise.race([answer, silence])).toBe('silence');
      consul.thaw();
      expect(await answer).toBe('answered');
    });
  });

  test('ACLs deny by default', async () => {
    await withConsul({ acl: true }, async (consul) => {
      expect((await callConsul({ address: consul.address }, 'GET', '/v1/kv/a')).status).toBe(403);
      expect((await consul.call('PUT', '/v1/kv/a', 'text')).status).toBe(200);
    });
  });

  test('TLS is trusted with its own authority alone, and may ask for a certificate', async () => {
    await withConsul({ tls: 'mutual' }, async (consul) => {
      const { address, certificates } = consul;
      if (certificates === undefined) throw new Error('no certificates');
      expect((await consul.call('GET', '/v1/status/leader')).status).toBe(200);
      const other = await makeCertificates(join(folder, 'other-ca'), ['localhost']);
      const ask = (shown: typeof other) =>
        callConsul({ address, certificates: shown }, 'GET', '/v1/status/leader');
      await expect(ask({ ...certificates, caFile: other.caFile })).rejects.toThrow(/certificate/);
      await expect(ask({ ...certificates, client: other.client })).rejects.toThrow();
    });
  });

  test('client agents answer with what the servers know', async () => {
    await withConsul({ servers: 3, agents: 2 }, async (consul) => {
      await consul.call('PUT', '/v1/kv/a', 'text');
      for (const { address } of consul.agents) {
        expect((await callConsul({ address }, 'GET', '/v1/kv/a?raw&consistent')).body).toBe('text');
        const { body } = await callConsul({ address }, 'GET', '/v1/agent/self');
        expect(body).toMatchObject({ Config: { Server: false } });
      }
    });
  });

  test('DNS is answered where it is asked for', async () => {
    await withConsul({}, async ({ dnsAddress }) => expect(dnsAddress).toBeUndefined());
    await withConsul({ dns: true }, async ({ dnsAddress = '' }) => {
      const resolver = new Resolver();
      resolver.setServers([dnsAddress]);
      const found = await waitFor(() => resolver.resolve4('consul.service.consul').catch(() => undefined), {
        what: 'an answer of its DNS server',
      });
      expect(found).toEqual(['127.0.0.1']);
    });
  });

  test('client agents without a cluster are refused', async () => {
    await expect(startConsul({ agents: 1 })).rejects.toThrow('Client agents need three servers');
  });

  test('three servers lose one and elect another leader', async () => {
    await withConsul({ servers: 3 }, async (consul) => {
      const leader = async () => (await consul.call('GET', '/v1/status/leader')).body;
      const host = String(await leader()).split(':')[0] ?? '';
      const [leading] = consul.servers.filter(({ address }) => new URL(address).hostname === host);
      const [follower] = consul.servers.filter(({ address }) => new URL(address).hostname !== host);
      await leading?.kill();
      const write = async () => {
        const reply = await callConsul({ address: follower?.address ?? '' }, 'PUT', '/v1/kv/a', 'text');
        return reply.status === 200;
      };
      await waitFor(() => write().catch(() => false), { what: 'another leader', timeout: 60_000 });
    });
  });

  test('two datacenters know each other', async () => {
    await withConsul({}, async (first) => {
      await withConsul({ datacenter: 'dc2', joinWan: first.wanAddresses }, async (second) => {
        const nodes = async () => (await second.call('GET', '/v1/catalog/nodes?dc=dc1')).status === 200;
        await waitFor(nodes, { what: 'the federation', timeout: 60_000 });
      });
    });
  });

  test('runs where an Engine runs, for its containers in the host network', async () => {
    const engine = await ensureEngine(engineHere('28.5'));
    const image = await ensureWorkloadImage(engine.socketPath);
    await withConsul({ engine }, async (consul) => {
      const url = `http://127.0.0.1:${new URL(consul.address).port}/v1/status/leader`;
      const leader = docker(engine, 'run', '--rm', '--network', 'host', image, 'wget', '-qO-', url);
      await expect(leader).resolves.toContain('127.0.0.1:');
    });
  });
});

test.each([2, 3])('%i namespaces reach each other in both families', async (count) => {
  const set = await createNamespaces(count);
  try {
    const [first, ...others] = set.namespaces;
    for (const { ipv4, ipv6 } of others) {
      await first?.run('busybox', ['ping', '-c1', '-W5', ipv4]);
      await first?.run('busybox', ['ping6', '-c1', '-W5', ipv6]);
    }
    expect(await first?.run('cat', [], { input: 'text' })).toMatchObject({ exitCode: 0, stdout: 'text' });
  } finally {
    await set.dispose();
  }
  const { stdout } = await execa('ip', ['netns', 'list']);
  expect(stdout).not.toContain(set.namespaces[0]?.name);
});

function firstLine({ stdout }: { stdout: NodeJS.ReadableStream | null }): Promise<string> {
  return new Promise((resolve) => stdout?.once('data', (chunk) => resolve(String(chunk).trim())));
}

async function docker(engine: Engine, ...args: string[]): Promise<string> {
  const { stdout } = await execa('docker', ['-H', `unix://${engine.socketPath}`, ...args], {
    stdin: 'ignore',
  });
  return stdout;
}

async function iptables({ networkPrefix }: Engine, table: string): Promise<string> {
  const [command = 'iptables', ...args] = [...networkPrefix, 'iptables', '-w', '-t', table, '-S'];
  return (await execa(command, args)).stdout;
}

async function pidOf({ name }: Engine): Promise<number | undefined> {
  return (await labEngines()).find((engine) => engine.name === name)?.pid;
}

async function withConsul(options: ConsulOptions, work: (consul: Consul) => Promise<void>): Promise<void> {
  const consul = await startConsul(options);
  try {
    await work(consul);
  } finally {
    await consul.stop();
  }
}
