/**
 * Answers questions without a controller, from Consul and the Engine.
 */

import { messageOf, UserError } from '../../common/errors.ts';
import type { Config } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { DeniedFlowTracker } from '../../daemon/denied-flow-tracker.ts';
import { refOf } from '../../daemon/ruleset-loader.ts';
import { type Containers, namespaceView, templateFacts, withoutRules } from '../../daemon/snapshot.ts';
import {
  type EngineAccess,
  openConsul,
  openEngine,
  openServices,
  openTemplate,
  toolLogger,
} from '../../daemon/wiring.ts';
import { createDiagnostics, type Diagnostics, type Need } from '../../diagnostics/diagnostics.ts';
import { pickNamespace } from '../../diagnostics/namespace-view.ts';
import { withServices } from '../../diagnostics/read-services.ts';
import type { Snapshot } from '../../diagnostics/snapshot.ts';
import { notEnabled } from '../../features/egress/not-enabled.ts';
import { EGRESS } from '../../features/egress/rules.ts';
import { planNamespaces, type WorkloadNamespace } from '../../features/egress/workload-namespaces.ts';
import type { DeniedReport } from '../../inventory/denied-record.ts';
import { pickContainer } from '../../inventory/pick-container.ts';
import { parseWorkload } from '../../inventory/workload.ts';
import { parseAcl } from '../../policy/acl.ts';
import { isAnythingNamed } from '../controller.ts';

interface Place {
  readonly config: Config;
  readonly terminal: Terminal;
}

/** Milliseconds for which `denied --follow` uses the same snapshot. */
const KEPT = 60_000;

export function diagnosticsWithoutDaemon(place: Place): Diagnostics {
  let last: { readonly need: string; readonly at: number; readonly snapshot: Promise<Snapshot> } | undefined;
  return createDiagnostics({
    snapshot: (need) => {
      const asked = JSON.stringify(need);
      if (last?.need === asked && Date.now() - last.at < KEPT) return last.snapshot;
      const snapshot = readContainers(need, place).then((found) => readSnapshot(need, found, place.config));
      last = { need: asked, at: Date.now(), snapshot };
      return snapshot;
    },
    denied: (container) => readDenied(container, place),
    host: async () => {
      throw onlyByController(place.config);
    },
    ingress: async () => {
      throw onlyByController(place.config);
    },
    deniedCalls: async () => {
      throw onlyByController(place.config);
    },
  });
}

const onlyByController = ({ socket }: Config): UserError =>
  new UserError(
    `no controller answers at ${socket}, and it alone knows the rules of the host; start one, or give its --socket`,
  );

/** Reads Consul as the controller would. */
async function readSnapshot(
  { scope, also }: Need,
  containers: Containers,
  config: Config,
): Promise<Snapshot> {
  const consul = openConsul(config);
  const services = openServices(config, consul);
  try {
    const rules = await consul.readRules().catch((error: unknown) => {
      throw alone(config, error);
    });
    const snapshot: Snapshot = {
      ...containers,
      ...{ acl: parseAcl(rules), catalog: new Map(), unread: new Map() },
      ...{ protectedHosts: config.protectedHosts, kvPath: config.consul.kvPath },
      ...templateFacts(openTemplate(config)),
    };
    return await withServices(snapshot, services, scope, also);
  } finally {
    services.close();
    consul.close();
  }
}

/** If Consul or the Engine is named on the command line, a running controller may have been skipped. */
const alone = (config: Config, error: unknown): UserError =>
  new UserError(
    isAnythingNamed(config)
      ? messageOf(error)
      : `no controller answers at ${config.socket}, and ${messageOf(error)}`,
    { cause: error },
  );

/** Without namespaces if the Engine does not answer and the question allows that. */
async function readContainers({ container, withoutContainers }: Need, place: Place): Promise<Containers> {
  try {
    return await withEngine(place, async (engine) => {
      const { containers, ...plan } = await planned(engine, place.config);
      const views = plan.namespaces.map((one) => namespaceView(one, undefined));
      const known = { namespaces: views, ...withoutRules(plan, notEnabled(containers, plan)) };
      if (container === undefined) return known;
      const { id } = pickNamespace(known, container);
      const target = plan.namespaces.find((one) => one.id === id)?.target;
      const resolvers = target === undefined ? [] : await engine.containers.resolvers(target);
      return { ...known, namespaces: views.map((one) => (one.id === id ? { ...one, resolvers } : one)) };
    });
  } catch (error) {
    if (withoutContainers === true) return { namespaces: undefined, unsupported: [], notEnabled: [] };
    throw error;
  }
}

/** The denied destinations of one container or of all. */
function readDenied(container: string | undefined, place: Place): Promise<readonly DeniedReport[]> {
  return withEngine(place, async (engine) => {
    const { namespaces, containers } = await planned(engine, place.config);
    const id = container === undefined ? undefined : pickContainer(containers, container).id;
    const chosen = namespaces.filter(
      ({ target, members }) =>
        id === undefined || target.id === id || members.some((member) => member.container.id === id),
    );
    const reports: DeniedReport[] = [];
    for (const namespace of chosen) reports.push(await readOne(namespace, engine));
    return reports;
  });
}

async function readOne(namespace: WorkloadNamespace, { dataplane }: EngineAccess): Promise<DeniedReport> {
  const workloads = namespace.members.map(({ container }) => container.name);
  const about = { container: namespace.target.name, workloads, mode: namespace.mode };
  const now = Date.now();
  try {
    const denied = await dataplane.denied(refOf(namespace), EGRESS);
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
