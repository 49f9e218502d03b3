/**
 * The steps of uninstalling. First everything is searched, then each step runs. A failed step does not stop the
 * others, and a part that could not be checked counts as left.
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

/** One part of egresstrator on this host, or in Consul. */
export interface Step {
  readonly part: Part;
  /** A short description. */
  readonly what: string;
  /** Resolves with the reason if something is left. An error is a reason too. */
  readonly remove: () => Promise<string | undefined>;
}

/** A part that was found, was removed, or is left, with the reason. */
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
  /** A part that could not be checked. */
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
