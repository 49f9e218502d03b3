/**
 * Forwards and permits whose connections may still be there though they are removed, over restarts. A controller that is
 * killed between a load and the end of these connections leaves rules that tell nothing of them.
 */

export type OutdatedLines = ReadonlyMap<string, ReadonlySet<string>>;

/** Of one namespace. */
export interface ConnectionRecord {
  /** In the previous run. */
  readonly previous: ReadonlySet<string>;
  /** Resolves when they are on disk: a load that has begun goes on without this process. */
  persist(lines: ReadonlySet<string>): Promise<void>;
}

export const NO_RECORD: ConnectionRecord = { previous: new Set(), persist: async () => {} };

export class ConnectionRecords {
  readonly #all: Map<string, ReadonlySet<string>>;
  readonly #persist: (all: OutdatedLines) => Promise<void> | undefined;

  /** By namespace. `persist`: called with all of them after a change. */
  constructor(
    previous: OutdatedLines = new Map(),
    persist: (all: OutdatedLines) => Promise<void> | undefined = async () => {},
  ) {
    this.#all = new Map(previous);
    this.#persist = persist;
  }

  of(namespace: string): ConnectionRecord {
    return {
      previous: this.#all.get(namespace) ?? new Set(),
      persist: (lines) => this.#set(namespace, lines),
    };
  }

  /** Connections in a namespace end with it. */
  retain(isPresent: (namespace: string) => boolean): void {
    for (const one of [...this.#all.keys()]) if (!isPresent(one)) void this.#set(one, new Set());
  }

  async #set(namespace: string, lines: ReadonlySet<string>): Promise<void> {
    if (lines.size === 0 && !this.#all.has(namespace)) return;
    if (lines.size === 0) this.#all.delete(namespace);
    else this.#all.set(namespace, lines);
    await this.#persist(this.#all);
  }
}
