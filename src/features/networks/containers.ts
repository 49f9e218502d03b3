/**
 * Which running container a name of the file means.
 */
import { quote } from '../../common/text.ts';
import type { Container } from '../../inventory/container.ts';
import { contains, type Prefix } from '../../net/address.ts';
import { bare } from './names.ts';

/** Those that names of an entry may mean: with exactly such a name, or else with one that is alike. */
export function containersNamed(
  names: readonly (string | undefined)[],
  containers: readonly Container[],
): readonly Container[] {
  const wanted = names.flatMap((name) => name ?? []);
  const exact = containers.filter(({ name }) => wanted.includes(name));
  if (exact.length > 0) return exact;
  return containers.filter(({ name }) => wanted.some((one) => bare(one) === bare(name)));
}

/** Undefined: none runs. `reason`: several do. */
export function containerNamed(
  names: readonly (string | undefined)[],
  containers: readonly Container[],
): Container | { readonly reason: string } | undefined {
  const [found, other] = containersNamed(names, containers);
  if (found === undefined || other === undefined) return found;
  const wanted = names.flatMap((name) => name ?? []);
  return {
    reason: `${quote(wanted.join(' or '))} is the name of the containers ${quote(found.name)} and ${quote(other.name)}; rename one`,
  };
}

/** The running container that has an address. */
export const holderOf = (address: Prefix, containers: readonly Container[]): Container | undefined =>
  containers.find(({ networks }) =>
    networks.some(({ ipv4, ipv6 }) =>
      [ipv4, ipv6].some((own) => own !== undefined && contains(own, address)),
    ),
  );
