/**
 * Does for one namespace, once, what the controller does all the time: for `set`, `clear` and
 * `render` where no controller runs.
 */

import { messageOf } from '../common/errors.ts';
import type { WorkloadNamespace } from '../features/egress/workload-namespaces.ts';
import type { Container } from '../inventory/container.ts';
import { serviceName } from '../inventory/service.ts';
import type { ContainerSource, RuleSource } from '../inventory/sources.ts';
import type { Prefix } from '../net/address.ts';
import { parseAcl } from '../policy/acl.ts';
import { grantedKeys, servicesOf } from '../policy/compile.ts';
import { PolicyCompiler } from '../policy/policy-compiler.ts';
import { type JobContext, type Outcome, reconcile } from '../reconciler/namespace-job.ts';
import { type Desired, newState } from '../reconciler/reconcile-state.ts';

export type RulesWanted = Extract<Desired, { kind: 'rules' }>;

/** Reads Consul once; then says what grants ask for. */
export async function readRules(
  source: Pick<RuleSource, 'readRules' | 'readService'>,
  protectedHosts: readonly Prefix[],
  needsUngranted: boolean,
  grantLists: readonly (readonly string[])[],
): Promise<(grants: readonly string[]) => RulesWanted> {
  const acl = parseAcl(await source.readRules());
  const granted = grantedKeys([...new Set(grantLists.flat())], acl);
  const refs = servicesOf(needsUngranted ? acl.values() : granted);
  const instances = await Promise.all(refs.map((ref) => source.readService(ref)));
  const catalog = new Map(refs.map((ref, index) => [serviceName(ref), instances[index] ?? []]));
  const resolver = new PolicyCompiler(protectedHosts);
  return (grants) => {
    const others = [...acl.keys()].filter((key) => !grants.includes(key));
    const ungranted = needsUngranted ? resolver.compileClosed(others, acl, catalog).ruleSet : undefined;
    const resolution = resolver.compile(grants, acl, catalog);
    return { kind: 'rules', resolution, ungranted, isKnown: true, awaits: false, unread: [], unclosed: [] };
  };
}

export interface OnceContext extends Omit<JobContext, 'resolvers'> {
  readonly containers: Pick<ContainerSource, 'resolvers'>;
}

/** Makes the namespace hold what is wanted; with no resolvers, where they cannot be read. */
export const applyOnce = (
  namespace: WorkloadNamespace,
  want: Desired,
  context: OnceContext,
): Promise<Outcome> =>
  reconcile(newState(namespace, want, { sinceStart: false }), {
    ...context,
    resolvers: async ({ target }) => ({ addresses: await readResolvers(target, context), isGuess: false }),
  });

async function readResolvers(
  target: Container,
  { containers, log }: OnceContext,
): Promise<readonly string[]> {
  try {
    return await containers.resolvers(target);
  } catch (error) {
    const fields = { container: target.name, error: messageOf(error) };
    log.warn(fields, 'DNS resolvers could not be read, so none are allowed');
    return [];
  }
}
