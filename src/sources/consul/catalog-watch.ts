/**
 * Watches of the tables of Consul's catalog that all services of a datacenter stand in: two or three queries
 * that tell when any service may have changed, for those that cannot be asked all the time (crowd.ts).
 * Only the index of an answer counts; nodes and checks are filtered out of it, so that it is small.
 *
 * Tried on 1.8: an instance that comes, goes or changes moves the index of `services`; the address of a node
 * only that of `nodes`; a check only that of `checks`. The same registration once more moves none.
 */
import type { Watched } from '../../inventory/sources.ts';
import type { Table } from './client.ts';
import type { Place } from './query-scheduler.ts';

export interface BellsOptions {
  readonly tables: readonly Table[];
  readonly watch: (table: Table, place: Place, onMove: () => void) => Watched<unknown>;
  readonly ring: (place: Place) => void;
}

export class Bells {
  readonly #options: BellsOptions;
  readonly #watches = new Map<Place, readonly Watched<unknown>[]>();

  constructor(options: BellsOptions) {
    this.#options = options;
  }

  /** All that is watched is known, and none of it lost. */
  get areHung(): boolean {
    const all = [...this.#watches.values()].flat();
    return all.length > 0 && all.every(({ value, error }) => value !== undefined && error === undefined);
  }

  /** From now on these datacenters are watched, and no others. */
  follow(places: ReadonlySet<Place>): void {
    for (const [place, watches] of this.#watches) {
      if (places.has(place)) continue;
      this.#watches.delete(place);
      for (const watch of watches) watch.close();
    }
    for (const place of places) if (!this.#watches.has(place)) this.#watches.set(place, this.#hang(place));
  }

  #hang(place: Place): readonly Watched<unknown>[] {
    const { tables, watch, ring } = this.#options;
    return tables.map((table) => watch(table, place, () => ring(place)));
  }
}
