/**
 * Which container an event of the Engine concerns. That is all an event says to us: what happened is read
 * from the container itself.
 */
import { z } from 'zod';
import type { ContainerId } from '../../inventory/container.ts';

const event = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()).nullish() }),
});

export type AffectedContainer =
  /** `isStart`: it was started, so it is enough if it was read since then. */
  | { readonly kind: 'container'; readonly id: ContainerId; readonly isStart: boolean }
  /** Not understood: look at everything. */
  | { readonly kind: 'all' }
  | { readonly kind: 'none' };

/** Connect and disconnect are events of the network; the container is an attribute. */
export function affectedContainer(json: unknown): AffectedContainer {
  const { success, data } = event.safeParse(json);
  if (!success) return { kind: 'all' };
  if (data.Action.startsWith('exec_') || data.Action.startsWith('health_status')) return { kind: 'none' };
  if (data.Type === 'container')
    return { kind: 'container', id: data.Actor.ID, isStart: STARTS.has(data.Action) };
  const id = data.Actor.Attributes?.container;
  return data.Type === 'network' && id ? { kind: 'container', id, isStart: false } : { kind: 'none' };
}

const STARTS = new Set(['start', 'restart']);
