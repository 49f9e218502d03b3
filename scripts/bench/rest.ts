/**
 * The controller at rest and under churn, with many workloads and services: processor time, memory,
 * and what it asks of Consul.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { Consul } from '../../lab/consul.ts';
import type { Engine } from '../../lab/engine.ts';
import { ensureWorkloadImage } from '../../lab/images.ts';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, startController } from '../../test/support/egresstrator.ts';
import type { Figure } from './measure.ts';

/** Milliseconds after which nothing of the start goes on any more. */
const SETTLING = 25_000;

export interface RestBench {
  readonly engine: Engine;
  readonly consul: Consul;
  readonly image: string;
  readonly program: string;
  readonly workloads: number;
  readonly services: number;
  readonly seconds: number;
}

export async function benchRest(bench: RestBench): Promise<readonly Figure[]> {
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
      await sleep(SETTLING);
      const group = `controller, ${workloads} workloads, ${services} services on ${connections} connections`;
      const calm = await watch(controller, consul, seconds, async () => {});
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
  /** Of one core, in percent: of the controller itself, and of the programs that it ran. */
  readonly own: number;
  readonly programs: number;
  /** Resident, in MB. */
  readonly memory: number;
  readonly requestsPerMinute: number;
  readonly loads: number;
}

const figuresOf = (group: string, when: string, watched: Watched): readonly Figure[] => {
  const most = (bound: number) => (when === 'at rest' ? { most: bound } : {});
  const { own, programs, memory } = watched;
  return [
    { group, what: `processor, ${when}`, value: own + programs, unit: '% of a core', ...most(1) },
    { group, what: `of that the programs it ran, ${when}`, value: programs, unit: '% of a core' },
    { group, what: `memory, ${when}`, value: memory, unit: 'MB', ...most(150) },
    { group, what: `Consul requests, ${when}`, value: watched.requestsPerMinute, unit: '1/min' },
    { group, what: `loads, ${when}`, value: watched.loads, unit: 'loads', ...most(0) },
  ];
};

async function watch(
  controller: RunningController,
  consul: Consul,
  seconds: number,
  eachSecond: () => Promise<void>,
): Promise<Watched> {
  const from = controller.log.length;
  const before = processorTime(controller.pid);
  const started = performance.now();
  for (let second = 0; second < seconds; second += 1) {
    await eachSecond();
    await sleep(Math.max(0, started + (second + 1) * 1000 - performance.now()));
  }
  const after = processorTime(controller.pid);
  const percent = (key: keyof ProcessorTime) =>
    (100 * 1000 * (after[key] - before[key])) / (performance.now() - started);
  const loads = controller.log.slice(from).filter(({ msg }) => msg === 'rules loaded').length;
  return {
    own: percent('own'),
    programs: percent('children'),
    memory: memoryOf(controller.pid),
    requestsPerMinute: await consulRequests(consul),
    loads,
  };
}

/** Seconds, user and system; the kernel counts in hundredths. */
interface ProcessorTime {
  readonly own: number;
  /** Of those that have ended. */
  readonly children: number;
}

function processorTime(pid: number): ProcessorTime {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const sum = (first: number) => (Number(fields[first]) + Number(fields[first + 1])) / 100;
  return { own: sum(11), children: sum(13) };
}

const memoryOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;

/** Consul's own count over its last whole interval of 10 s, without our asking for it. */
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
