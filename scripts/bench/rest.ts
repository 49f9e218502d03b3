/**
 * The controller at rest and under churn: on a host without workloads, beside the least that Node.js takes, and with
 * many workloads and services. Processor time, wake-ups, memory, and what it asks of Consul.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { Consul } from '../../lab/consul.ts';
import type { Engine } from '../../lab/engine.ts';
import { ensureWorkloadImage } from '../../lab/images.ts';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, startController } from '../../test/support/egresstrator.ts';
import type { Figure } from './measure.ts';
import { type Usage, type UsageTargets, usageFigures, usageOf } from './usage.ts';

/** Milliseconds until all work of the start is over. */
const SETTLE_TIME = 25_000;

export interface RestBench {
  readonly engine: Engine;
  readonly consul: Consul;
  readonly image: string;
  readonly program: string;
  readonly workloads: number;
  readonly services: number;
  readonly seconds: number;
}

const IDLE: UsageTargets = { processor: 0.05, wakeUps: 3, memory: 90, anonymous: 36 };
const LOADED: UsageTargets = { processor: 0.7, memory: 115, anonymous: 62 };

export async function benchRest(bench: RestBench): Promise<readonly Figure[]> {
  return [...(await benchIdle(bench)), ...(await benchLoaded(bench))];
}

/** However the controller is started, it should take the same. */
async function benchIdle(bench: RestBench): Promise<readonly Figure[]> {
  const { engine, consul, program, seconds } = bench;
  const group = 'controller, idle host';
  const bare = [join(import.meta.dirname, 'bare-node.mjs'), consul.address, engine.socketPath];
  const child = spawn(process.execPath, bare, { stdio: 'ignore' });
  const folder = mkdtempSync(join(tmpdir(), 'egt-rest-'));
  const byNode = join(folder, 'by-node');
  writeFileSync(byNode, `#!/bin/sh\nexec ${process.execPath} ${program} "$@"\n`, { mode: 0o755 });
  const args = ['-c', consul.address, '--loader', 'nsenter', '--register', 'bench'];
  try {
    await using one = await startController({ engine, args, program });
    await using other = await startController({
      engine,
      args: [...args, '--node', 'other'],
      program: byNode,
    });
    await sleep(SETTLE_TIME);
    const pids = [child.pid ?? 0, one.pid, other.pid];
    const [floor, itself, asScript] = await Promise.all(pids.map((pid) => usageOf(pid, seconds)));
    return [
      ...(floor === undefined ? [] : usageFigures(group, 'Node.js that only listens', floor)),
      ...(itself === undefined ? [] : usageFigures(group, 'started by its path', itself, IDLE)),
      ...(asScript === undefined ? [] : usageFigures(group, 'as `node main.js`', asScript, IDLE)),
    ];
  } finally {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function benchLoaded(bench: RestBench): Promise<readonly Figure[]> {
  const { engine, consul, image, program, workloads, services, seconds } = bench;
  await registerServices(consul, services);
  const names = await startWorkloads(engine, workloads);
  const figures: Figure[] = [];
  try {
    for (const connections of [80, services + 20]) {
      const limit = ['--consul-connections', String(connections)];
      const args = ['-c', consul.address, '--loader', 'nsenter', '--image', image, ...limit];
      await using controller = await startController({ engine, args, program });
      await waitFor(() => allProtected(controller, workloads), { what: 'all workloads', timeout: 300_000 });
      await sleep(SETTLE_TIME);
      const group = `controller, ${workloads} workloads, ${services} services on ${connections} connections`;
      const calm = await watch(controller, consul, seconds);
      figures.push(...figuresOf(group, 'at rest', calm));
      if (connections < services) continue;
      let edits = 0;
      const churn = await watch(controller, consul, seconds, async () => {
        edits += 1;
        await consul.call('PUT', '/v1/kv/egress/acl/churn', `10.0.0.1:tcp/${1 + (edits % 60_000)}`);
      });
      figures.push(...figuresOf(group, 'one edit a second', churn));
    }
    return figures;
  } finally {
    for (let at = 0; at < names.length; at += 20) {
      await execa('docker', ['-H', `unix://${engine.socketPath}`, 'rm', '-f', ...names.slice(at, at + 20)]);
    }
  }
}

interface Watched {
  readonly usage: Usage;
  readonly requestsPerMinute: number;
  readonly loads: number;
}

const figuresOf = (group: string, when: string, watched: Watched): readonly Figure[] => {
  const isCalm = when === 'at rest';
  const { usage, requestsPerMinute, loads } = watched;
  return [
    ...usageFigures(group, when, usage, isCalm ? LOADED : {}),
    { group, what: `Consul requests, ${when}`, value: requestsPerMinute, unit: '1/min' },
    { group, what: `loads, ${when}`, value: loads, unit: 'loads', ...(isCalm ? { most: 0 } : {}) },
  ];
};

async function watch(
  controller: RunningController,
  consul: Consul,
  seconds: number,
  eachSecond?: () => Promise<void>,
): Promise<Watched> {
  const from = controller.log.length;
  const usage = await usageOf(controller.pid, seconds, eachSecond);
  const loads = controller.log.slice(from).filter(({ msg }) => msg === 'rules loaded').length;
  return { usage, requestsPerMinute: await consulRequests(consul), loads };
}

/** Consul's own count over its last whole interval of 10 s, without the request that reads it. */
async function consulRequests(consul: Consul): Promise<number> {
  const { body } = await consul.call('GET', '/v1/agent/metrics');
  const samples = readSamples(body);
  const ours = samples.filter(({ Name }) =>
    /^consul\.http\.\w+\.v1\.(kv|catalog|health|internal)/.test(Name),
  );
  return 6 * ours.reduce((sum, { Count }) => sum + Count, 0);
}

interface MetricSample {
  readonly Name: string;
  readonly Count: number;
}

function readSamples(body: unknown): readonly MetricSample[] {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const parsed: { Samples?: readonly MetricSample[] } = JSON.parse(text);
  return parsed.Samples ?? [];
}

const allProtected = async (controller: RunningController, count: number): Promise<boolean> => {
  const { namespaces } = await controller.status();
  return namespaces.filter(({ state }) => state === 'protected').length >= count;
};

async function registerServices(consul: Consul, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, n) => `service-${n}`);
  for (const [n, name] of names.entries()) {
    const service = { Name: name, Address: `10.2.${n >> 8}.${n & 255}`, Port: 80 };
    await consul.call('PUT', '/v1/agent/service/register', service);
  }
  await consul.call('PUT', '/v1/kv/egress/acl/rest', names.join('\n'));
  await consul.call('PUT', '/v1/kv/egress/acl/churn', '10.0.0.1:tcp/1');
}

async function startWorkloads(engine: Engine, count: number): Promise<readonly string[]> {
  const image = await ensureWorkloadImage(engine.socketPath);
  const names = Array.from({ length: count }, () => `egresstrator-rest-${randomUUID().slice(0, 8)}`);
  const ask = ['-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL=rest'];
  for (let at = 0; at < names.length; at += 4) {
    const some = names.slice(at, at + 4);
    await Promise.all(
      some.map((name) =>
        execa('docker', ['-H', `unix://${engine.socketPath}`, 'run', '-d', '--name', name, ...ask, image]),
      ),
    );
  }
  return names;
}
