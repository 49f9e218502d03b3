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
import { Attacker, type Flow, type Start } from './attacker.ts';
import { type Attempt, FORBIDDEN } from './attempts.ts';
import { type Kit, runIn } from './custom-attempts.ts';
import { type ImageSpec, loadImages } from './images.ts';
import { openTestbed, PORTS, type Testbed } from './testbed.ts';

/** What went otherwise than it should, for a person to read. */
type Failings = string[];

export interface Case {
  readonly attempt: Attempt;
  /** Why it proves nothing. */
  readonly control: Failings;
  readonly under: Readonly<Record<Start, Failings>>;
  readonly attackers: Partial<Record<Start, Attacker>>;
  /** Why it does not start with the gate, which is as good. */
  refusal?: string;
}

/** Milliseconds: generous, as two Engines and fifty workloads share a machine. */
const PROTECTED = 90_000;
const CUT = 45_000;
/** Containers that are started at once. */
const ABREAST = 4;

export class Cases implements AsyncDisposable {
  readonly testbed: Testbed;
  readonly cases: readonly Case[];
  controller: RunningController | undefined;

  constructor(testbed: Testbed, attempts: readonly Attempt[]) {
    this.testbed = testbed;
    this.cases = attempts.map((attempt) => ({
      attempt,
      control: [],
      under: { 'without the gate': [], 'with the gate': [] },
      attackers: {},
    }));
  }

  static async open(
    version: EngineVersion,
    attempts: readonly Attempt[],
    more: Readonly<Record<string, ImageSpec>>,
  ): Promise<Cases> {
    const testbed = await openTestbed(version);
    const images = Object.fromEntries(attempts.map(({ image = {} }, index) => [`i${index}`, image]));
    await loadImages(testbed.engine.socketPath, { ...images, ...more, plain: {} });
    return new Cases(testbed, attempts);
  }

  async run(): Promise<void> {
    const report = reporter(this.testbed.engine.version);
    await this.#start('without the gate');
    await this.#each((testCase) => this.#controls(testCase));
    report('shown to work without a controller');
    this.controller = this.testbed.control('files');
    await this.controller.ready('listening');
    await this.#each((testCase) => this.#isStopped(testCase, 'without the gate'));
    report('without the gate');
    await this.#start('with the gate');
    await this.#each((testCase) => this.#isStopped(testCase, 'with the gate'));
    report('with the gate');
    await this.#revoke(PORTS.firstToGo, [PORTS.kept, PORTS.secondToGo]);
    report('revoked');
    await this.#revoke(PORTS.secondToGo, [PORTS.kept], true);
    report('revoked, controller restarted');
  }

  /** Those of one kind, a few at a time. */
  async #start(start: Start): Promise<void> {
    const waiting = [...this.cases.entries()];
    const worker = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, testCase] = next;
        await this.#startOne(testCase, index, start);
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, worker));
  }

  async #startOne(testCase: Case, index: number, start: Start): Promise<void> {
    const name = `a${index}-${start === 'with the gate' ? 'gate' : 'plain'}`;
    try {
      const image = await this.#imageOf(testCase, index);
      testCase.attackers[start] = await Attacker.start(this.testbed, testCase.attempt, name, image, start);
    } catch (error) {
      testCase.refusal = `${error}`;
      const isByGate = start === 'with the gate' && testCase.refusal.includes('egresstrator gate:');
      if (!isByGate || testCase.attempt.isGranted === true) {
        testCase.under[start].push(`does not start: ${testCase.refusal}`);
      }
    }
  }

  /** One that is gone comes again as another, so that it stays unknown whose words those of the first were. */
  async #imageOf({ attempt }: Case, index: number): Promise<string> {
    const isThere = (await this.testbed.docker('image', 'inspect', `hostile:i${index}`)).code === 0;
    if (isThere) return `hostile:i${index}`;
    await loadImages(this.testbed.engine.socketPath, { [`again${index}`]: attempt.image ?? {} });
    return `hostile:again${index}`;
  }

  async #each(check: (testCase: Case) => Promise<void>): Promise<void> {
    await Promise.all(this.cases.map((testCase) => check(testCase)));
  }

  async #controls({ attempt, control, attackers }: Case): Promise<void> {
    const attacker = attackers['without the gate'];
    await noting(control, async () => {
      if (attacker === undefined) return void control.push('it did not start');
      if (!(await attacker.gotThrough())) control.push('its first connection did not get through');
      if (!(await attacker.reaches(attempt.target ?? FORBIDDEN))) control.push('it reaches nothing');
      if (!(await attacker.saysSo())) control.push('the Engine made other words of it');
      const { hasEffect } = attempt;
      if (hasEffect === undefined) return;
      await waitFor(() => hasEffect(attacker), { what: 'the trick to have its effect', timeout: 30_000 });
    });
  }

  async #isStopped(testCase: Case, start: Start): Promise<void> {
    const { attempt, under, attackers } = testCase;
    const attacker = attackers[start];
    const failings = under[start];
    if (attacker === undefined) return;
    await noting(failings, async () => {
      if (start === 'with the gate' && (await attacker.gotThrough()))
        failings.push('its first connection got through');
      const target = attempt.target ?? FORBIDDEN;
      const stopped = async () => !(await attacker.reaches(target));
      await waitFor(stopped, { what: 'what is forbidden to be stopped', timeout: PROTECTED, interval: 250 });
      if (attempt.isGranted !== true) return;
      const granted = () => attacker.reaches({ at: 'server', port: PORTS.kept });
      await waitFor(granted, { what: 'what is granted', timeout: PROTECTED, interval: 250 });
      if (await attacker.reaches(target)) failings.push('what is forbidden got through later');
    });
  }

  /** Takes a port from the key: every flow to it must end. */
  async #revoke(port: number, left: readonly number[], restarts = false): Promise<void> {
    const flows: { readonly flow: Flow; readonly failings: Failings }[] = [];
    await this.#each(async ({ attempt, under, attackers }) => {
      if (attempt.isGranted !== true) return;
      for (const [start, attacker] of entries(attackers)) {
        const failings = under[start];
        const flow = attacker.open({ at: 'server', port });
        await noting(failings, () => flow.established());
        flows.push({ flow, failings });
      }
    });
    if (restarts) await this.controller?.stop('SIGKILL');
    await this.testbed.grant(...left);
    if (restarts) {
      this.controller = this.testbed.control('no files');
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

  /** Leaves the testbed to who comes next. */
  async clear(): Promise<void> {
    const ids = this.cases.flatMap(({ attackers }) => Object.values(attackers).map(({ id }) => id));
    await this.testbed.docker('rm', '--force', '--volumes', ...ids);
  }

  kit(start: Start): Kit {
    const { testbed } = this;
    const controller = () => {
      if (this.controller === undefined) throw new Error('there is no controller');
      return this.controller;
    };
    const restart = async (args: readonly string[] = []) => {
      await controller().stop('SIGKILL');
      this.controller = testbed.control('files', args);
      await this.controller.ready('listening');
      return this.controller;
    };
    return { testbed, start, controller, restart, run: runIn(testbed, start) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.controller?.[Symbol.asyncDispose]();
    await this.testbed[Symbol.asyncDispose]();
  }
}

const entries = (attackers: Case['attackers']): readonly (readonly [Start, Attacker])[] =>
  (['without the gate', 'with the gate'] as const).flatMap((start) => {
    const attacker = attackers[start];
    return attacker === undefined ? [] : [[start, attacker] as const];
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
