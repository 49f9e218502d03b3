/**
 * Visits each member of a changing crowd once per interval, one at a time and never in a burst: to look
 * into hundreds of namespaces at once would hold up those that start. More members than fit into an
 * interval take longer, the longest unvisited first.
 */

export interface DriftScannerOptions<Member> {
  /** Milliseconds between two visits to the same member. */
  readonly interval: number;
  /** Visits that fit into one interval. */
  readonly most: number;
  /** Those of now; compared by identity. */
  readonly members: () => Iterable<Member>;
  /** Must handle its own failures. The next visit waits for its end. */
  readonly visit: (member: Member) => Promise<void> | void;
  readonly now: () => number;
}

export class DriftScanner<Member> {
  readonly #options: DriftScannerOptions<Member>;
  /** When each was visited, or seen for the first time; the longest ago comes first. */
  #visited = new Map<Member, number>();
  #timer: NodeJS.Timeout | undefined;
  #visiting: Promise<void> | undefined;

  constructor(options: DriftScannerOptions<Member>) {
    this.#options = options;
    this.#goOn();
  }

  /** Resolves when no visit goes on. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#visiting;
  }

  #goOn(): void {
    const { interval, most } = this.#options;
    this.#timer = setTimeout(() => void this.#step(), Math.max(1, interval / most));
  }

  async #step(): Promise<void> {
    const timer = this.#timer;
    this.#visiting = this.#visitNext();
    await this.#visiting;
    this.#visiting = undefined;
    if (this.#timer === timer) this.#goOn();
  }

  async #visitNext(): Promise<void> {
    const { members, interval, visit, now } = this.#options;
    const current = new Set(members());
    for (const gone of new Set(this.#visited.keys()).difference(current)) this.#visited.delete(gone);
    for (const member of current) if (!this.#visited.has(member)) this.#visited.set(member, now());
    const [[oldest, since] = []] = this.#visited;
    if (oldest === undefined || since === undefined || now() - since < interval) return;
    this.#visited.delete(oldest);
    this.#visited.set(oldest, now());
    await visit(oldest);
  }
}
