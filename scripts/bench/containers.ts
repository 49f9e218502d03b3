/**
 * Real containers: the time from a container's start, an edit in Consul or a change in its catalog to the rules
 * in the kernel, for both loaders, compared with a bare helper and a bare nft.
 */
import { randomUUID } from 'node:crypto';
import { execa } from 'execa';
import type { Consul } from '../../lab/consul.ts';
import type { Engine } from '../../lab/engine.ts';
import { ensureWorkloadImage } from '../../lab/images.ts';
import { connect } from '../../src/sources/docker/connect.ts';
import { type LogLine, type RunningController, startController } from '../../test/support/egresstrator.ts';
import { type Figure, medianOf, milliseconds, sample } from './measure.ts';
import { loadable, renderRules } from './rules.ts';

export type Loader = 'helper' | 'nsenter';

export interface ContainerBench {
  readonly engine: Engine;
  readonly consul: Consul;
  /** For helpers. */
  readonly image: string;
  /** The controller's. */
  readonly program: string;
  /** Numbers of workloads that start at once, ascending. */
  readonly workloadCounts: readonly number[];
  readonly starts: number;
}

const CONCURRENCY = 4;
/** The number of bare helpers that measure how many the Engine can run at once. */
const BARE_HELPERS = 40;
const KEY = 'egress/acl/bench';

export async function benchContainers(bench: ContainerBench): Promise<readonly Figure[]> {
  const { alone: bareHelper, together } = await benchBareHelpers(bench);
  const figures: Figure[] = [
    {
      ...{ group: `bare helpers, Engine ${bench.engine.version}`, unit: 'ms' },
      ...{ what: `${BARE_HELPERS} bare helpers, ${CONCURRENCY} at once`, value: together },
      ...{ floor: (bareHelper * BARE_HELPERS) / CONCURRENCY, floorName: 'ms one helper × n ÷ 4' },
    },
  ];
  for (const loader of ['nsenter', 'helper'] as const) {
    await using fixture = await openFixture(bench, loader);
    const bareNft = await fixture.bareNft();
    const floor = loader === 'helper' ? bareHelper : bareNft;
    const floorName = loader === 'helper' ? 'ms bare helper' : 'ms bare nft';
    const group = `containers, Engine ${bench.engine.version}, loader ${loader}`;
    const base = { group, unit: 'ms', floor, floorName };
    const target = loader === 'helper' ? '≤ 1.3' : '≤ 3';
    const { job, whole } = await fixture.startToEnforced(bench.starts);
    figures.push({ ...base, what: 'the load of one start', value: job, target });
    figures.push({ ...base, what: 'start → enforced, one container', value: whole });
    for (const count of bench.workloadCounts) figures.push(...(await benchWorkloads(fixture, count, base)));
  }
  return figures;
}

type Base = Pick<Figure, 'group' | 'unit' | 'floor' | 'floorName'> & { readonly floor: number };

async function benchWorkloads(fixture: Fixture, count: number, base: Base): Promise<readonly Figure[]> {
  const together = await fixture.grow(count);
  const all = {
    ...base,
    floor: (base.floor * count) / Math.min(CONCURRENCY, count),
    floorName: `${base.floorName} × n ÷ ${CONCURRENCY}`,
  };
  const isLarge = count >= 100 ? { most: 2_000 } : {};
  const target = base.group.endsWith('helper') ? { target: '≤ 1.3' } : isLarge;
  const edit = await fixture.edit();
  const change = await fixture.catalogChange();
  return [
    ...(together === undefined
      ? []
      : [
          { ...all, what: `started at once, until all ${together.count} are enforced`, value: together.took },
        ]),
    { ...all, what: `KV edit → the last of ${count} workloads`, value: edit, ...target },
    { ...all, what: `service registered → the last of ${count} workloads`, value: change },
  ];
}

/** Times the Engine alone: create, start, run and remove a helper. The median for one, and the time for many. */
async function benchBareHelpers({ engine, image }: ContainerBench) {
  const api = connect({ socketPath: engine.socketPath });
  const body = {
    Image: image,
    Cmd: ['version'],
    HostConfig: { NetworkMode: 'none', LogConfig: { Type: 'none' } },
  };
  const runHelper = async () => {
    const id = await api.create(`egresstrator-bench-${randomUUID()}`, body);
    const ended = api.wait(id, 30_000);
    await api.start(id);
    await ended;
    await api.remove(id);
  };
  const runInTurn = async () => {
    for (let lives = 0; lives < BARE_HELPERS / CONCURRENCY; lives += 1) await runHelper();
  };
  try {
    const alone = await medianOf(7, runHelper);
    const together = await milliseconds(() => Promise.all(Array.from({ length: CONCURRENCY }, runInTurn)));
    return { alone, together };
  } finally {
    api.close();
  }
}

interface Fixture extends AsyncDisposable {
  bareNft(): Promise<number>;
  /** Medians of the load alone, and from the container's start time to the rules in the kernel. */
  startToEnforced(times: number): Promise<{ readonly job: number; readonly whole: number }>;
  /** Starts workloads until `count` run. Returns the time until all new ones were enforced. */
  grow(count: number): Promise<{ readonly count: number; readonly took: number } | undefined>;
  edit(): Promise<number>;
  catalogChange(): Promise<number>;
}

async function openFixture(bench: ContainerBench, loader: Loader): Promise<Fixture> {
  const { engine, consul, image, program } = bench;
  const workload = await ensureWorkloadImage(engine.socketPath);
  const docker = async (...args: readonly string[]) =>
    (await execa('docker', ['-H', `unix://${engine.socketPath}`, ...args])).stdout.trim();
  await consul.call('PUT', `/v1/kv/${KEY}`, '10.0.0.1:tcp/1\nbench-service');
  const args = [
    '-c',
    consul.address,
    '--loader',
    loader,
    '--image',
    image,
    '--concurrency',
    String(CONCURRENCY),
  ];
  const controller = await startController({ engine, args, program });
  const names: string[] = [];
  // Each registration must differ from those of the other loader, so that it is a change.
  let edits = loader === 'nsenter' ? 0 : 100;
  const start = async () => {
    const name = `egresstrator-bench-${randomUUID().slice(0, 8)}`;
    names.push(name);
    const ask = ['-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL=bench'];
    await docker('run', '-d', '--name', name, '--init=false', ...ask, workload);
    return name;
  };
  const remove = async (gone: readonly string[]) => {
    for (let at = 0; at < gone.length; at += 20) await docker('rm', '-f', ...gone.slice(at, at + 20));
  };
  const afterAll = async (change: () => Promise<unknown>) => {
    const from = controller.log.length;
    const started = Date.now();
    await change();
    const lines = await loaded(controller, names, from);
    return Math.max(...lines.map(({ time }) => Date.parse(time))) - started;
  };
  return {
    bareNft: () => bareNft(docker, start),
    startToEnforced: async (times) => {
      const found: { job: number; whole: number }[] = [];
      for (let n = 0; n < times; n += 1) {
        const from = controller.log.length;
        const name = await start();
        const [line] = await loaded(controller, [name], from);
        const began = Date.parse(await docker('inspect', '--format', '{{.State.StartedAt}}', name));
        found.push({ job: Number(line?.ms), whole: Date.parse(line?.time ?? '') - began });
      }
      const median = (key: 'job' | 'whole') => sample(found.map((one) => one[key])).median;
      return { job: median('job'), whole: median('whole') };
    },
    grow: async (count) => {
      const more = count - names.length;
      if (more < 0) await remove(names.splice(count));
      if (more <= 0) return undefined;
      const from = controller.log.length;
      const started = Date.now();
      const fresh = await Promise.all(Array.from({ length: more }, start));
      const lines = await loaded(controller, fresh, from);
      return { count: more, took: Math.max(...lines.map(({ time }) => Date.parse(time))) - started };
    },
    edit: () => {
      edits += 1;
      const rules = `10.0.0.1:tcp/1,${1000 + edits}\nbench-service`;
      return afterAll(() => consul.call('PUT', `/v1/kv/${KEY}`, rules));
    },
    catalogChange: () => {
      edits += 1;
      const service = { Name: 'bench-service', ID: `bench-${edits}`, Address: `10.1.0.${edits}`, Port: 80 };
      return afterAll(() => consul.call('PUT', '/v1/agent/service/register', service));
    },
    [Symbol.asyncDispose]: async () => {
      await controller[Symbol.asyncDispose]();
      await remove(names);
    },
  };
}

/** Waits until each container's load is logged, and returns these lines. */
async function loaded(
  controller: RunningController,
  names: readonly string[],
  from: number,
): Promise<readonly LogLine[]> {
  const lines: LogLine[] = [];
  for (const name of names) {
    const fits = ({ msg, container }: LogLine) => msg === 'rules loaded' && container === name;
    lines.push(await controller.logged(fits, `rules loaded in ${name}`, from, 120_000));
  }
  return lines;
}

/** Times `nsenter … nft -f` with the loaded text. */
async function bareNft(
  docker: (...args: readonly string[]) => Promise<string>,
  start: () => Promise<string>,
): Promise<number> {
  const pid = await docker('inspect', '--format', '{{.State.Pid}}', await start());
  const facts = 'define interfaces = { "lo", "eth0" }\ndefine onlink6 = { ::1 }\ndefine settled = 1\n';
  const input =
    facts +
    loadable(renderRules('10.0.0.1:tcp/1'))
      .replace(/egresstrator \{/g, 'by_hand {')
      .replace(/(delete table \w+) egresstrator/g, '$1 by_hand');
  const enter = ['--net=/proc/PID/ns/net'.replace('PID', pid), 'nft', '-f', '-'];
  return medianOf(7, () => execa('nsenter', enter, { input }));
}
