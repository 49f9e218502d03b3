/**
 * Attempts with checks of their own. Each has its own container. They run one after the other, under the running
 * controller.
 */
import type { RunningController } from '../support/egresstrator.ts';
import { Attacker, type StartMode } from './attacker.ts';
import type { Attempt } from './attempts.ts';
import type { Testbed } from './testbed.ts';

export interface AttemptContext {
  readonly testbed: Testbed;
  readonly start: StartMode;
  readonly controller: () => RunningController;
  /** Kills the controller and starts another one, which can read the Engine's files. */
  restart(args?: readonly string[]): Promise<RunningController>;
  /** Starts a container of the image `hostile:<image>`. */
  run(image: string, attempt: Omit<Attempt, 'name'>): Promise<Attacker>;
}

export interface CustomAttempt {
  readonly name: string;
  /** Default: without the gate and with it. */
  readonly starts?: readonly StartMode[];
  /** Nothing of it differs between Engines, so it is made on one. */
  readonly isOfNoEngine?: boolean;
  /** In the table; default: `stopped`. */
  readonly outcome?: 'stopped' | 'reported';
  /** Throws `Inconclusive` if the attempt has no effect, and another error if it succeeds. */
  make(context: AttemptContext): Promise<void>;
}

export class Inconclusive extends Error {}

export function assertConclusive(holds: boolean, what: string): void {
  if (!holds) throw new Inconclusive(`inconclusive: ${what}`);
}

let last = 0;
export const runnerFor =
  (testbed: Testbed, start: StartMode): AttemptContext['run'] =>
  (image, attempt) =>
    Attacker.start(testbed, { name: image, ...attempt }, `f${last++}`, `hostile:${image}`, start);
