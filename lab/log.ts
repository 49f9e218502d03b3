/** How the lab tells what it does: one line each, on stderr, so that stdout stays the caller's. */

export function log(line: string): void {
  process.stderr.write(`lab: ${line}\n`);
}

/** Runs `work` and says afterwards what was done and how long it took. */
export async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  const result = await work();
  log(`${what} (${((performance.now() - from) / 1000).toFixed(1)} s)`);
  return result;
}
