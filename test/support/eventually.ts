/**
 * Waits for what must come.
 */
import { vi } from 'vitest';
import { LONGEST_WAIT } from './longest-wait.ts';

/** Calls `check` until it does not throw. */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, LONGEST_WAIT);
