/** The signals that ask a script to end: npm hands on those that it gets, and a terminal sends them when it closes. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Calls `end` at each of them; this process itself then ends only when it has nothing left to do. */
export function atSignals(end: (signal: NodeJS.Signals) => void): void {
  for (const signal of SIGNALS) process.on(signal, end);
}
