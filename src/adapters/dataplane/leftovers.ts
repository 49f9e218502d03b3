/**
 * Helpers that a crash left behind. Each carries the time after which nobody waits for it: one that is
 * younger may be at work for another process, like the command line's.
 */
import type { Engine, LabelledContainer } from '../docker/engine.ts';
import { expiresLabel, helperRole, roleLabel } from '../docker/labels.ts';

/** `now` in ms since the epoch. Returns how many were removed; one that resists stays for the next time. */
export async function removeLeftovers(engine: Engine, now: number): Promise<number> {
  const helpers = await engine.labelled(`${roleLabel}=${helperRole}`);
  const expired = helpers.filter((helper) => hasExpired(helper, now));
  const removals = await Promise.allSettled(expired.map(({ id }) => engine.remove(id)));
  return removals.filter(({ status }) => status === 'fulfilled').length;
}

/** A helper without a readable time is none that we made like this, and is nobody's. */
function hasExpired({ labels }: LabelledContainer, now: number): boolean {
  const expires = Number(labels[expiresLabel] ?? Number.NaN);
  return !(expires * 1000 > now);
}
