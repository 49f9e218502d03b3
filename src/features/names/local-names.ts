/**
 * The names of a namespace that need no rule, and who answers them. Containers come and go more often than rules
 * change, so this changes in place: another policy would let answers fail that are on their way.
 */
import { type Name, nameKey } from '../../dns/name.ts';
import { isOfNetwork, type NetworkNames } from './docker-names.ts';

export class LocalNames {
  /** Of the networks that the namespace is in. */
  docker: readonly NetworkNames[] = [];
  /** Of services that its rules name, as `nameKey` writes them. */
  consul: ReadonlySet<string> = new Set();

  readonly resolverOf = (name: Name): 'docker' | 'consul' | undefined => {
    if (this.consul.has(nameKey(name))) return 'consul';
    return this.docker.some((network) => isOfNetwork(network, name)) ? 'docker' : undefined;
  };
}
