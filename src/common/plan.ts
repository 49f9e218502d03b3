/**
 * What a feature desires, by name: the plan that the reconciler holds against the world.
 */

/** What a plan says of one name. `release`: nothing of ours shall be there; `desired` tells where. */
export type Planned<Desired> =
  | {
      readonly kind: 'apply';
      readonly desired: Desired;
      /** Milliseconds that the job may wait for a better plan. A wait is not begun anew by what comes meanwhile. */
      readonly wait?: number | undefined;
    }
  | { readonly kind: 'release'; readonly desired: Desired };

/** By name; what a plan has no word on is released where its place is still there, else forgotten. */
export type Plan<Desired> = ReadonlyMap<string, Planned<Desired>>;
