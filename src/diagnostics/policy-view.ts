/**
 * A picture in the terms of the domain, and the container that a question is about.
 */

import { UserError } from '../common/errors.ts';
import { type Prefix, parseAddress } from '../net/address.ts';
import { type Acl, parseAcl } from '../policy/acl.ts';
import type { Catalog } from '../policy/compile.ts';
import type { Grantee } from './diff.ts';
import type { PolicyView } from './explain.ts';
import type { NamespaceView, Snapshot } from './snapshot.ts';

export interface PolicyKnowledge {
  readonly acl: Acl;
  readonly catalog: Catalog;
  readonly protectedHosts: readonly Prefix[];
  readonly places: readonly NamespaceView[];
  /** Services of which nothing could be learned. */
  readonly unread: readonly string[];
  /** Why, by name, where that is known. */
  readonly whyUnread: ReadonlyMap<string, string>;
  /** What is loaded keeps refused destinations, so that they can be told. */
  readonly recordsDenied: boolean;
  /** The name or path of the template. */
  readonly template: string | undefined;
  /** Where the keys are in Consul, with a slash at its end. */
  readonly kvPath: string | undefined;
  readonly denylist: boolean;
  /** Workloads that can hold no rules. */
  readonly refused: NonNullable<Snapshot['refused']>;
  /** Names of containers that name keys and do not ask for rules. */
  readonly unasked: readonly string[];
}

export const policyKnowledge = (picture: Snapshot): PolicyKnowledge => ({
  acl: parseAcl(new Map(picture.rules.map(({ key, text }) => [key, text]))),
  catalog: new Map(picture.services.map(({ name, instances }) => [name, instances])),
  protectedHosts: picture.protectedHosts.flatMap((text) => parseAddress(text) ?? []),
  places: picture.places,
  unread: picture.unread,
  whyUnread: new Map(Object.entries(picture.whyUnread ?? {})),
  recordsDenied: picture.recordsDenied,
  template: picture.template,
  kvPath: picture.kvPath,
  denylist: picture.denylist,
  refused: picture.refused ?? [],
  unasked: picture.unasked ?? [],
});

type Outsiders = Pick<PolicyKnowledge, 'refused' | 'unasked'>;
const NONE: Outsiders = { refused: [], unasked: [] };

/** By name, id, or the beginning of an id. Throws a `UserError` where it means none or several. */
export function pickNamespace(
  places: readonly NamespaceView[],
  word: string,
  { refused, unasked }: Outsiders = NONE,
): NamespaceView {
  const exact = places.find(
    ({ workloads, ids, target }) => workloads.includes(word) || ids.includes(word) || target === word,
  );
  if (exact !== undefined) return exact;
  const isId = /^[0-9a-f]{4,64}$/.test(word);
  const found = isId ? places.filter(({ ids }) => ids.some((id) => id.startsWith(word))) : [];
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined)
    throw new UserError(`"${word}" matches ${found.length} containers; give more of the id, or the name`);
  const outside = refused.find(({ name, id }) => name === word || (isId && id.startsWith(word)));
  if (outside !== undefined) throw new UserError(`${outside.name}: ${outside.reason}`);
  if (unasked.includes(word))
    throw new UserError(`${word} names ACL keys but not EGRESSTRATOR_ENABLE=1, so it has no rules`);
  throw new UserError(
    `no container "${word}" with EGRESSTRATOR_ENABLE=1 runs here; "egresstrator status" lists those that do`,
  );
}

export const viewOf = (
  { acl, catalog, protectedHosts, denylist }: PolicyKnowledge,
  { grants, mode, dns, resolvers }: NamespaceView,
): PolicyView => ({ acl, catalog, protectedHosts, denylist, grants, mode, dns, resolvers: resolvers ?? [] });

/** The workloads and their keys; those that share a network share them. */
export const workloadsOf = ({ places }: PolicyKnowledge): readonly Grantee[] =>
  places.flatMap(({ workloads, grants }) => workloads.map((name) => ({ name, grants })));
