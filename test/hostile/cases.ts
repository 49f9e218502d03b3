/**
 * Makes all attempts on one Engine at the same time, and records the outcome of each:
 *
 *   1. without a controller: the first connection succeeds, and the attempt has its effect;
 *   2. after the controller starts: the denied destination is blocked, the granted one works;
 *   3. the same attempts with the gate, while the controller runs;
 *   4. a port is removed from the key, and then another while no controller runs: the flows to both are cut.
 */
import type { EngineVersion } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import type { RunningController } from '../support/egresstrator.ts';
import { Attacker, type Flow, type StartMode } from './attacker.ts';
import { type Attempt, DENIED_TARGET } from './attempts.ts';
import { loadImages } from './images.ts';
import { openTestbed, PORTS, type Testbed } from './testbed.ts';

/** Failed expectations, in words. */
type Failures = string[];

export interface Case {
  readonly attempt: Attempt;
  /** Why the attempt is inconclusive: it does not work without a controller either. */
  readonly controlFailures: Failures;
  readonly failures: Readonly<Record<StartMode, Failures>>;
  readonly attackers: Partial<Record<StartMode, Attacker>>;
  /** Why the container does not start. With the gate, that stops the attempt as well. */
  startError?: string;
}

/** Milliseconds. They are long because two Engines and fifty workloads share a machine. */
const PROTECTION_TIMEOUT = 90_000;
const CUT_TIMEOUT = 45_000;
/** Containers that start at the same time. */
const CONCURRENCY = 4;

export class Cases implements AsyncDisposable {
  readonly testbed: Testbed;
  readonly cases: readonly Case[];
  controller: RunningController | undefined;

  constructor(testbed: Testbed, attempts: readonly Attempt[]) {
    this.testbed = testbed;
    this.cases = attempts.map((attempt) => ({
      attempt,
      controlFailures: [],
      failures: { 'without the gate': [], 'with the gate': [] },
      attackers: {},
    }));
  }

  static async open(version: EngineVersion, attempts: readonly Attempt[]): Promise<Cases> {
    const testbed = await openTestbed(version);
    const images = Object.fromEntries(attempts.map(({ image = {} }, index) => [`i${index}`, image]));
    await loadImages(testbed.engine.socketPath, { ...images, plain: {} });
    return new Cases(testbed, attempts);
  }

  async run(): Promise<void> {
    const report = reporter(this.testbed.engine.version);
    await this.#start('without the gate');
    await this.#each((testCase) => this.#checkControl(testCase));
    report('without a controller');
    this.controller = this.testbed.startController('files');
    await this.controller.ready('listening');
    await this.#each((testCase) => this.#checkStopped(testCase, 'without the gate'));
    report('without the gate');
    await this.#start('with the gate');
    await this.#each((testCase) => this.#checkStopped(testCase, 'with the gate'));
    report('with the gate');
    await this.#revoke(PORTS.firstToGo, [PORTS.kept, PORTS.secondToGo]);
    report('revoked');
    await this.#revoke(PORTS.secondToGo, [PORTS.kept], true);
    report('revoked, controller restarted');
  }

  /** Starts the containers of all attempts, a few at a time. */
  async #start(start: StartMode): Promise<void> {
    const waiting = [...this.cases.entries()];
    const worker = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [index, testCase] = next;
        await this.#startOne(testCase, index, start);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  }

  async #startOne(testCase: Case, index: number, start: StartMode): Promise<void> {
    const name = `a${index}-${start === 'with the gate' ? 'gate' : 'plain'}`;
    try {
      const image = await this.#imageOf(testCase, index);
      testCase.attackers[start] = await Attacker.start(this.testbed, testCase.attempt, name, image, start);
    } catch (error) {
      testCase.startError = `${error}`;
      const isByGate = start === 'with the gate' && testCase.startError.includes('egresstrator gate:');
      if (!isByGate || testCase.attempt.isGranted === true) {
        testCase.failures[start].push(`does not start: ${testCase.startError}`);
      }
    }
  }

  /** A removed image is loaded again as another one, so that the settings of the first stay unknown. */
  async #imageOf({ attempt }: Case, index: number): Promise<string> {
    const isThere = (await this.testbed.docker('image', 'inspect', `hostile:i${index}`)).code === 0;
    if (isThere) return `hostile:i${index}`;
    await loadImages(this.testbed.engine.socketPath, { [`again${index}`]: attempt.image ?? {} });
    return `hostile:again${index}`;
  }

  async #each(check: (testCase: Case) => Promise<void>): Promise<void> {
    await Promise.all(this.cases.map((testCase) => check(testCase)));
  }

  async #checkControl({ attempt, controlFailures, attackers }: Case): Promise<void> {
    const attacker = attackers['without the gate'];
    await collecting(controlFailures, async () => {
      if (attacker === undefined) return void controlFailures.push('it did not start');
      if (!(await attacker.firstConnectionPassed()))
        controlFailures.push('its first connection did not get through');
      if (!(await attacker.reaches(attempt.target ?? DENIED_TARGET)))
        controlFailures.push('it reaches nothing');
      if (!(await attacker.hasExpectedSettings())) controlFailures.push('the Engine shows other settings');
      const { hasEffect } = attempt;
      if (hasEffect === undefined) return;
      await waitFor(() => hasEffect(attacker), { what: 'the attempt to have its effect', timeout: 60_000 });
    });
  }

  async #checkStopped(testCase: Case, start: StartMode): Promise<void> {
    const { attempt, failures, attackers } = testCase;
    const attacker = attackers[start];
    const caseFailures = failures[start];
    if (attacker === undefined) return;
    await collecting(caseFailures, async () => {
      if (start === 'with the gate' && (await attacker.firstConnectionPassed()))
        caseFailures.push('its first connection got through');
      const target = attempt.target ?? DENIED_TARGET;
      const stopped = () => attacker.isDenied(target);
      await waitFor(stopped, {
        what: 'what is forbidden to be stopped',
        timeout: PROTECTION_TIMEOUT,
        interval: 250,
      });
      if (attempt.isGranted !== true) return;
      const granted = () => attacker.reaches({ at: 'server', port: PORTS.kept });
      await waitFor(granted, { what: 'what is granted', timeout: PROTECTION_TIMEOUT, interval: 250 });
      if (await attacker.reaches(target)) caseFailures.push('what is forbidden got through later');
    });
  }

  /** Removes a port from the key: every flow to it must be cut. */
  async #revoke(port: number, left: readonly number[], restarts = false): Promise<void> {
    const flows: { readonly flow: Flow; readonly caseFailures: Failures }[] = [];
    await this.#each(async ({ attempt, failures, attackers }) => {
      if (attempt.isGranted !== true) return;
      for (const [start, attacker] of entries(attackers)) {
        const caseFailures = failures[start];
        const flow = attacker.open({ at: 'server', port });
        await collecting(caseFailures, () => flow.established());
        flows.push({ flow, caseFailures });
      }
    });
    if (restarts) await this.controller?.stop('SIGKILL');
    await this.testbed.grant(...left);
    if (restarts) {
      this.controller = this.testbed.startController('no files');
      await this.controller.ready('listening');
    }
    const isCut = () => flows.every(({ flow }) => flow.isCut);
    await waitFor(isCut, { what: 'flows to be cut', timeout: CUT_TIMEOUT }).catch(() => {});
    for (const { flow, caseFailures } of flows) {
      if (!flow.isCut)
        caseFailures.push(`port ${port} was revoked, and goes on${restarts ? ' after a restart' : ''}`);
      flow[Symbol.dispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.controller?.[Symbol.asyncDispose]();
    await this.testbed[Symbol.asyncDispose]();
  }
}

const entries = (attackers: Case['attackers']): readonly (readonly [StartMode, Attacker])[] =>
  (['without the gate', 'with the gate'] as const).flatMap((start) => {
    const attacker = attackers[start];
    return attacker === undefined ? [] : [[start, attacker] as const];
  });

async function collecting(caseFailures: Failures, check: () => Promise<void>): Promise<void> {
  await check().catch((error: unknown) => caseFailures.push(String(error)));
}

function reporter(version: string): (what: string) => void {
  const from = performance.now();
  return (what) =>
    void process.stdout.write(
      `Engine ${version}: ${what} (${Math.round((performance.now() - from) / 1000)} s)\n`,
    );
}
