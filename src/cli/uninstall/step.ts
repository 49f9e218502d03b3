/**
 * The steps of uninstalling. First everything is searched, then each step runs. A failed step does not stop the
 * others, and a part that could not be checked counts as left.
 */
import { messageOf } from '../../common/errors.ts';

export type Part =
  | 'gate'
  | 'rules'
  | 'routes'
  | 'helpers'
  | 'cgroup'
  | 'state'
  | 'run'
  | 'image'
  | 'keys'
  | 'status'
  | 'registration';

/** One part of egresstrator on this host, or in Consul. */
export interface UninstallStep {
  readonly part: Part;
  /** A short description. */
  readonly what: string;
  /** Resolves with the reason if something is left. An error is a reason too. */
  readonly remove: () => Promise<string | undefined>;
}

/** A part that was found, was removed, or is left, with the reason. */
export interface StepResult {
  readonly part: Part;
  readonly what: string;
  readonly state: 'present' | 'removed' | 'left';
  readonly reason?: string;
}

export interface Search {
  readonly part: Part;
  readonly search: () => Promise<readonly UninstallStep[]>;
}

export interface UninstallPlan {
  readonly steps: readonly UninstallStep[];
  /** A part that could not be checked. */
  readonly unknown: readonly StepResult[];
}

/** One after the other: each may start containers, or wait for the Engine. */
export async function searchAll(searches: readonly Search[]): Promise<UninstallPlan> {
  const steps: UninstallStep[] = [];
  const unknown: StepResult[] = [];
  for (const { part, search } of searches) {
    try {
      steps.push(...(await search()));
    } catch (error) {
      unknown.push({ part, what: 'could not be checked', state: 'left', reason: messageOf(error) });
    }
  }
  return { steps, unknown };
}

export const planned = ({ steps, unknown }: UninstallPlan): readonly StepResult[] => [
  ...steps.map(({ part, what }) => ({ part, what, state: 'present' }) as const),
  ...unknown,
];

export async function runSteps({ steps, unknown }: UninstallPlan): Promise<readonly StepResult[]> {
  const results: StepResult[] = [];
  for (const { part, what, remove } of steps) {
    const reason = await remove().catch(messageOf);
    results.push(
      reason === undefined ? { part, what, state: 'removed' } : { part, what, state: 'left', reason },
    );
  }
  return [...results, ...unknown];
}
