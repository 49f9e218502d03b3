/**
 * Verifies each key once per interval, one at a time and never in a burst: hundreds of inspections at once would
 * delay namespaces that start. More keys than fit into an interval take longer, the
 * longest unverified first. It sleeps until one is due, and has no timer while there are no keys.
 */

export interface DriftScannerOptions<Key> {
  /** Milliseconds between two verifications of the same key. */
  readonly interval: number;
  /** Verifications that fit into one interval. */
  readonly most: number;
  /** Must handle its own failures. The next one waits for its end. */
  readonly verify: (key: Key) => Promise<void> | void;
  /** Milliseconds. */
  readonly now: () => number;
}

export class DriftScanner<Key> {
  readonly #options: DriftScannerOptions<Key>;
  /** When each was verified, or added; the longest ago comes first. */
  readonly #since = new Map<Key, number>();
  #scannedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #verifying: Promise<void> | undefined;
  #closed = false;

  constructor(options: DriftScannerOptions<Key>) {
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

  /** Verifies exactly these from now on. */
  keep(keys: Iterable<Key>): void {
    const current = new Set(keys);
    for (const gone of new Set(this.#since.keys()).difference(current)) this.delete(gone);
    for (const key of current) this.add(key);
  }

  /** Resolves when no verification goes on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#verifying;
  }

  #wake(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #sleep(): void {
    const [oldest] = this.#since.values();
    if (oldest === undefined || this.#closed || this.#verifying !== undefined) return;
    const { interval, most, now } = this.#options;
    const due = Math.max(oldest + interval, this.#scannedAt + interval / most);
    this.#timer ??= setTimeout(() => void this.#scan(), Math.max(1, due - now()));
  }

  async #scan(): Promise<void> {
    this.#timer = undefined;
    this.#verifying = this.#verifyOldest();
    await this.#verifying;
    this.#verifying = undefined;
    this.#sleep();
  }

  async #verifyOldest(): Promise<void> {
    const { interval, now, verify } = this.#options;
    const [[oldest, since] = []] = this.#since;
    if (oldest === undefined || since === undefined || now() - since < interval) return;
    this.#scannedAt = now();
    this.#since.delete(oldest);
    this.#since.set(oldest, this.#scannedAt);
    await verify(oldest);
  }
}
