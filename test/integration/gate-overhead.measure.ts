/**
 * What the gate costs at a start, against the same start without it, in the same minutes: the runs are
 * interleaved. GATE_RUNS says how many of each; default 20.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GateLab, openGateLab } from './gate-lab.ts';

const runs = Number(process.env.GATE_RUNS ?? 20);
const gate = ['--runtime', 'egresstrator'];

const kinds: Readonly<Record<string, readonly string[]>> = {
  plain: [],
  'passing through': gate,
  'prepared rules': [...gate, '-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL=db'],
  lockdown: [...gate, '-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL=other'],
};

describe.each(['20.10', '28.5'] as const)('Engine %s', (version) => {
  let lab: GateLab;
  beforeAll(async () => {
    lab = await openGateLab(version);
    await lab.prepare();
  });
  afterAll(() => lab?.close());

  test('a start costs little more', async () => {
    const times = new Map(Object.keys(kinds).map((kind) => [kind, [] as number[]]));
    for (let run = 0; run < runs; run++) {
      for (const [kind, options] of Object.entries(kinds)) times.get(kind)?.push(await timeOf(options));
    }
    const plain = times.get('plain') ?? [];
    for (const [kind, all] of times) {
      const ratio = median(all) / median(plain);
      const fastest = `fastest ${least(all)} ms (${(least(all) / least(plain)).toFixed(2)})`;
      console.log(
        `Engine ${version}, ${kind}: median ${median(all)} ms (${ratio.toFixed(2)}), ${fastest}, ${runs} runs`,
      );
      expect(ratio).toBeLessThan(10);
    }
  }, 600_000);

  const timeOf = async (options: readonly string[]) => {
    const from = performance.now();
    await lab.docker('run', '--rm', '--network', 'gate', ...options, lab.image, 'true');
    return Math.round(performance.now() - from);
  };
});

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** What other work on the machine disturbs least. */
const least = (values: readonly number[]): number => Math.min(...values);
