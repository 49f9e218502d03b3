/**
 * A clock that cannot be set. Ages use it, so that a change of the host's clock makes nothing younger or older.
 */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

const begun = { wall: Date.now(), ticks: performance.now(), uptime: uptime() };

/**
 * Milliseconds since the epoch, by the host's clock at the start of this program plus the time since then. The uptime counts while a host is suspended, the precise clock does not. They differ by less than a
 * second otherwise.
 */
export function steadyNow(): number {
  const ticks = performance.now() - begun.ticks;
  const up = (uptime() - begun.uptime - 1) * 1000;
  return Math.floor(begun.wall + Math.max(ticks, up));
}

/** A point in time that another run of the program can compare. */
export interface Instant {
  /** By the host's clock, in ms since the epoch. */
  readonly wall: number;
  /** Milliseconds since the host was started. */
  readonly uptime: number;
  /** Identifies the boot of the host; undefined if unknown. */
  readonly boot?: string | undefined;
}

export const thisInstant = (): Instant => ({
  wall: Date.now(),
  uptime: Math.round(uptime() * 1000),
  boot: bootId(),
});

/**
 * Milliseconds from one to the other: at least what the host's clock says, and at least what the uptime says if the
 * host did not reboot in between. If they differ, the clock was set; an age that is too high does no harm.
 */
export function elapsed(from: Instant, to: Instant): number {
  const wall = Math.max(0, to.wall - from.wall);
  if (from.boot === undefined || to.boot === undefined) return wall;
  return Math.max(wall, from.boot === to.boot ? to.uptime - from.uptime : to.uptime);
}

/** Identifies the boot of the host; undefined if unknown. */
export function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}
