/**
 * Sets flags of Node.js that return memory early. Without them a controller with 200 workloads takes 50 MB more; with
 * them compiling 10,000 rules takes a third longer (docs/performance.md).
 *
 * However it is started (by its path, as `node main.js`, by systemd or in a container), the process replaces itself
 * once by one with these flags, which keeps the pid and takes 25 ms. Short commands do not need them.
 */
export const NODE_FLAGS = ['--max-semi-space-size=2', '--heap-growing-percent=40', '--optimize-for-size'];

/**
 * One arena of malloc is enough where one thread does the work. From 64 kB each allocation is a mapping of its own, so
 * freeing it gives the memory back; malloc would raise both limits by itself, and keep 5 MB after the first load.
 */
export const NODE_ENVIRONMENT = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '65536',
  MALLOC_TRIM_THRESHOLD_: '131072',
};

/** Returns if the flags are there. */
export function ensureNodeFlags(): void {
  const missing = NODE_FLAGS.filter((flag) => !process.execArgv.includes(flag));
  if (missing.length === 0) return;
  const args = [process.execPath, ...process.execArgv, ...missing, ...process.argv.slice(1)];
  process.execve?.(process.execPath, args, { ...process.env, ...NODE_ENVIRONMENT });
}
