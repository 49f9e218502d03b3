/**
 * Attempts to open ports that the guard keeps closed. Each port is first reached without a controller. Then the port of an
 * honest container is open under the guard, which shows that it works, and that of the attempt is not.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningController, runCli } from '../support/egresstrator.ts';
import { addressOf, EngineHost } from '../support/engine-host.ts';
import { onEachEngine } from '../support/engines.ts';
import type { Workload, Workloads } from '../support/workloads.ts';
import { loadImages } from './images.ts';
import { type ClosedPort, consulAttempts, imageAttempts, VICTIM_PORTS } from './open-ports.ts';

/** A control character but for line breaks, or one that turns the direction of a line. */
const hasCodes = (text: string): boolean => /[^\n\P{C}]/u.test(text);

onEachEngine((version) => {
  let host: EngineHost;
  let workloads: Workloads;
  let controller: RunningController;
  let victim: Workload;
  let honest: Workload;
  const attackers: Workload[] = [];
  /** What each attempt is after, as it was without a controller. */
  let before: readonly string[];

  beforeAll(async () => {
    // The guard alone decides here.
    host = await EngineHost.start(version, { daemonOptions: ['--iptables=false'] });
    workloads = host.workloads;
    const specs = imageAttempts.map((one, index) => [`port${index}`, one.image] as const);
    await loadImages(host.engine.socketPath, Object.fromEntries(specs));
    victim = await workloads.run('victim', { args: ['-e', 'SERVICE_81_IGNORE=true', ...VICTIM_PORTS] });
    honest = await workloads.run('honest', { args: ['--publish', '8080:80'] });
    for (const { probe } of [victim, honest]) await probe.serve([80, 81]);
    for (const index of imageAttempts.keys()) attackers.push(await attack(index));
    before = await Promise.all(imageAttempts.map((one, index) => answers(one.closed, index)));
    controller = await guarded('engine');
  }, 600_000);
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
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
    const args = ['--ports-services', services, '--ports', 'enforce', '--ports-family', 'both'];
    const one = await host.control(args);
    await host.becomes(addressOf(honest), 81, 'timeout').catch((error: unknown) => {
      throw new Error(`${error}\n${one.output.slice(-10_000)}`);
    });
    return one;
  };

  const place = ({ of, port }: ClosedPort, index = 0) =>
    [addressOf(of === 'victim' ? victim : (attackers[index] ?? victim)), port] as const;
  const calls = (closed: ClosedPort, index?: number) => host.calls(...place(closed, index));
  const answers = (closed: ClosedPort, index?: number) => host.answers(...place(closed, index));

  test.each(imageAttempts.map(({ name }, index) => [name, index] as const))('%s', async (_, index) => {
    const { closed, sharesNamespace } = imageAttempts[index] ?? {};
    if (closed === undefined) throw new Error('it was not made');
    expect(before[index]).toBe('ok');
    await host.becomes(addressOf(honest), 80, 'ok');
    // Nor by Docker's proxy.
    const isPublished = closed.port === 80 && sharesNamespace !== true;
    const proxied = closed.of === 'victim' ? [8091] : isPublished ? [9000 + index] : [];
    const byProxy = proxied.map((port) => host.calls(host.engine.publishedAddress, port));
    const outcomes = await Promise.all([calls(closed, index), ...byProxy]);
    expect(outcomes.filter((one) => one !== 'timeout')).toEqual([]);
  });

  test('all of them delay no neighbour, and write no codes', async () => {
    const later = await workloads.run('later', { args: ['--publish', '8070:80'] });
    await later.probe.serve([80, 81]);
    await host.becomes(addressOf(later), 80, 'ok');
    expect(await host.calls(addressOf(later), 81)).toBe('timeout');
    const { stdout, stderr } = await runCli(['ports', '--socket', controller.socket]);
    expect(stdout).toContain('honest');
    expect(hasCodes(stdout + stderr)).toBe(false);
    expect(stdout.length).toBeLessThan(100_000);
  });

  test('registrations in Consul', async () => {
    await controller[Symbol.asyncDispose]();
    controller = await guarded('consul');
    const unused = addressOf(victim).replace(/\d+$/, '77');
    const places = { unused, loopback: '127.0.0.1', other: addressOf(attackers[0] ?? victim) };
    for (const [index, { at, port, service = 'shop' }] of consulAttempts.entries())
      await host.register(`s${index}`, places[at], port, { Service: service });
    // Consul tells of all of them before this one.
    await host.register('last', addressOf(honest), 80);
    await host.becomes(addressOf(honest), 80, 'ok');
    const after = await Promise.all(
      consulAttempts.map(async ({ name, closed }) => ({ name, is: await calls(closed) })),
    );
    expect(after.filter(({ is }) => is !== 'timeout')).toEqual([]);
    expect(await host.calls(host.engine.publishedAddress, 8091)).toBe('timeout');
    const { stdout, stderr } = await runCli(['ports', '--socket', controller.socket]);
    expect(hasCodes(stdout + stderr)).toBe(false);
    // It is the victim's registration that opens it.
    await host.register('own', addressOf(victim), 81);
    await host.becomes(addressOf(victim), 81, 'ok');
  });
});
