/**
 * Removes helpers that a crash left behind. A label of each tells when it is no longer in use: a younger one may be at
 * work for another process, such as a command.
 */
import type { Engine } from '../sources/docker/engine.ts';
import { hasExpired, isOurs, ourLabel } from '../sources/docker/labels.ts';

/** `now` in ms since the epoch. Returns how many were removed; a failed removal is tried the next time. */
export async function removeLeftovers(engine: Pick<Engine, 'all' | 'remove'>, now: number): Promise<number> {
  const labelled = await engine.all(ourLabel);
  const expired = labelled.filter((one) => isOurs(one) && hasExpired(one, now));
  const removals = await Promise.allSettled(expired.map(({ id }) => engine.remove(id)));
  return removals.filter(({ status }) => status === 'fulfilled').length;
}
