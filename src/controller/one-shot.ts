/**
 * Does for one namespace, once, what the controller does all the time: for `set`, `clear` and
 * `render` where no controller runs.
 */
import { parseAcl } from '../domain/acl.ts';
import type { Prefix } from '../domain/address.ts';
import type { Container } from '../domain/container.ts';
import { messageOf } from '../domain/errors.ts';
import type { Namespace } from '../domain/namespace.ts';
import { grantedKeys, servicesOf } from '../domain/resolve.ts';
import { serviceName } from '../domain/service.ts';
import { type JobContext, type Outcome, settle } from './namespace-job.ts';
import { newRecord, type Want } from './namespace-record.ts';
import type { ContainerSource, RuleSource } from './ports.ts';
import { Resolver } from './resolver.ts';

export type RulesWanted = Extract<Want, { kind: 'rules' }>;

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
  const resolver = new Resolver(protectedHosts);
  return (grants) => {
    const others = [...acl.keys()].filter((key) => !grants.includes(key));
    const ungranted = needsUngranted ? resolver.resolveClosed(others, acl, catalog).ruleSet : undefined;
    const resolution = resolver.resolve(grants, acl, catalog);
    return { kind: 'rules', resolution, ungranted, isKnown: true, awaits: false, unread: [], unclosed: [] };
  };
}

export interface OnceContext extends Omit<JobContext, 'resolvers'> {
  readonly containers: Pick<ContainerSource, 'resolvers'>;
}

/** Makes the namespace hold what is wanted; with no resolvers, where they cannot be read. */
export const settleOnce = (namespace: Namespace, want: Want, context: OnceContext): Promise<Outcome> =>
  settle(newRecord(namespace, want, { sinceStart: false }), {
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
    log.warn(fields, 'resolvers could not be read, so none are allowed');
    return [];
  }
}
