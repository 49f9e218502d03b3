/**
 * Time that nobody sets: ages are measured by it, so that a host's clock that is set back makes nothing
 * younger, and one that is set forward nothing older.
 */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

const begun = { wall: Date.now(), ticks: performance.now(), uptime: uptime() };

/**
 * Milliseconds since the epoch by the host's clock as it was when this program started; from there on it only
 * runs. The uptime counts while a host is suspended, the precise clock does not. They differ by less than a
 * second otherwise.
 */
export function steadyNow(): number {
  const ticks = performance.now() - begun.ticks;
  const up = (uptime() - begun.uptime - 1) * 1000;
  return Math.floor(begun.wall + Math.max(ticks, up));
}

/** An instant, as it can be recognised by another run of the program. */
export interface Instant {
  /** By the host's clock, in ms since the epoch. */
  readonly wall: number;
  /** Milliseconds since the host was started. */
  readonly uptime: number;
  /** Which start of the host that was; undefined where it cannot be told. */
  readonly boot?: string | undefined;
}

export const thisInstant = (): Instant => ({
  wall: Date.now(),
  uptime: Math.round(uptime() * 1000),
  boot: bootId(),
});

/**
 * Milliseconds from one to the other: at least what the host's clock says, and at least what the uptime says if
 * the host was not started anew in between. Where they differ somebody has set the clock, and what is taken for
 * older than it is does no harm.
 */
export function elapsed(from: Instant, to: Instant): number {
  const wall = Math.max(0, to.wall - from.wall);
  if (from.boot === undefined || to.boot === undefined) return wall;
  return Math.max(wall, from.boot === to.boot ? to.uptime - from.uptime : to.uptime);
}

function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}
