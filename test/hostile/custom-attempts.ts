/**
 * Attempts that are judged by more than what they reach: each in a container of its own, one after the other,
 * under the controller that is there.
 */
import type { RunningController } from '../support/egresstrator.ts';
import { Attacker, type Start } from './attacker.ts';
import type { Attempt } from './attempts.ts';
import type { Testbed } from './testbed.ts';

export interface Kit {
  readonly testbed: Testbed;
  readonly start: Start;
  readonly controller: () => RunningController;
  /** Ends the controller and starts another, that sees the Engine's files. */
  restart(args?: readonly string[]): Promise<RunningController>;
  /** A container of the image `hostile:<image>`. */
  run(image: string, attempt: Omit<Attempt, 'name'>): Promise<Attacker>;
}

export interface CustomAttempt {
  readonly name: string;
  /** Default: without the gate and with it. */
  readonly starts?: readonly Start[];
  /** In the table; default: `stopped`. */
  readonly outcome?: 'stopped' | 'reported';
  /** Throws a `ProvesNothing` where the trick has no effect, and anything else where it succeeds. */
  make(kit: Kit): Promise<void>;
}

export class ProvesNothing extends Error {}

export function proves(holds: boolean, what: string): void {
  if (!holds) throw new ProvesNothing(`proves nothing: ${what}`);
}

let last = 0;
export const runIn =
  (testbed: Testbed, start: Start): Kit['run'] =>
  (image, attempt) =>
    Attacker.start(testbed, { name: image, ...attempt }, `f${last++}`, `hostile:${image}`, start);
