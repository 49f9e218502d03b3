/**
 * Answers without a controller: what it would know is read from Consul and the Engine.
 */

import { messageOf, UserError } from '../../common/errors.ts';
import type { Config } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { DeniedFlowTracker } from '../../daemon/denied-flow-tracker.ts';
import type { DeniedReport } from '../../daemon/deny-log.ts';
import { refOf } from '../../daemon/ruleset-loader.ts';
import {
  type Engine,
  openConsul,
  openEngine,
  openServices,
  openTemplate,
  toolLogger,
} from '../../daemon/wiring.ts';
import { pickNamespace } from '../../diagnostics/policy-view.ts';
import { type Scope, withServices } from '../../diagnostics/read-services.ts';
import { parseServices } from '../../diagnostics/service-names.ts';
import { namespaceView, outsiders, type Snapshot } from '../../diagnostics/snapshot.ts';
import { notEnabled } from '../../features/egress/not-enabled.ts';
import { planNamespaces, type WorkloadNamespace } from '../../features/egress/workload-namespaces.ts';
import { pickContainer } from '../../inventory/pick-container.ts';
import { parseWorkload } from '../../inventory/workload.ts';
import { formatPrefix } from '../../net/address.ts';
import { recordsDenied } from '../../rendering/facts.ts';
import { needsUngranted } from '../../rendering/template.ts';

export interface Question {
  readonly scope: Scope;
  /** Services that are asked for by name. */
  readonly also?: readonly string[];
  /** The container whose resolvers matter. */
  readonly container?: string;
  /** An answer is possible without knowing the containers. */
  readonly withoutContainers?: boolean;
}

/** Reads Consul as the controller would. */
export async function readSnapshot(
  question: Question,
  containers: Containers | undefined,
  config: Config,
): Promise<Snapshot> {
  const consul = openConsul(config);
  try {
    const rules = await consul.readRules().catch((error: unknown) => {
      throw alone(config, error);
    });
    const template = openTemplate(config);
    const picture: Snapshot = {
      ...{ places: [], ...containers },
      consul: config.consul.address,
      rules: [...rules].map(([key, text]) => ({ key, text })),
      services: [],
      unread: [],
      protectedHosts: config.protectedHosts.map(formatPrefix),
      template: config.template,
      kvPath: config.consul.kvPath,
      denylist: needsUngranted(template),
      recordsDenied: recordsDenied(template.source),
    };
    const also = parseServices((question.also ?? []).join(','));
    return await withServices(picture, openServices(config, consul), question.scope, also);
  } finally {
    consul.close();
  }
}

/** What the Engine tells. */
type Containers = Pick<Snapshot, 'places' | 'refused' | 'unasked'>;

/** Where Consul is named by hand a controller may answer, and is not asked. */
const alone = ({ asksConsul, socket }: Config, error: unknown): UserError =>
  new UserError(
    asksConsul ? messageOf(error) : `no controller answers at ${socket}, and ${messageOf(error)}`,
    {
      cause: error,
    },
  );

/** Undefined where the Engine can't tell, and the question allows that. */
export async function readContainers(
  { container, withoutContainers }: Question,
  config: Config,
  terminal: Terminal,
): Promise<Containers | undefined> {
  try {
    return await withEngine(config, terminal, async (engine) => {
      const { containers, ...planned } = await plan(engine, config);
      const others = outsiders(planned, notEnabled(containers, planned));
      const places = planned.namespaces.map((one) => namespaceView(one, undefined));
      if (container === undefined) return { ...others, places };
      const chosen = pickNamespace(places, container, others);
      const target = planned.namespaces[places.indexOf(chosen)]?.target;
      const resolvers = target === undefined ? [] : await engine.containers.resolvers(target);
      return {
        ...others,
        places: places.map((place) => (place === chosen ? { ...place, resolvers } : place)),
      };
    });
  } catch (error) {
    if (withoutContainers === true) return undefined;
    throw error;
  }
}

/** What the kernel refused, of one container or of all. */
export function readDeniedDirectly(
  container: string | undefined,
  config: Config,
  terminal: Terminal,
): Promise<readonly DeniedReport[]> {
  return withEngine(config, terminal, async (engine) => {
    const { namespaces, containers } = await plan(engine, config);
    const id = container === undefined ? undefined : pickContainer(containers, container).id;
    const chosen = namespaces.filter(
      ({ target, members }) =>
        id === undefined || target.id === id || members.some((member) => member.container.id === id),
    );
    const reports: DeniedReport[] = [];
    for (const namespace of chosen) reports.push(await readDirectly(namespace, engine));
    return reports;
  });
}

async function readDirectly(namespace: WorkloadNamespace, { dataplane }: Engine): Promise<DeniedReport> {
  const workloads = namespace.members.map(({ container }) => container.name);
  const about = { container: namespace.target.name, workloads, mode: namespace.mode };
  const now = Date.now();
  try {
    const denied = await dataplane.denied(refOf(namespace), 'egress');
    const { seen, summary } = new DeniedFlowTracker().note(namespace.id, denied, now);
    return { ...about, refusals: seen, summary, readAt: now };
  } catch (error) {
    return { ...about, refusals: [], readAt: now, error: messageOf(error) };
  }
}

const plan = async (engine: Engine, config: Config) => {
  const containers = await engine.containers.list();
  const planned = planNamespaces(containers, (one) => parseWorkload(one, config.mode));
  return { ...planned, containers };
};

async function withEngine<T>(
  config: Config,
  terminal: Terminal,
  use: (engine: Engine) => Promise<T>,
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
