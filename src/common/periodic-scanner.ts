/**
 * Runs a task for each key once per interval, one at a time and never in a burst: hundreds of inspections at once would
 * delay namespaces that start. More keys than fit into an interval take longer, those that waited longest first. It
 * sleeps until one is due, and has no timer while there are no keys.
 *
 * The check for drift and the collection of denied destinations use it.
 */

export interface PeriodicScannerOptions<Key> {
  /** Milliseconds between two runs for the same key. */
  readonly interval: number;
  /** Runs that fit into one interval. */
  readonly most: number;
  /** Must handle its own failures. The next one waits for its end. */
  readonly run: (key: Key) => Promise<void> | void;
  /** Milliseconds. */
  readonly now: () => number;
}

export class PeriodicScanner<Key> {
  readonly #options: PeriodicScannerOptions<Key>;
  /** When each had its run, or was added; the longest ago comes first. */
  readonly #since = new Map<Key, number>();
  #scannedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: PeriodicScannerOptions<Key>) {
    this.#options = options;
  }

  add(key: Key): void {
    if (!this.#since.has(key)) this.#since.set(key, this.#options.now());
    this.#sleep();
  }

  delete(key: Key): void {
    this.#since.delete(key);
    if (this.#since.size === 0) this.#wake();
  }

  /** Runs for exactly these from now on. */
  keep(keys: Iterable<Key>): void {
    const current = new Set(keys);
    for (const gone of new Set(this.#since.keys()).difference(current)) this.delete(gone);
    for (const key of current) this.add(key);
  }

  /** Resolves when no run goes on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#running;
  }

  #wake(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #sleep(): void {
    const [oldest] = this.#since.values();
    if (oldest === undefined || this.#closed || this.#running !== undefined) return;
    const { interval, most, now } = this.#options;
    const due = Math.max(oldest + interval, this.#scannedAt + interval / most);
    this.#timer ??= setTimeout(() => void this.#scan(), Math.max(1, due - now()));
  }

  async #scan(): Promise<void> {
    this.#timer = undefined;
    this.#running = this.#runOldest();
    await this.#running;
    this.#running = undefined;
    this.#sleep();
  }

  async #runOldest(): Promise<void> {
    const { interval, now, run } = this.#options;
    const [[oldest, since] = []] = this.#since;
    if (oldest === undefined || since === undefined || now() - since < interval) return;
    this.#scannedAt = now();
    this.#since.delete(oldest);
    this.#since.set(oldest, this.#scannedAt);
    await run(oldest);
  }
}
