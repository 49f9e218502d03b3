/**
 * Helpers that a crash left behind. Each carries the time after which nobody waits for it: one that is
 * younger may be at work for another process, like the command line's.
 */
import type { Engine } from '../sources/docker/engine.ts';
import { hasExpired, isOurs, ourLabel } from '../sources/docker/labels.ts';

/** `now` in ms since the epoch. Returns how many were removed; one that resists stays for the next time. */
export async function removeLeftovers(engine: Pick<Engine, 'all' | 'remove'>, now: number): Promise<number> {
  const labelled = await engine.all(ourLabel);
  const expired = labelled.filter((one) => isOurs(one) && hasExpired(one, now));
  const removals = await Promise.allSettled(expired.map(({ id }) => engine.remove(id)));
  return removals.filter(({ status }) => status === 'fulfilled').length;
}
