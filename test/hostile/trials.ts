/**
 * Makes all attempts of one Engine side by side, and notes what became of each:
 *
 *   1. without a controller, where nothing stops them: the first connection passes, and the trick has its effect;
 *   2. the controller comes: what is forbidden stops, what is granted works;
 *   3. the same attempts through the gate, under the running controller;
 *   4. a port is taken from the key, and then another while no controller runs: the flows to it are cut.
 */
import type { EngineVersion } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import type { RunningController } from '../support/egresstrator.ts';
import { type Attempt, FORBIDDEN } from './attempts.ts';
import { type Kit, runIn } from './feats.ts';
import { type ImageSpec, loadImages } from './images.ts';
import { type Flow, type Start, Subject } from './subject.ts';
import { openWorld, PORTS, type World } from './world.ts';

/** What went otherwise than it should, for a person to read. */
type Failings = string[];

export interface Trial {
  readonly attempt: Attempt;
  /** Why it proves nothing. */
  readonly control: Failings;
  readonly under: Readonly<Record<Start, Failings>>;
  readonly subjects: Partial<Record<Start, Subject>>;
  /** Why it does not start with the gate, which is as good. */
  refusal?: string;
}

/** Milliseconds: generous, as two Engines and fifty workloads share a machine. */
const PROTECTED = 90_000;
const CUT = 45_000;
/** Containers that are started at once. */
const ABREAST = 4;

export class Trials implements AsyncDisposable {
  readonly world: World;
  readonly trials: readonly Trial[];
  controller: RunningController | undefined;

  constructor(world: World, attempts: readonly Attempt[]) {
    this.world = world;
    this.trials = attempts.map((attempt) => ({
      attempt,
      control: [],
      under: { 'without the gate': [], 'with the gate': [] },
      subjects: {},
    }));
  }

  static async open(
    version: EngineVersion,
    attempts: readonly Attempt[],
    more: Readonly<Record<string, ImageSpec>>,
  ): Promise<Trials> {
    const world = await openWorld(version);
    const images = Object.fromEntries(attempts.map(({ image = {} }, index) => [`i${index}`, image]));
    await loadImages(world.engine.socketPath, { ...images, ...more, plain: {} });
    return new Trials(world, attempts);
  }

  async run(): Promise<void> {
    const say = reporter(this.world.engine.version);
    await this.#start('without the gate');
    await this.#each((trial) => this.#controls(trial));
    say('shown to work without a controller');
    this.controller = this.world.control('files');
    await this.controller.ready('listening');
    await this.#each((trial) => this.#isStopped(trial, 'without the gate'));
    say('without the gate');
    await this.#start('with the gate');
    await this.#each((trial) => this.#isStopped(trial, 'with the gate'));
    say('with the gate');
    await this.#revoke(PORTS.firstToGo, [PORTS.kept, PORTS.secondToGo]);
    say('revoked');
    await this.#revoke(PORTS.secondToGo, [PORTS.kept], true);
    say('revoked, controller restarted');
  }

  /** Those of one kind, a few at a time. */
  async #start(start: Start): Promise<void> {
    const waiting = [...this.trials.entries()];
    const worker = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, trial] = next;
        await this.#startOne(trial, index, start);
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, worker));
  }

  async #startOne(trial: Trial, index: number, start: Start): Promise<void> {
    const name = `a${index}-${start === 'with the gate' ? 'gate' : 'plain'}`;
    try {
      const image = await this.#imageOf(trial, index);
      trial.subjects[start] = await Subject.start(this.world, trial.attempt, name, image, start);
    } catch (error) {
      trial.refusal = `${error}`;
      const isByGate = start === 'with the gate' && trial.refusal.includes('egresstrator gate:');
      if (!isByGate || trial.attempt.isGranted === true) {
        trial.under[start].push(`does not start: ${trial.refusal}`);
      }
    }
  }

  /** One that is gone comes again as another, so that it stays unknown whose words those of the first were. */
  async #imageOf({ attempt }: Trial, index: number): Promise<string> {
    const isThere = (await this.world.docker('image', 'inspect', `hostile:i${index}`)).code === 0;
    if (isThere) return `hostile:i${index}`;
    await loadImages(this.world.engine.socketPath, { [`again${index}`]: attempt.image ?? {} });
    return `hostile:again${index}`;
  }

  async #each(check: (trial: Trial) => Promise<void>): Promise<void> {
    await Promise.all(this.trials.map((trial) => check(trial)));
  }

  async #controls({ attempt, control, subjects }: Trial): Promise<void> {
    const subject = subjects['without the gate'];
    await noting(control, async () => {
      if (subject === undefined) return void control.push('it did not start');
      if (!(await subject.gotThrough())) control.push('its first connection did not get through');
      if (!(await subject.reaches(attempt.target ?? FORBIDDEN))) control.push('it reaches nothing');
      if (!(await subject.saysSo())) control.push('the Engine made other words of it');
      const { bites } = attempt;
      if (bites === undefined) return;
      await waitFor(() => bites(subject), { what: 'the trick to have its effect', timeout: 30_000 });
    });
  }

  async #isStopped(trial: Trial, start: Start): Promise<void> {
    const { attempt, under, subjects } = trial;
    const subject = subjects[start];
    const failings = under[start];
    if (subject === undefined) return;
    await noting(failings, async () => {
      if (start === 'with the gate' && (await subject.gotThrough()))
        failings.push('its first connection got through');
      const target = attempt.target ?? FORBIDDEN;
      const stopped = async () => !(await subject.reaches(target));
      await waitFor(stopped, { what: 'what is forbidden to be stopped', timeout: PROTECTED, interval: 250 });
      if (attempt.isGranted !== true) return;
      const granted = () => subject.reaches({ at: 'server', port: PORTS.kept });
      await waitFor(granted, { what: 'what is granted', timeout: PROTECTED, interval: 250 });
      if (await subject.reaches(target)) failings.push('what is forbidden got through later');
    });
  }

  /** Takes a port from the key: every flow to it must end. */
  async #revoke(port: number, left: readonly number[], restarts = false): Promise<void> {
    const flows: { readonly flow: Flow; readonly failings: Failings }[] = [];
    await this.#each(async ({ attempt, under, subjects }) => {
      if (attempt.isGranted !== true) return;
      for (const [start, subject] of entries(subjects)) {
        const failings = under[start];
        const flow = subject.open({ at: 'server', port });
        await noting(failings, () => flow.established());
        flows.push({ flow, failings });
      }
    });
    if (restarts) await this.controller?.stop('SIGKILL');
    await this.world.grant(...left);
    if (restarts) {
      this.controller = this.world.control('no files');
      await this.controller.ready('listening');
    }
    const isCut = () => flows.every(({ flow }) => flow.isCut);
    await waitFor(isCut, { what: 'flows to be cut', timeout: CUT }).catch(() => {});
    for (const { flow, failings } of flows) {
      if (!flow.isCut)
        failings.push(`port ${port} was revoked, and goes on${restarts ? ' after a restart' : ''}`);
      flow[Symbol.dispose]();
    }
  }

  /** Leaves the world to who comes next. */
  async clear(): Promise<void> {
    const ids = this.trials.flatMap(({ subjects }) => Object.values(subjects).map(({ id }) => id));
    await this.world.docker('rm', '--force', '--volumes', ...ids);
  }

  kit(start: Start): Kit {
    const { world } = this;
    const controller = () => {
      if (this.controller === undefined) throw new Error('there is no controller');
      return this.controller;
    };
    const restart = async (args: readonly string[] = []) => {
      await controller().stop('SIGKILL');
      this.controller = world.control('files', args);
      await this.controller.ready('listening');
      return this.controller;
    };
    return { world, start, controller, restart, run: runIn(world, start) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.controller?.[Symbol.asyncDispose]();
    await this.world[Symbol.asyncDispose]();
  }
}

const entries = (subjects: Trial['subjects']): readonly (readonly [Start, Subject])[] =>
  (['without the gate', 'with the gate'] as const).flatMap((start) => {
    const subject = subjects[start];
    return subject === undefined ? [] : [[start, subject] as const];
  });

async function noting(failings: Failings, check: () => Promise<void>): Promise<void> {
  await check().catch((error: unknown) => failings.push(String(error)));
}

function reporter(version: string): (what: string) => void {
  const from = performance.now();
  return (what) =>
    void process.stdout.write(
      `Engine ${version}: ${what} (${Math.round((performance.now() - from) / 1000)} s)\n`,
    );
}
