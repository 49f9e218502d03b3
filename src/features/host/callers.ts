/**
 * Callers of containers that say themselves who may call: the guard lets these through, and nobody else.
 */
import type { Transport } from '../../inventory/network.ts';
import type { Prefix } from '../../net/address.ts';
import type { AllowEntry } from '../../policy/rule-set.ts';
import { mergedSources } from './canonical.ts';

export interface ContainerCallers {
  /** For people: `the ingress keys web, metrics of shop`. */
  readonly text: string;
  /** Callers, with ports of the container. */
  readonly entries: readonly AllowEntry[];
  /** Those of `entries` that the container's runner named: an image must not open what is closed. */
  readonly ofRunner: readonly AllowEntry[];
  /** False: others may call as well (audit). */
  readonly isLimiting: boolean;
}

/** Both families, the broadest prefixes alone. */
export const callersAt = (
  entries: readonly AllowEntry[],
  protocol: Transport,
  port: number,
): readonly Prefix[] =>
  mergedSources([
    entries
      .filter(
        (one) =>
          one.protocol === protocol && one.ranges.some(({ first, last }) => first <= port && port <= last),
      )
      .map(({ prefix }) => prefix),
  ]);
