/**
 * The last changes as text, for readers that are a little behind. Bounded by size: who is further behind gets all of
 * it anew.
 */

export interface LoggedChange {
  readonly revision: number;
  readonly pieces: readonly string[];
}

/** Characters of all changes that are kept. */
const MOST = 1024 * 1024;

export class ChangeLog {
  #changes: readonly LoggedChange[] = [];
  readonly #most: number;

  constructor(most = MOST) {
    this.#most = most;
  }

  /** A change larger than the whole log empties it. */
  add(change: LoggedChange): void {
    const changes = [...this.#changes, change];
    let size = changes.reduce((sum, one) => sum + sizeOf(one), 0);
    while (size > this.#most) size -= sizeOf(changes.shift());
    this.#changes = changes;
  }

  /** What came after `revision`, without a gap; undefined if that is no longer known. */
  after(revision: number): readonly LoggedChange[] | undefined {
    const later = this.#changes.filter((one) => one.revision > revision);
    return later[0]?.revision === revision + 1 ? later : undefined;
  }

  clear(): void {
    this.#changes = [];
  }
}

const sizeOf = (change: LoggedChange | undefined): number =>
  (change?.pieces ?? []).reduce((sum, piece) => sum + piece.length, 0);
