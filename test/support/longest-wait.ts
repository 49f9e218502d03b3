/** Milliseconds for which tests wait for what must come: as long as a busy machine may need. By itself Vitest gives up after one second. */
export const LONGEST_WAIT = 20_000;
