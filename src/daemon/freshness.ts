/**
 * How fresh what is known of a source is.
 */
import type { Watched } from '../inventory/sources.ts';

/** How fresh one source is. */
export interface Freshness {
  readonly name: string;
  /** It has answered this run of the controller. */
  readonly known: boolean;
  /** When it last confirmed the data in use, possibly to the previous run. */
  readonly confirmedAt: number | undefined;
  readonly error: Error | undefined;
  /** When it was asked for the first time. */
  readonly since: number;
}

/** `confirmedAt`: when the source last confirmed the data in use. */
export const freshnessOf = (watched: Watched<unknown>, confirmedAt: number | undefined) => ({
  known: watched.value !== undefined,
  confirmedAt,
  error: watched.error,
});

/** Whether it may give its first answer in a moment; `grace`: milliseconds that it may take. */
export const isAwaited = (
  { watched, since }: { readonly watched: Watched<unknown>; readonly since: number },
  { grace, now }: { readonly grace: number; readonly now: number },
): boolean => watched.value === undefined && watched.error === undefined && now - since < grace;
