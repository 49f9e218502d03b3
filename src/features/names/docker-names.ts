/**
 * The names that Docker's own resolver answers in a namespace: those of the containers on its networks. Names of
 * others would be passed on by it to resolvers of its own, so it is asked for these alone.
 */
import { type Name, nameKey, parseName } from '../../dns/name.ts';
import type { Container } from '../../inventory/container.ts';
import type { Attachment, Link, NetworkId } from '../../inventory/network.ts';

/** The names of one network. */
export interface NetworkNames {
  /** Of the network itself; undefined if it is none of DNS. */
  readonly network: Name | undefined;
  /** As `nameKey` writes them. */
  readonly containers: ReadonlySet<string>;
}

/** In these, Docker answers no names. */
const WITHOUT_NAMES: ReadonlySet<string> = new Set(['bridge', 'host', 'none']);

/** Characters of the id that are a name as well. */
const SHORT_ID = 12;

export const namesByNetwork = (containers: Iterable<Container>): ReadonlyMap<NetworkId, NetworkNames> => {
  const found = new Map<NetworkId, { network: Name | undefined; containers: Set<string> }>();
  for (const container of containers) {
    for (const attachment of container.running ? container.networks : []) {
      if (WITHOUT_NAMES.has(attachment.name)) continue;
      const names = found.get(attachment.id) ?? { network: named(attachment.name), containers: new Set() };
      found.set(attachment.id, names);
      for (const name of namesOf(container, attachment)) names.containers.add(nameKey(name));
    }
  }
  return found;
};

/** Whether a network has the name, alone or before the network's own. */
export const isOfNetwork = ({ network, containers }: NetworkNames, name: Name): boolean => {
  if (containers.has(nameKey(name))) return true;
  const length = name.length - (network?.length ?? 0);
  if (network === undefined || length < 1 || nameKey(name.slice(length)) !== nameKey(network)) return false;
  return containers.has(nameKey(name.slice(0, length)));
};

/**
 * What a container has of the names of its networks: those that all there have, and those of its own links. A link whose
 * container is not there is no name, because Docker would pass it on.
 */
export const namesOn = (
  attachments: readonly Attachment[],
  byNetwork: ReadonlyMap<NetworkId, NetworkNames>,
): readonly NetworkNames[] =>
  attachments.flatMap(({ id, links = [] }) => {
    const names = byNetwork.get(id);
    if (names === undefined) return [];
    const linked = links.flatMap((link) => (isLink(names, link) ? keyOf(link.name) : []));
    return linked.length === 0 ? [names] : [names, { ...names, containers: new Set(linked) }];
  });

const keyOf = (text: string): readonly string[] => {
  const name = named(text);
  return name === undefined ? [] : [nameKey(name)];
};

const isLink = (names: NetworkNames, { to }: Link): boolean => {
  const name = named(to);
  return name !== undefined && isOfNetwork(names, name);
};

const namesOf = ({ id, name }: Container, { aliases = [] }: Attachment): readonly Name[] =>
  [name, id.slice(0, SHORT_ID), ...aliases].map(named).filter((one) => one !== undefined);

/** Docker's names have dots, which part labels. */
const named = (text: string): Name | undefined => {
  const parsed = parseName(text);
  return 'name' in parsed && parsed.name.length > 0 ? parsed.name : undefined;
};
