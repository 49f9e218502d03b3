/**
 * A driver for states that are not kernel tables (networks of the Engine, attachments, routes). The feature plans
 * steps from the observed to the desired state, and a table has the function for each kind of step.
 */
import type { Driver, Target } from './driver.ts';

/** Maps the name of a step to its arguments; a step without a function does not compile. */
export type Step<Arguments> = {
  readonly [Action in keyof Arguments]: { readonly action: Action; readonly with: Arguments[Action] };
}[keyof Arguments];

export type StepTable<Arguments> = {
  readonly [Action in keyof Arguments]: (needed: Arguments[Action], signal: AbortSignal) => Promise<void>;
};

export interface SteppedFeature<Desired, Observed, Arguments> {
  readonly feature: string;
  readonly after?: readonly string[];
  isSame(one: Desired, other: Desired): boolean;
  /** What is there before the first job, if that is known without an inspection. */
  atStart?(desired: Desired): Observed | undefined;
  /** `last`: the desired state, also for a release, as it has the location. */
  inspect(name: string, signal: AbortSignal, last: Desired): Promise<Observed>;
  /** In the order in which they are taken; none if it is as desired. `undefined`: nothing of ours is desired. */
  steps(desired: Desired | undefined, observed: Observed): readonly Step<Arguments>[];
  readonly table: StepTable<Arguments>;
}

/** After a failure, steps are planned again from the observed state, so a half-done step is not a special case. */
export function steppedDriver<Desired, Observed, Arguments>(
  feature: SteppedFeature<Desired, Observed, Arguments>,
): Driver<Desired, Observed> {
  const take = async (target: Target<Desired, Observed>, steps: readonly Step<Arguments>[]) => {
    for (const step of steps) {
      target.signal.throwIfAborted();
      await execute(feature.table, step, target.signal);
    }
    return feature.inspect(target.name, target.signal, target.desired);
  };
  return {
    ...{ feature: feature.feature, after: feature.after ?? [] },
    isSame: (one, other) => feature.isSame(one, other),
    inspect: async ({ name, signal, desired, last, failures }) =>
      (last === undefined && failures === 0 ? feature.atStart?.(desired) : undefined) ??
      feature.inspect(name, signal, desired),
    isInSync: ({ desired }, observed) => feature.steps(desired, observed).length === 0,
    apply: (target, observed) => take(target, feature.steps(target.desired, observed)),
    isAbsent: (observed) => feature.steps(undefined, observed).length === 0,
    release: (target, observed) => take(target, feature.steps(undefined, observed)),
  };
}

const execute = <Arguments, Action extends keyof Arguments>(
  table: StepTable<Arguments>,
  step: { readonly action: Action; readonly with: Arguments[Action] },
  signal: AbortSignal,
): Promise<void> => table[step.action](step.with, signal);
