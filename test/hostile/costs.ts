/**
 * What a hostile workload costs others: delay for the rules of its neighbours, log lines, and memory.
 */
import { expect } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { memoryOf } from '../support/footprint.ts';
import type { Attacker } from './attacker.ts';
import { DENIED_TARGET, enabledByVariables } from './attempts.ts';
import { type AttemptContext, assertConclusive, type CustomAttempt } from './custom-attempts.ts';
import type { ImageSpec } from './images.ts';

/** Limits of these costs, in milliseconds, bytes and MiB. */
const LIMITS = { delay: 1_000, log: 1_000_000, memory: 50 } as const;

/** In MiB, for settings of 20 MB. They come with each inspection, list and event, and parts await the next collection. */
const LARGE_MEMORY_LIMIT = 120;

const keys = (count: number): string => Array.from({ length: count }, (_, i) => `k${i.toString(36)}`).join();

/** Each image has a twin of the same size without our settings, to subtract the time that the Engine needs for it. */
const sizes: Readonly<Record<string, (prefix: string) => ImageSpec>> = {
  'label-2500000': (prefix) => ({ labels: { [`${prefix}.acl`]: keys(2_500_000) } }),
  variable: (prefix) => ({ env: [`${prefix.toUpperCase()}_ACL=${keys(20_000).slice(0, 120_000)}`] }),
  variables: (prefix) => ({
    env: Array.from({ length: 12 }, (_, i) => `${prefix.toUpperCase()}_X${i}=${'x'.repeat(120_000)}`),
  }),
};

/** Made when they are asked for: they are 60 MB of text. */
export const costImages = (): Readonly<Record<string, ImageSpec>> =>
  Object.fromEntries(
    Object.entries(sizes).flatMap(([name, spec]) => [
      [name, spec('egresstrator')],
      [`${name}-twin`, spec('other')],
    ]),
  );

export const costs: readonly CustomAttempt[] = [
  oversizedSettings('label-2500000', 'an image label with 2,500,000 keys', 12_000_000, LARGE_MEMORY_LIMIT),
  oversizedSettings('variable', 'an image variable with 20,000 keys', 80_000),
  oversizedSettings('variables', 'image variables of 1.4 MB', 1_400_000),
  {
    name: 'containers that exit at once and always restart',
    make: (context) =>
      assertCheap(context, (isTwin) => startCrashLoops(context, isTwin ? [] : enabledByVariables)),
  },
];

type Cleanup = () => Promise<unknown>;

/** Starts a container of an image with that many bytes of settings. */
function oversizedSettings(
  image: string,
  name: string,
  bytes: number,
  most: number = LIMITS.memory,
): CustomAttempt {
  const start = async (context: AttemptContext, isTwin: boolean): Promise<Cleanup> => {
    const options = isTwin ? [] : ['-e', 'EGRESSTRATOR_ENABLE=1'];
    const attacker = await context.run(isTwin ? `${image}-twin` : image, { options }).catch(() => undefined);
    if (attacker === undefined) {
      // With the gate, it does not have to start.
      assertConclusive(context.start === 'with the gate' && !isTwin, 'it does not start');
      return async () => {};
    }
    const { Config } = await attacker.inspect();
    assertConclusive(
      JSON.stringify([Config.Env, Config.Labels]).length > bytes,
      'the Engine has not kept the settings',
    );
    const stopped = async () => !(await attacker.reaches(DENIED_TARGET));
    if (!isTwin) await waitFor(stopped, { what: `${name} to be under rules`, timeout: 60_000 });
    return () => context.testbed.must('rm', '--force', attacker.id);
  };
  return { name, make: (context) => assertCheap(context, (isTwin) => start(context, isTwin), most) };
}

async function startCrashLoops(
  { testbed, start }: AttemptContext,
  options: readonly string[],
): Promise<Cleanup> {
  const label = ['--label', `egresstrator-test=${testbed.workloads.prefix}`];
  const gate = start === 'with the gate' ? ['--runtime', 'egresstrator'] : [];
  const run = [
    'run',
    '--detach',
    ...label,
    ...gate,
    ...options,
    '--restart',
    'always',
    '--entrypoint',
    '/bin/false',
  ];
  const ids = await Promise.all(Array.from({ length: 5 }, () => testbed.must(...run, 'hostile:plain')));
  const restarts = async () =>
    Number(await testbed.must('inspect', '--format', '{{.RestartCount}}', ids[0] ?? '')) > 2;
  await waitFor(restarts, { what: 'restarts', timeout: 60_000 });
  return () => testbed.must('rm', '--force', ...ids);
}

/** On a busy machine any step may take a second now and then, but not in each round. */
const ROUNDS = 5;

async function assertCheap(
  context: AttemptContext,
  hostile: (isTwin: boolean) => Promise<Cleanup>,
  mostMemory: number = LIMITS.memory,
): Promise<void> {
  await timeNeighbour(context);
  const before = { log: context.controller().output.length, memory: memoryOf(context.controller()) };
  using memory = watchMemory(context);
  let delay = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS && delay >= LIMITS.delay; round++) {
    delay = Math.min(
      delay,
      (await delayBeside(context, () => hostile(false))) - (await delayBeside(context, () => hostile(true))),
    );
  }
  const grown = {
    delay,
    log: context.controller().output.length - before.log,
    memory: Math.round(memory.most - before.memory),
  };
  const where = `Engine ${context.testbed.engine.version}, ${context.start}`;
  process.stdout.write(`measured: ${where}: ${JSON.stringify(grown)}\n`);
  expect(grown.delay, 'delay of a neighbour, ms').toBeLessThan(LIMITS.delay);
  expect(grown.log, 'log, bytes').toBeLessThan(LIMITS.log);
  expect(grown.memory, 'memory, MiB').toBeLessThan(mostMemory);
}

/** The longest wait of a neighbour for its rules, while the container starts and after that. */
async function delayBeside(context: AttemptContext, begin: () => Promise<Cleanup>): Promise<number> {
  const beginning = begin();
  const delays = [await timeNeighbour(context), await timeNeighbour(context)];
  const end = await beginning;
  delays.push(await timeNeighbour(context));
  await end();
  return Math.max(...delays);
}

/** Milliseconds from the start of a neighbour until a denied destination is blocked. */
async function timeNeighbour({ testbed, run }: AttemptContext): Promise<number> {
  const attacker: Attacker = await run('plain', { options: enabledByVariables });
  const { State } = await attacker.inspect();
  const stopped = async () => !(await attacker.reaches(DENIED_TARGET));
  await waitFor(stopped, { what: 'the neighbour to be under rules', timeout: 60_000, interval: 50 });
  const took = Date.now() - Date.parse(State.StartedAt);
  await testbed.must('rm', '--force', attacker.id);
  return took;
}

function watchMemory(context: AttemptContext): Disposable & { readonly most: number } {
  let most = 0;
  const look = () => {
    most = Math.max(most, memoryOf(context.controller()));
  };
  const timer = setInterval(look, 50);
  return {
    get most() {
      return most;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
