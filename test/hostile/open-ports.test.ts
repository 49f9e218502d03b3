/**
 * Attempts to open ports that the guard keeps closed. Each port is first reached without a controller. Then the port of an
 * honest container is open under the guard, which shows that it works, and that of the attempt is not.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type OwnEngine, startEngine } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, runCli, startController } from '../support/egresstrator.ts';
import { engineName, onEachEngine } from '../support/engines.ts';
import { ensureTestImage } from '../support/helper-image.ts';
import { type Probe, startProbe } from '../support/probes.ts';
import { type Workload, Workloads } from '../support/workloads.ts';
import { loadImages } from './images.ts';
import { type ClosedPort, consulAttempts, imageAttempts, VICTIM_PORTS } from './open-ports.ts';

const NODE = 'hostile-ports';
/** Milliseconds after which no answer is silence. */
const TIMEOUT = 1_500;

/** A control character but for line breaks, or one that turns the direction of a line. */
const hasCodes = (text: string): boolean => /[^\n\P{C}]/u.test(text);

onEachEngine((version) => {
  let consul: Consul;
  let engine: OwnEngine;
  let image: string;
  let workloads: Workloads;
  let outside: Probe;
  let controller: RunningController;
  let victim: Workload;
  let honest: Workload;
  const attackers: Workload[] = [];
  /** What each attempt is after, as it was without a controller. */
  let before: readonly string[];

  beforeAll(async () => {
    consul = await startConsul();
    // The guard alone decides here.
    const daemonOptions = ['--iptables=false'];
    engine = await startEngine({
      version,
      name: engineName(`open-${version}`),
      daemonOptions,
      diesWithParent: true,
    });
    image = await ensureTestImage(engine);
    workloads = await Workloads.on(engine);
    outside = startProbe(process.pid);
    const specs = imageAttempts.map((one, index) => [`port${index}`, one.image] as const);
    await loadImages(engine.socketPath, Object.fromEntries(specs));
    victim = await workloads.run('victim', { args: ['-e', 'SERVICE_81_IGNORE=true', ...VICTIM_PORTS] });
    honest = await workloads.run('honest', { args: ['--publish', '8080:80'] });
    for (const { probe } of [victim, honest]) await probe.serve([80, 81]);
    for (const index of imageAttempts.keys()) attackers.push(await attack(index));
    before = await Promise.all(imageAttempts.map(({ closed }, index) => calls(closed, index)));
    controller = await guarded('engine');
  }, 600_000);
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    await outside?.close();
    await workloads?.[Symbol.asyncDispose]();
    await engine?.remove();
    await consul?.stop();
  }, 120_000);

  async function attack(index: number): Promise<Workload> {
    const { options = [], sharesNamespace } = imageAttempts[index] ?? {};
    const attacker = await workloads.run(`a${index}`, {
      ...{ image: `hostile:port${index}`, command: ['sleep', '1000000'] },
      ...(sharesNamespace === true
        ? { network: `container:${victim.id}`, args: options }
        : { args: [...options, '--publish', `${9000 + index}:80`] }),
    });
    if (sharesNamespace !== true) await attacker.probe.serve([80, 81]);
    return attacker;
  }

  const guarded = async (services: string): Promise<RunningController> => {
    const source = ['-c', consul.address, '-i', image, '--node', NODE, '--ports-services', services];
    const one = await startController({
      ...{ engine, args: [...source, '--ports', 'enforce', '--ports-family', 'both'] },
    });
    await waitFor(async () => (await outcome(ipv4(honest), 81)) === 'timeout', {
      ...{ what: 'the guard', timeout: 90_000, interval: 250 },
    }).catch((error: unknown) => {
      throw new Error(`${error}\n${one.output.slice(-10_000)}`);
    });
    return one;
  };

  const ipv4 = ({ addresses }: Workload): string => addresses.bridge?.ipv4 ?? '';
  const outcome = async (address: string, port: number): Promise<string> =>
    (await outside.reach({ protocol: 'tcp', address, port }, TIMEOUT)).outcome;
  const calls = ({ of, port }: ClosedPort, index = 0): Promise<string> =>
    outcome(ipv4(of === 'victim' ? victim : (attackers[index] ?? victim)), port);

  test.each(imageAttempts.map(({ name }, index) => [name, index] as const))('%s', async (_, index) => {
    const { closed, sharesNamespace } = imageAttempts[index] ?? {};
    if (closed === undefined) throw new Error('it was not made');
    expect(before[index]).toBe('ok');
    await waitFor(async () => (await outcome(ipv4(honest), 80)) === 'ok', {
      ...{ what: 'the port of an honest container', timeout: 60_000 },
    });
    expect(await calls(closed, index)).toBe('timeout');
    // Nor by Docker's proxy.
    if (closed.of === 'victim') expect(await outcome(engine.publishedAddress, 8091)).toBe('timeout');
    else if (closed.port === 80 && sharesNamespace !== true)
      expect(await outcome(engine.publishedAddress, 9000 + index)).toBe('timeout');
  });

  test('all of them delay no neighbour, and write no codes', async () => {
    const later = await workloads.run('later', { args: ['--publish', '8070:80'] });
    await later.probe.serve([80, 81]);
    await waitFor(async () => (await outcome(ipv4(later), 80)) === 'ok', {
      ...{ what: 'the port of a later container', timeout: 20_000, interval: 100 },
    });
    expect(await outcome(ipv4(later), 81)).toBe('timeout');
    const { stdout, stderr } = await runCli(['ports', '--socket', controller.socket]);
    expect(stdout).toContain('honest');
    expect(hasCodes(stdout + stderr)).toBe(false);
    expect(stdout.length).toBeLessThan(100_000);
  });

  test('registrations in Consul', async () => {
    await controller[Symbol.asyncDispose]();
    controller = await guarded('consul');
    const register = (id: string, name: string, address: string, port: number) =>
      consul.call('PUT', '/v1/catalog/register', {
        ...{ Node: NODE, Address: '192.0.2.1' },
        Service: { ID: id, Service: name, Address: address, Port: port },
      });
    const unused = ipv4(victim).replace(/\d+$/, '77');
    const places = { unused, loopback: '127.0.0.1', other: ipv4(attackers[0] ?? victim) };
    for (const [index, { at, port, service = 'shop' }] of consulAttempts.entries())
      await register(`s${index}`, service, places[at], port);
    // Consul tells of all of them before this one.
    await register('last', 'last', ipv4(honest), 80);
    await waitFor(async () => (await outcome(ipv4(honest), 80)) === 'ok', {
      ...{ what: 'the port of an honest container', timeout: 60_000 },
    });
    for (const { name, closed } of consulAttempts)
      expect({ name, is: await calls(closed) }).toEqual({ name, is: 'timeout' });
    expect(await outcome(engine.publishedAddress, 8091)).toBe('timeout');
    const { stdout, stderr } = await runCli(['ports', '--socket', controller.socket]);
    expect(hasCodes(stdout + stderr)).toBe(false);
    // It is the victim's registration that opens it.
    await register('own', 'own', ipv4(victim), 81);
    await waitFor(async () => (await outcome(ipv4(victim), 81)) === 'ok', {
      ...{ what: 'the port of the victim', timeout: 60_000 },
    });
  });
});
