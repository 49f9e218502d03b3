/** The signals that end a script: npm passes on those that it gets, and a terminal sends them when it closes. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Calls `end` at each signal. This process itself ends only when it has no work left. */
export function atSignals(end: (signal: NodeJS.Signals) => void): void {
  for (const signal of SIGNALS) process.on(signal, end);
}
