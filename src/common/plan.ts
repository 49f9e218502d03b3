/**
 * The desired state of a feature, by name. The reconciler compares it with the observed state.
 */

/** The plan of one name. `release`: everything of ours must be removed; `desired` has the location. */
export type Planned<Desired> =
  | {
      readonly kind: 'apply';
      readonly desired: Desired;
      /** Milliseconds that the job may wait for a better plan. A new plan does not restart the wait. */
      readonly wait?: number | undefined;
    }
  | { readonly kind: 'release'; readonly desired: Desired };

/** By name. A name that is not in the plan is released if its target still exists, and forgotten otherwise. */
export type Plan<Desired> = ReadonlyMap<string, Planned<Desired>>;
