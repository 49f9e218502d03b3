/**
 * Which container or network an event of the Engine concerns. That is all an event says to us: what happened is
 * read from the container or network itself.
 */
import { z } from 'zod';
import type { ContainerId } from '../../inventory/container.ts';
import type { NetworkId } from '../../inventory/network.ts';

const event = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()).nullish() }),
});

export type Affected =
  /** `isStart`: it was started, so it is enough if it was read since then. */
  | { readonly kind: 'container'; readonly id: ContainerId; readonly isStart: boolean }
  | { readonly kind: 'network'; readonly id: NetworkId }
  /** Not understood: look at everything. */
  | { readonly kind: 'all' }
  | { readonly kind: 'none' };

export function affectedBy(json: unknown): Affected {
  const { success, data } = event.safeParse(json);
  if (!success) return { kind: 'all' };
  const { Type, Action, Actor } = data;
  if (Type === 'network') return affectedByNetwork(Action, Actor);
  const isOfContainer = Type === 'container' && !/^(create$|exec_|health_status)/.test(Action);
  return isOfContainer ? { kind: 'container', id: Actor.ID, isStart: STARTS.has(Action) } : { kind: 'none' };
}

/** Connect and disconnect change the container alone, which is an attribute. */
function affectedByNetwork(action: string, { ID, Attributes }: z.infer<typeof event>['Actor']): Affected {
  if (COME_OR_GONE.has(action)) return { kind: 'network', id: ID };
  const id = Attributes?.container;
  return id ? { kind: 'container', id, isStart: false } : { kind: 'none' };
}

const STARTS = new Set(['start', 'restart']);
const COME_OR_GONE = new Set(['create', 'destroy', 'remove', 'update']);
