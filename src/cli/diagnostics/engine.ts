/**
 * Reads containers and their denied packets for commands without a controller.
 */
import { messageOf, UserError } from '../../common/errors.ts';
import type { Config } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { mergedCalls } from '../../daemon/denied-calls.ts';
import { DeniedFlowTracker } from '../../daemon/denied-flow-tracker.ts';
import type { DeniedNamespace } from '../../daemon/denied-lines.ts';
import { refOf } from '../../daemon/ruleset-loader.ts';
import { type Containers, namespaceView, withoutRules } from '../../daemon/snapshot.ts';
import { type EngineAccess, openEngine, toolLogger } from '../../daemon/wiring.ts';
import type { DeniedCallsReport } from '../../diagnostics/denied-in.ts';
import type { Need } from '../../diagnostics/diagnostics.ts';
import { pickNamespace } from '../../diagnostics/namespace-view.ts';
import { notEnabled } from '../../features/egress/not-enabled.ts';
import { EGRESS } from '../../features/egress/rules.ts';
import { planNamespaces } from '../../features/egress/workload-namespaces.ts';
import { INGRESS } from '../../features/ingress/ingress.ts';
import { type IngressNamespace, ingressNamespaces } from '../../features/ingress/namespaces.ts';
import type { Container, ContainerId } from '../../inventory/container.ts';
import type { DeniedReport } from '../../inventory/denied-record.ts';
import { namespacesOf } from '../../inventory/namespace.ts';
import { pickContainer } from '../../inventory/pick-container.ts';
import type { RulesetOwner } from '../../inventory/ruleset.ts';
import { parseWorkload } from '../../inventory/workload.ts';
import { isAnythingNamed } from '../controller.ts';

export interface Place {
  readonly config: Config;
  readonly terminal: Terminal;
}

export type Running = ReadonlyMap<ContainerId, Container>;

/** `running`: undefined if the Engine does not answer. */
export type FoundContainers = Containers & { readonly running: Running | undefined };

/** If Consul or the Engine is named on the command line, a running controller may have been skipped. */
export const alone = (config: Config, error: unknown): UserError =>
  new UserError(
    isAnythingNamed(config) ? messageOf(error) : `${noController(config)}, and ${messageOf(error)}`,
    {
      cause: error,
    },
  );

export const noController = ({ socket }: Config): string => `no controller answers at ${socket}`;

export const listContainers = (place: Place): Promise<Running> =>
  withEngine(place, (engine) => engine.containers.list());

/** Without namespaces if the Engine does not answer and the question allows that. */
export async function readContainers(
  { container, withoutContainers }: Need,
  place: Place,
): Promise<FoundContainers> {
  try {
    return await withEngine(place, async (engine) => {
      const { containers: running, ...plan } = await planned(engine, place.config);
      const views = plan.namespaces.map((one) => namespaceView(one, undefined));
      const known = { running, namespaces: views, ...withoutRules(plan, notEnabled(running, plan)) };
      if (container === undefined) return known;
      const { id } = pickNamespace(known, container);
      const target = plan.namespaces.find((one) => one.id === id)?.target;
      const resolvers = target === undefined ? [] : await engine.containers.resolvers(target);
      return { ...known, namespaces: views.map((one) => (one.id === id ? { ...one, resolvers } : one)) };
    });
  } catch (error) {
    if (withoutContainers !== true) throw error;
    return { running: undefined, namespaces: undefined, unsupported: [], notEnabled: [] };
  }
}

/** The namespaces whose callers are limited. */
export const ingressIn = (running: Running, { mode }: Config): readonly IngressNamespace[] =>
  ingressNamespaces(namespacesOf(running), mode).namespaces;

/** The denied destinations of one container or of all. */
export function readDenied(container: string | undefined, place: Place): Promise<readonly DeniedReport[]> {
  return withEngine(place, async (engine) => {
    const { namespaces, containers } = await planned(engine, place.config);
    const id = container === undefined ? undefined : pickContainer(containers, container).id;
    const chosen = namespaces.filter(
      ({ target, members }) =>
        id === undefined || target.id === id || members.some((member) => member.container.id === id),
    );
    return readAll(chosen, EGRESS, engine);
  });
}

/** The calls that ingress rules denied. */
export function readDeniedCalls(place: Place): Promise<DeniedCallsReport> {
  return withEngine(place, async (engine) => {
    const namespaces = ingressIn(await engine.containers.list(), place.config);
    return mergedCalls(undefined, await readAll(namespaces, INGRESS, engine), namespaces);
  });
}

async function readAll(
  namespaces: readonly DeniedNamespace[],
  owner: RulesetOwner,
  engine: EngineAccess,
): Promise<readonly DeniedReport[]> {
  const reports: DeniedReport[] = [];
  for (const namespace of namespaces) reports.push(await readOne(namespace, owner, engine));
  return reports;
}

async function readOne(
  namespace: DeniedNamespace,
  owner: RulesetOwner,
  { dataplane }: EngineAccess,
): Promise<DeniedReport> {
  const workloads = namespace.members.map(({ container }) => container.name);
  const about = { container: namespace.target.name, workloads, mode: namespace.mode };
  const now = Date.now();
  try {
    const denied = await dataplane.denied(refOf(namespace), owner);
    const { seen, summary } = new DeniedFlowTracker().record(namespace.id, denied, now);
    return { ...about, destinations: seen, summary, readAt: now };
  } catch (error) {
    return { ...about, destinations: [], readAt: now, error: messageOf(error) };
  }
}

const planned = async (engine: EngineAccess, config: Config) => {
  const containers = await engine.containers.list();
  return { ...planNamespaces(containers, (one) => parseWorkload(one, config.mode)), containers };
};

async function withEngine<T>(
  { config, terminal }: Place,
  use: (engine: EngineAccess) => Promise<T>,
): Promise<T> {
  const engine = await openEngine(config, terminal, toolLogger(terminal)).catch((error: unknown) => {
    throw alone(config, error);
  });
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}
