/**
 * The cost of the gate at a container's start, compared with the same start without it. The kinds take turns, so that a
 * change in the machine's speed affects all of them.
 */
import type { EngineVersion } from '../../lab/engine.ts';
import { openGateLab } from '../../test/integration/gate-lab.ts';
import { type Figure, milliseconds, sample } from './measure.ts';

const gate = ['--runtime', 'egresstrator'];
const asking = (key: string) => [...gate, '-e', 'EGRESSTRATOR_ENABLE=1', '-e', `EGRESSTRATOR_ACL=${key}`];

const PLAIN = 'plain start';
const KINDS: ReadonlyMap<string, readonly string[]> = new Map([
  [PLAIN, []],
  ['through the gate, not a workload', gate],
  ['through the gate, prepared rules', asking('db')],
  ['through the gate, lockdown', asking('other')],
]);

export interface GateBench {
  readonly versions: readonly EngineVersion[];
  /** Starts of each kind. */
  readonly starts: number;
}

export async function benchGate({ versions, starts }: GateBench): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const version of versions) figures.push(...(await benchEngine(version, starts)));
  return figures;
}

/** `docker run --rm … true`, whole. */
async function benchEngine(version: EngineVersion, starts: number): Promise<readonly Figure[]> {
  const lab = await openGateLab(version);
  try {
    await lab.prepare();
    const times = new Map([...KINDS.keys()].map((kind): [string, number[]] => [kind, []]));
    for (let round = 0; round <= starts; round += 1) {
      for (const [kind, options] of KINDS) {
        const run = () => lab.docker('run', '--rm', '--network', 'gate', ...options, lab.image, 'true');
        const taken = await milliseconds(run);
        if (round > 0) times.get(kind)?.push(taken);
      }
    }
    const median = (kind: string) => sample(times.get(kind) ?? []).median;
    const plain = { floor: median(PLAIN), floorName: 'ms plain', target: '≤ 1.15' };
    const group = `a container's start and end, Engine ${version}`;
    return [...KINDS.keys()]
      .filter((kind) => kind !== PLAIN)
      .map((kind) => ({ group, what: kind, value: median(kind), unit: 'ms', ...plain }));
  } finally {
    await lab.close();
  }
}
