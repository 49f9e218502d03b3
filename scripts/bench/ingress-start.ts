/**
 * The time from a container's start to its rules in the kernel, with egress rules, ingress rules and both, loaded by
 * nsenter.
 */
import { randomUUID } from 'node:crypto';
import { execa } from 'execa';
import type { Consul } from '../../lab/consul.ts';
import type { Engine } from '../../lab/engine.ts';
import { ensureWorkloadImage } from '../../lab/images.ts';
import { type LogLine, type RunningController, startController } from '../../test/support/egresstrator.ts';
import { type Figure, sample } from './measure.ts';
import { ruleText } from './rules.ts';

export interface IngressStartBench {
  readonly engine: Engine;
  readonly consul: Consul;
  /** The controller's. */
  readonly program: string;
  readonly starts: number;
  /** Destinations and callers of the two keys. */
  readonly count: number;
}

const EGRESS = ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_ACL=bench'];
const INGRESS = ['EGRESSTRATOR_INGRESS=bench'];

/** Settings of the containers, with the rules to wait for. The first is the floor of the others. */
const KINDS = [
  { name: 'egress rules', settings: EGRESS, awaited: ['egress'] },
  { name: 'ingress rules', settings: INGRESS, awaited: ['ingress'] },
  { name: 'both', settings: [...EGRESS, ...INGRESS], awaited: ['egress', 'ingress'] },
] as const;

export async function benchIngressStart(bench: IngressStartBench): Promise<readonly Figure[]> {
  const { engine, consul, program, count } = bench;
  for (const folder of ['egress', 'ingress'])
    await consul.call('PUT', `/v1/kv/${folder}/acl/bench`, ruleText(count));
  const args = ['-c', consul.address, '--loader', 'nsenter'];
  await using controller = await startController({ engine, args, program });
  const taken = KINDS.map((): number[] => []);
  const start = await starter(bench, controller);
  for (let round = 0; round <= bench.starts; round += 1)
    for (const [at, kind] of KINDS.entries()) {
      const took = await start(kind);
      // The first of each reads its keys from Consul.
      if (round > 0) taken[at]?.push(took);
    }
  return figuresOf(
    taken.map((values) => sample(values).median),
    bench,
  );
}

const figuresOf = (medians: readonly number[], { engine, count }: IngressStartBench): readonly Figure[] =>
  KINDS.map(({ name }, at) => ({
    ...{ group: `start → enforced with ingress rules, Engine ${engine.version}`, unit: 'ms' },
    ...{ what: `${name}, ${count} lines each`, value: medians[at] ?? Number.NaN },
    ...(at === 0 ? {} : { floor: medians[0] ?? Number.NaN, floorName: `ms ${KINDS[0].name}` }),
  }));

async function starter({ engine }: IngressStartBench, controller: RunningController) {
  const image = await ensureWorkloadImage(engine.socketPath);
  const docker = async (...args: readonly string[]) =>
    (await execa('docker', ['-H', `unix://${engine.socketPath}`, ...args])).stdout.trim();
  return async ({ settings, awaited }: (typeof KINDS)[number]): Promise<number> => {
    const name = `egresstrator-bench-${randomUUID().slice(0, 8)}`;
    const from = controller.log.length;
    await docker(
      'run',
      '-d',
      '--name',
      name,
      '--init=false',
      ...settings.flatMap((one) => ['-e', one]),
      image,
    );
    try {
      const began = Date.parse(await docker('inspect', '--format', '{{.State.StartedAt}}', name));
      const times: number[] = [];
      for (const owner of awaited) {
        const isLoaded = (line: LogLine) =>
          line.msg === 'rules loaded' &&
          line.container === name &&
          (line.ingress !== undefined) === (owner === 'ingress');
        const { time } = await controller.logged(isLoaded, `${owner} rules in ${name}`, from, 120_000);
        times.push(Date.parse(time));
      }
      return Math.max(...times) - began;
    } finally {
      await docker('rm', '-f', name);
    }
  };
}
