/**
 * All that can be said of networks.json without a host: what is good in it, and what is wrong.
 */
import type { Problem } from '../../common/problem.ts';
import { formatPrefix } from '../../net/address.ts';
import { consistentFile, networkOf } from './consistency.ts';
import type { NetworksFile, ResolvedPolicies } from './model.ts';
import { inOrder, problemAt } from './problems.ts';
import { readNetworks } from './read.ts';
import { resolvePolicies } from './resolve.ts';

export interface CheckedNetworks {
  readonly file: NetworksFile;
  readonly resolved: ResolvedPolicies;
  /** In the order of the file. */
  readonly problems: readonly Problem[];
}

/** `reason`: the text is no file of networks at all; it follows the file's name. */
export function checkNetworks(text: string): CheckedNetworks | { readonly reason: string } {
  const read = readNetworks(text);
  if ('reason' in read) return read;
  const { file, problems } = consistentFile(read.file);
  const { resolved, problems: unresolved } = resolvePolicies(file, []);
  const all = [...read.problems, ...problems, ...withoutNetwork(file), ...unresolved];
  return { file, resolved, problems: inOrder(all) };
}

/** Docker may have their network. */
const withoutNetwork = ({ addresses, networks }: NetworksFile): readonly Problem[] =>
  addresses.flatMap(({ addresses: all, origin }) => {
    const lost = all.find((address) => networkOf(address, networks) === undefined);
    if (lost === undefined) return [];
    const reason = `${formatPrefix(lost)} is in no subnet of this file; Docker must have a network with it, or add it to networks`;
    return [problemAt('warning', origin, 'ip', reason)];
  });
