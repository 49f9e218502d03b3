/**
 * Instances that are containers of this host. They are often registered at a published port of the host, but they call
 * their neighbours on a bridge from their own addresses: those count as the instance's too.
 */
import type { Container, ContainerId } from '../../inventory/container.ts';
import type { PortBinding } from '../../inventory/network.ts';
import type { Instance } from '../../inventory/service.ts';
import { contains, formatAddress, type Prefix, parseAddress } from '../../net/address.ts';
import type { Catalog } from '../../policy/compile.ts';

interface Memo {
  readonly instances: readonly Instance[];
  readonly added: string;
  readonly extended: readonly Instance[];
}

export class LocalInstances {
  readonly #node: string | undefined;
  #memos = new Map<string, Memo>();

  /** `node`: this host's name in Consul; undefined: no instance is of this host. */
  constructor(node: string | undefined) {
    this.#node = node;
  }

  /** The catalog with the containers' own addresses. An unchanged list is the identical object. */
  extend(catalog: Catalog, containers: ReadonlyMap<ContainerId, Container>): Catalog {
    const published = [...containers.values()].filter(({ running, ports }) => running && ports.length > 0);
    const memos = new Map<string, Memo>();
    for (const [name, instances] of catalog) {
      const added = instances.flatMap((one) => (this.#isHere(one) ? addressesAt(one, published) : []));
      if (added.length > 0) memos.set(name, this.#memo(name, instances, added));
    }
    this.#memos = memos;
    return new Map([...catalog].map(([name, found]) => [name, memos.get(name)?.extended ?? found]));
  }

  #isHere({ node }: Instance): boolean {
    return this.#node !== undefined && node.toLowerCase() === this.#node.toLowerCase();
  }

  #memo(name: string, instances: readonly Instance[], more: readonly Instance[]): Memo {
    const added = JSON.stringify(more);
    const known = this.#memos.get(name);
    if (known?.instances === instances && known.added === added) return known;
    return { instances, added, extended: [...instances, ...more] };
  }
}

/** The same instance at each address of the containers that publish its port. */
function addressesAt(instance: Instance, published: readonly Container[]): readonly Instance[] {
  const at = parseAddress(instance.address);
  if (at === undefined) return [];
  return published
    .filter(({ ports }) => ports.some((binding) => leadsTo(binding, at, instance.port)))
    .flatMap(({ networks }) => networks.flatMap(({ ipv4, ipv6 }) => [ipv4 ?? [], ipv6 ?? []].flat()))
    .map(({ family, address }) => ({ ...instance, address: formatAddress(family, address) }));
}

const leadsTo = ({ host, hostPort }: PortBinding, at: Prefix, port: number): boolean =>
  hostPort === port && contains(host, at);
