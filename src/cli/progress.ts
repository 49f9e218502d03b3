/**
 * Shows on a terminal what a command waits for, after one second, and removes the line at the end.
 */
import type { Terminal } from '../config/terminal.ts';

/** Milliseconds. */
const SHOWN_AFTER = 1_000;

/** Moves to the start of the line and clears it. */
const ERASE = '\r\x1b[2K';

export async function withProgress<T>(
  what: string,
  { stderr }: Pick<Terminal, 'stderr'>,
  work: () => Promise<T>,
): Promise<T> {
  if (stderr.isTTY !== true) return work();
  let isShown = false;
  const timer = setTimeout(() => {
    isShown = true;
    stderr.write(`${what} …`);
  }, SHOWN_AFTER);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    if (isShown) stderr.write(ERASE);
  }
}
