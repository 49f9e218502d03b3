/**
 * What a hostile workload costs the others: the rules of its neighbours, the log and the memory.
 */
import { expect } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { memoryOf } from '../support/footprint.ts';
import type { Attacker } from './attacker.ts';
import { byVariables, FORBIDDEN } from './attempts.ts';
import { type CustomAttempt, type Kit, proves } from './custom-attempts.ts';
import type { ImageSpec } from './images.ts';

/** What a hostile workload may cost, in milliseconds, bytes and MiB. */
const MOST = { delay: 1_000, log: 1_000_000, memory: 50 } as const;

/** In MiB: of 20 MB of words, which come with each inspection, list and event, pieces await the next collection. */
const MOST_OF_MANY = 120;

const keys = (count: number): string => Array.from({ length: count }, (_, i) => `k${i.toString(36)}`).join();

/** Each has a twin, as large, that says nothing to us: what the Engine needs for it is no fault of ours. */
const sizes: Readonly<Record<string, (prefix: string) => ImageSpec>> = {
  'label-200000': (prefix) => ({ labels: { [`${prefix}.acl`]: keys(200_000) } }),
  'label-2500000': (prefix) => ({ labels: { [`${prefix}.acl`]: keys(2_500_000) } }),
  variable: (prefix) => ({ env: [`${prefix.toUpperCase()}_ACL=${keys(20_000).slice(0, 120_000)}`] }),
  variables: (prefix) => ({
    env: Array.from({ length: 12 }, (_, i) => `${prefix.toUpperCase()}_X${i}=${'x'.repeat(120_000)}`),
  }),
};

export const costImages: Readonly<Record<string, ImageSpec>> = Object.fromEntries(
  Object.entries(sizes).flatMap(([name, spec]) => [
    [name, spec('egresstrator')],
    [`${name}-twin`, spec('other')],
  ]),
);

export const costs: readonly CustomAttempt[] = [
  ofWords('label-200000', 'a label of the image with 200,000 keys', 1_000_000),
  ofWords('label-2500000', 'a label of the image with 2,500,000 keys', 12_000_000, MOST_OF_MANY),
  ofWords('variable', 'a variable of the image with 20,000 keys', 80_000),
  ofWords('variables', 'variables of the image of 1.4 MB', 1_400_000),
  {
    name: 'containers that end as soon as they have begun, and are restarted for ever',
    make: (kit) => costsLittle(kit, (isTwin) => crashing(kit, isTwin ? [] : byVariables)),
  },
];

type End = () => Promise<unknown>;

/** A container of an image with that many bytes of words. */
function ofWords(image: string, name: string, bytes: number, most: number = MOST.memory): CustomAttempt {
  const start = async (kit: Kit, isTwin: boolean): Promise<End> => {
    const run = isTwin ? [] : ['-e', 'EGRESSTRATOR_ENABLE=1'];
    const attacker = await kit.run(isTwin ? `${image}-twin` : image, { run }).catch(() => undefined);
    if (attacker === undefined) {
      // With the gate it may as well not start.
      proves(kit.start === 'with the gate' && !isTwin, 'it does not start');
      return async () => {};
    }
    const { Config } = await attacker.see();
    proves(JSON.stringify([Config.Env, Config.Labels]).length > bytes, 'the Engine has not taken the words');
    const stopped = async () => !(await attacker.reaches(FORBIDDEN));
    if (!isTwin) await waitFor(stopped, { what: `${name} to be under rules`, timeout: 60_000 });
    return () => kit.testbed.must('rm', '--force', attacker.id);
  };
  return { name, make: (kit) => costsLittle(kit, (isTwin) => start(kit, isTwin), most) };
}

async function crashing({ testbed, start }: Kit, words: readonly string[]): Promise<End> {
  const label = ['--label', `egresstrator-test=${testbed.workloads.prefix}`];
  const gate = start === 'with the gate' ? ['--runtime', 'egresstrator'] : [];
  const run = [
    'run',
    '--detach',
    ...label,
    ...gate,
    ...words,
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

/** On a busy machine anything may take a second now and then, but not each time. */
const ROUNDS = 3;

async function costsLittle(
  kit: Kit,
  hostile: (isTwin: boolean) => Promise<End>,
  mostMemory: number = MOST.memory,
): Promise<void> {
  await neighbour(kit);
  const before = { log: kit.controller().output.length, memory: memoryOf(kit.controller()) };
  using memory = watchMemory(kit);
  let delay = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS && delay >= MOST.delay; round++) {
    delay = Math.min(
      delay,
      (await delayBeside(kit, () => hostile(false))) - (await delayBeside(kit, () => hostile(true))),
    );
  }
  const grown = {
    delay,
    log: kit.controller().output.length - before.log,
    memory: Math.round(memory.most - before.memory),
  };
  const where = `Engine ${kit.testbed.engine.version}, ${kit.start}`;
  process.stdout.write(`measured: ${where}: ${JSON.stringify(grown)}\n`);
  expect(grown.delay, 'delay of a neighbour, ms').toBeLessThan(MOST.delay);
  expect(grown.log, 'log, bytes').toBeLessThan(MOST.log);
  expect(grown.memory, 'memory, MiB').toBeLessThan(mostMemory);
}

/** The longest that neighbours wait for their rules while one begins, and once it is there. */
async function delayBeside(kit: Kit, begin: () => Promise<End>): Promise<number> {
  const beginning = begin();
  const delays = [await neighbour(kit), await neighbour(kit)];
  const end = await beginning;
  delays.push(await neighbour(kit));
  await end();
  return Math.max(...delays);
}

/** Milliseconds from its start until what is forbidden to it is stopped. */
async function neighbour({ testbed, run }: Kit): Promise<number> {
  const attacker: Attacker = await run('plain', { run: byVariables });
  const { State } = await attacker.see();
  const stopped = async () => !(await attacker.reaches(FORBIDDEN));
  await waitFor(stopped, { what: 'the neighbour to be under rules', timeout: 60_000, interval: 10 });
  const took = Date.now() - Date.parse(State.StartedAt);
  await testbed.must('rm', '--force', attacker.id);
  return took;
}

function watchMemory(kit: Kit): Disposable & { readonly most: number } {
  let most = 0;
  const look = () => {
    most = Math.max(most, memoryOf(kit.controller()));
  };
  const timer = setInterval(look, 50);
  return {
    get most() {
      return most;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
