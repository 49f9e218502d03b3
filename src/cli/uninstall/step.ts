/**
 * What uninstalling is made of. First all of it is looked for, then each step is taken; none waits for another to
 * succeed, and what could not be checked counts as left.
 */
import { messageOf } from '../../common/errors.ts';

export type Part =
  | 'gate'
  | 'rules'
  | 'helpers'
  | 'state'
  | 'run'
  | 'image'
  | 'keys'
  | 'status'
  | 'registration';

/** One thing of ours on this host, or for it. */
export interface Step {
  readonly part: Part;
  /** What it is, in a few words. */
  readonly what: string;
  /** Resolves with the reason where something is left; what it throws is a reason too. */
  readonly remove: () => Promise<string | undefined>;
}

/** Something that is there, is gone, or stays, and why. */
export interface Taken {
  readonly part: Part;
  readonly what: string;
  readonly state: 'present' | 'removed' | 'left';
  readonly reason?: string;
}

export interface Looking {
  readonly part: Part;
  readonly look: () => Promise<readonly Step[]>;
}

export interface Plan {
  readonly steps: readonly Step[];
  /** What could not be checked. */
  readonly unknown: readonly Taken[];
}

/** One after the other: each may start containers, or wait for the Engine. */
export async function lookForAll(lookings: readonly Looking[]): Promise<Plan> {
  const steps: Step[] = [];
  const unknown: Taken[] = [];
  for (const { part, look } of lookings) {
    try {
      steps.push(...(await look()));
    } catch (error) {
      unknown.push({ part, what: 'could not be checked', state: 'left', reason: messageOf(error) });
    }
  }
  return { steps, unknown };
}

export const planned = ({ steps, unknown }: Plan): readonly Taken[] => [
  ...steps.map(({ part, what }) => ({ part, what, state: 'present' }) as const),
  ...unknown,
];

export async function takeAll({ steps, unknown }: Plan): Promise<readonly Taken[]> {
  const taken: Taken[] = [];
  for (const { part, what, remove } of steps) {
    const reason = await remove().catch(messageOf);
    taken.push(
      reason === undefined ? { part, what, state: 'removed' } : { part, what, state: 'left', reason },
    );
  }
  return [...taken, ...unknown];
}
