/**
 * Applies rules to one namespace once: for `set`, `clear` and `render` without a controller.
 */
import { messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { Dataplane } from '../dataplane/dataplane.ts';
import { type DesiredRules, desiredFor, NO_RULES } from '../features/egress/desired.ts';
import type { Renderer } from '../features/egress/renderer.ts';
import { EgressRules } from '../features/egress/rules.ts';
import type { WorkloadNamespace } from '../features/egress/workload-namespaces.ts';
import { ALL_FRESH } from '../inventory/ages.ts';
import type { Container } from '../inventory/container.ts';
import { serviceName } from '../inventory/service.ts';
import type { ContainerSource, RuleSource } from '../inventory/sources.ts';
import type { Prefix } from '../net/address.ts';
import { parseAcl } from '../policy/acl.ts';
import { grantedKeys, servicesOf } from '../policy/compile.ts';
import { PolicyCompiler } from '../policy/policy-compiler.ts';
import { LoadRecords } from '../reconciler/load-records.ts';
import { reconcile } from '../reconciler/reconcile.ts';
import { RulesetDriver } from '../reconciler/ruleset-driver.ts';
import { rulesetLoader } from './ruleset-loader.ts';

/** Reads Consul once; then compiles grants. */
export async function readRules(
  source: Pick<RuleSource, 'readRules' | 'readService'>,
  protectedHosts: readonly Prefix[],
  isDenylist: boolean,
  grantLists: readonly (readonly string[])[],
): Promise<(grants: readonly string[]) => DesiredRules> {
  const acl = parseAcl(await source.readRules());
  const granted = grantedKeys([...new Set(grantLists.flat())], acl);
  const refs = servicesOf(isDenylist ? acl.values() : granted);
  const instances = await Promise.all(refs.map((ref) => source.readService(ref)));
  const services = new Map(refs.map((ref, index) => [serviceName(ref), instances[index] ?? []]));
  const awaited = { rules: false, services: new Set<string>() };
  const known = { acl, services, ages: ALL_FRESH, awaited, isDenylist };
  return desiredFor(known, new PolicyCompiler(protectedHosts));
}

export interface OnceContext {
  readonly containers: Pick<ContainerSource, 'resolvers'>;
  readonly dataplane: Dataplane;
  readonly renderer: Renderer;
  readonly log: Logger;
}

/**
 * Loads these rules, or removes ours if they are undefined. DNS resolvers that cannot be read are not allowed.
 */
export async function applyOnce(
  namespace: WorkloadNamespace,
  rules: DesiredRules | undefined,
  context: OnceContext,
): Promise<void> {
  const { dataplane, renderer, log } = context;
  const source = new EgressRules({
    renderer: () => renderer,
    resolvers: async ({ target }) => ({ addresses: await readResolvers(target, context), isGuess: false }),
  });
  const records = new LoadRecords(undefined, () => {});
  await reconcile(new RulesetDriver(source, { loader: rulesetLoader(dataplane), records, log }), {
    ...{
      name: namespace.id,
      desired: { namespace, rules: rules ?? NO_RULES },
      isReleased: rules === undefined,
    },
    ...{ last: undefined, failures: 0, signal: new AbortController().signal },
  });
}

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
