/**
 * The present time by the host's clock, which may differ from the browser's.
 */
import { signal } from '@preact/signals';

/** Milliseconds: what a message may take, so that a smaller difference says nothing of clocks. */
const TOLERANCE = 3_000;

let offset = 0;

/** In ms since the epoch; a second passes at a time. */
export const now = signal(Date.now());

export const hostTime = (): number => Date.now() + offset;

/** `at`: when a message was made that has just come. */
export function setClock(at: number): void {
  const difference = at - Date.now();
  const isSame = Math.abs(difference) < TOLERANCE;
  if (isSame) offset = 0;
  else if (Math.abs(difference - offset) > TOLERANCE) offset = difference;
}

export function startClock(): void {
  setInterval(() => {
    now.value = hostTime();
  }, 1000);
}
