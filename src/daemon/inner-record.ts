/**
 * In which namespaces of containers networks.json has put ports that lead elsewhere, or routes, over restarts: what a
 * policy has left there that went while no controller ran is removed by the next one.
 */
import type { Plan } from '../common/plan.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { NamespaceId, NetworkNamespace } from '../inventory/namespace.ts';

type Found = Pick<Inventory, 'namespaces' | 'isComplete'>;

export class InnerRecord {
  #ids: ReadonlySet<NamespaceId>;
  readonly #persist: (ids: ReadonlySet<NamespaceId>) => void;

  /** `previous`: of the previous run. `persist`: called with all of them after a change. */
  constructor(
    previous: ReadonlySet<NamespaceId> = new Set(),
    persist: (ids: ReadonlySet<NamespaceId>) => void = () => {},
  ) {
    this.#ids = previous;
    this.#persist = persist;
  }

  /** Call it with each plan, before its jobs: something is put into these now. */
  update(ids: Iterable<NamespaceId>, { namespaces, isComplete }: Found): void {
    const all = this.#ids.union(new Set(ids));
    const present = isComplete ? all.intersection(namespaces) : all;
    if (present.size === this.#ids.size && present.isSubsetOf(this.#ids)) return;
    this.#ids = present;
    this.#persist(present);
  }

  /** A plan that also removes what is left. While not all containers are known, it may only seem not to be desired. */
  complete<Desired>(
    plan: Plan<Desired>,
    { namespaces, isComplete }: Found,
    nothingIn: (namespace: NetworkNamespace) => Desired,
  ): Plan<Desired> {
    if (!isComplete) return plan;
    const left = [...this.#ids].flatMap((id) => (plan.has(id) ? [] : (namespaces.get(id) ?? [])));
    return new Map([
      ...plan,
      ...left.map((one) => [one.id, { kind: 'release', desired: nothingIn(one) }] as const),
    ]);
  }
}
