/**
 * `egresstrator networks apply --dry-run`: what the controller would make and remove for networks.json on this host now.
 * Nothing is changed: the Engine, the state folder, and the kernel of this host and of the containers in question are read.
 */
import { messageOf, UnansweredError, UsageError, UserError } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import type { Config, Flags } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { refOf } from '../../daemon/ruleset-loader.ts';
import { lastNetworksText } from '../../daemon/state/networks-file.ts';
import { type EngineAccess, openDocker, openEngine, toolLogger } from '../../daemon/wiring.ts';
import { HOST_REF } from '../../dataplane/dataplane.ts';
import type { DesiredNetworks } from '../../features/networks/model.ts';
import { planOf, type Surroundings } from '../../features/networks/plan.ts';
import { type ReadNetworks, readNetworks } from '../../features/networks/read.ts';
import { type Loaded, type LoadedInner, stepsOf } from '../../features/networks/steps.ts';
import { type NamespaceId, namespacesOf } from '../../inventory/namespace.ts';
import { type CommandContext, commandContext } from '../diagnostics/context.ts';
import { formatNetworksSteps } from '../format/networks.ts';
import type { Output } from '../output.ts';
import { withProgress } from '../progress.ts';
import type { NetworksSteps } from '../schemas/networks.ts';
import { failFor, problemOf, textOf } from './networks.ts';

export async function applyNetworks(
  file: string | undefined,
  flags: Flags,
  terminal: Terminal,
): Promise<void> {
  const context = commandContext(flags, terminal);
  const { config, output, style } = context;
  if (!config.dryRun)
    throw new UsageError(
      'the controller with --networks applies the file within a second of a change; see what it would do by networks apply --dry-run',
    );
  const path = file ?? config.networks;
  if (path === undefined)
    throw new UsageError(
      'name the file: egresstrator networks apply --dry-run networks.json, or set --networks',
    );
  const read = readNetworks(await textOf(path));
  if ('reason' in read) throw new UnansweredError(`the file ${path} ${read.reason}`);
  const steps = await withProgress('Looking at this host', terminal, () =>
    stepsNow(path, read, { config, terminal, output }).catch((error: unknown) => {
      throw error instanceof UserError ? new UnansweredError(error.message, { cause: error }) : error;
    }),
  );
  reportSteps(steps, { output, style });
}

/** Throws for an error of the file, which the steps leave out. */
export function reportSteps(
  steps: NetworksSteps,
  { output, style }: Pick<CommandContext, 'output' | 'style'>,
): void {
  output.result(steps, (seen) => formatNetworksSteps(seen, style));
  failFor(steps, false);
}

interface Host {
  readonly config: Config;
  readonly terminal: Terminal;
  readonly output: Output;
}

async function stepsNow(
  file: string,
  read: ReadNetworks,
  { config, terminal, output }: Host,
): Promise<NetworksSteps> {
  const log = toolLogger(terminal);
  // The command line's --dry-run would make a data plane that sees nothing.
  const engine = await openEngine({ ...config, dryRun: false }, terminal, log);
  try {
    const around = await surroundings(engine, config, terminal, output);
    const before = await lastApplied(config, around, log);
    const { desired, problems } = planOf(read, around);
    const steps = stepsOf(desired, await loadedNow(engine, around, before, desired));
    return { file, steps: [...steps], problems: problems.map(problemOf) };
  } finally {
    await engine.close();
  }
}

async function surroundings(
  { containers: source, hostFacts }: EngineAccess,
  config: Config,
  terminal: Terminal,
  output: Output,
): Promise<Surroundings> {
  const docker = openDocker(config, terminal);
  try {
    const [containers, networks, host] = await Promise.all([
      source.list(),
      docker.networks(),
      hostFacts.read().catch((error: unknown) => {
        output.note(`not compared with the routes of this host: ${messageOf(error)}`);
        return undefined;
      }),
    ]);
    return {
      ...{ containers: containers.values().toArray(), namespaces: namespacesOf(containers), host },
      networks: new Map(networks.map((one) => [one.id, one])),
    };
  } finally {
    docker.close();
  }
}

/** By the text that the controller keeps. Its file may have another path than `file`: one that is not in use yet. */
async function lastApplied(
  { stateDir }: Config,
  around: Surroundings,
  log: Logger,
): Promise<DesiredNetworks | undefined> {
  if (stateDir === undefined) return undefined;
  const text = await lastNetworksText(stateDir, log);
  const read = text === undefined ? undefined : readNetworks(text);
  return read === undefined || 'reason' in read ? undefined : planOf(read, around).desired;
}

/** Of the containers that have something of the file, or had. */
async function loadedNow(
  { dataplane, hostDataplane, namespaceRoutes }: EngineAccess,
  { namespaces }: Surroundings,
  before: DesiredNetworks | undefined,
  desired: DesiredNetworks,
): Promise<Loaded> {
  const inner = new Map<NamespaceId, LoadedInner>();
  for (const id of new Set([...desired.inner.keys(), ...(before?.inner.keys() ?? [])])) {
    const namespace = namespaces.get(id);
    if (namespace?.kind !== 'container') continue;
    const ref = refOf(namespace);
    const hasForwards = (await dataplane.owners(ref)).includes('nat');
    const routes = (await namespaceRoutes?.read(ref)) ?? [];
    inner.set(id, { container: namespace.target.name, hasForwards, routes });
  }
  const hasHostRules = (await hostDataplane.owners(HOST_REF)).includes('host');
  return { before, hasHostRules, inner };
}
