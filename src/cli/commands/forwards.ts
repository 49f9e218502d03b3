/**
 * `egresstrator forwards create` and `delete`: for units that run one container each, as docker-iptables.py was called by
 * them. A running controller forwards by itself, so they wait until it has. With --write-files the forwards are written
 * to files instead, and loaded from there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError, UserError } from '../../common/errors.ts';
import { type Config, type Flags, resolveConfig } from '../../config/config.ts';
import type { Terminal } from '../../config/terminal.ts';
import { askController } from '../../daemon/api/diagnostics-client.ts';
import { openDocker } from '../../daemon/wiring.ts';
import type { HostAnswer } from '../../diagnostics/host-view.ts';
import { publishedForwards } from '../../features/host/forwards.ts';
import type { Forward } from '../../features/host/model.ts';
import type { Container } from '../../inventory/container.ts';
import type { Networks } from '../../inventory/network.ts';
import { formatPrefix } from '../../net/address.ts';
import type { Engine } from '../../sources/docker/engine.ts';
import { isHttpError } from '../../sources/docker/errors.ts';
import { containerFrom } from '../../sources/docker/inspect.ts';
import { requireController } from '../controller.ts';
import { deleteRuleFiles, replaceRuleFiles } from '../forward-files.ts';
import { createOutput, type Output } from '../output.ts';

/** As docker-iptables.py waited: 20 times a tenth of a second. */
const ATTEMPTS = 20;
const PAUSE = 100;
/** Milliseconds until a controller has loaded what it has seen. */
const LOAD_LIMIT = 15_000;

interface Context {
  readonly config: Config;
  readonly flags: Flags;
  readonly engine: Engine;
  readonly output: Output;
}

export async function createForwards(name: string, flags: Flags, terminal: Terminal): Promise<void> {
  await withEngine(flags, terminal, async (context) => {
    const { engine, output } = context;
    const container = await running(engine, name);
    const networks = await networksOf(engine);
    const forwards = publishedForwards([container], networks);
    if (forwards.length === 0) output.note(`${container.name} publishes no port to forward`);
    if (flags.writeFiles === true) {
      const ids = new Set((await engine.running()).map(({ id }) => id));
      await replaceRuleFiles(container, { forwards, networks, running: ids }, flags, output);
    } else if (forwards.length > 0) await untilLoaded(context, container, forwards);
  });
}

export async function deleteForwards(name: string, flags: Flags, terminal: Terminal): Promise<void> {
  if (flags.writeFiles === true) {
    await deleteRuleFiles(name, flags, createOutput(terminal, false));
    return;
  }
  await withEngine(flags, terminal, async (context) => {
    const found = await inspected(context.engine, name);
    if (found?.running === true)
      context.output.note(`${found.name} runs, so the controller keeps its forwards; they end when it stops`);
    else await untilGone(context, found?.name ?? name);
  });
}

async function withEngine(flags: Flags, terminal: Terminal, work: (context: Context) => Promise<void>) {
  const config = resolveConfig(flags, terminal.environment);
  const engine = openDocker(config, terminal);
  try {
    await work({ config, flags, engine, output: createOutput(terminal, false) });
  } finally {
    engine.close();
  }
}

async function running(engine: Engine, name: string): Promise<Container> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (attempt > 0) await sleep(PAUSE);
    const container = await inspected(engine, name);
    if (container?.running === true) return container;
  }
  throw new UserError(`${name} does not run: waited ${(ATTEMPTS * PAUSE) / 1000} s for it`);
}

/** Undefined: there is none of this name. */
async function inspected(engine: Engine, name: string): Promise<Container | undefined> {
  if (name === '') throw new UsageError('the name of a container is missing');
  try {
    return containerFrom(await engine.inspect(name));
  } catch (error) {
    if (isHttpError(error, 404)) return undefined;
    throw error;
  }
}

const networksOf = async (engine: Engine): Promise<Networks> =>
  new Map((await engine.networks()).map((network) => [network.id, network]));

async function untilLoaded(
  context: Context,
  { name }: Container,
  forwards: readonly Forward[],
): Promise<void> {
  const wanted = forwards.map(
    ({ protocol, port, to, toPort }) => `${protocol}/${port} ${formatPrefix(to)} ${toPort}`,
  );
  const isLoaded = (host: HostAnswer): boolean => {
    const loaded = new Set(host.forwards.map((one) => `${one.protocol}/${one.port} ${one.to} ${one.toPort}`));
    return host.state === 'loaded' && wanted.every((one) => loaded.has(one));
  };
  if (await becomes(context, isLoaded))
    return context.output.note(`forwarding ${wanted.length} ports of ${name}`);
  throw new UserError(
    `the controller does not forward the ports of ${name}: it must run with --forwards on, or auto where the Engine makes no rules; see egresstrator host status`,
  );
}

async function untilGone(context: Context, name: string): Promise<void> {
  const isGone = ({ state, forwards }: HostAnswer): boolean =>
    state === 'off' || (state === 'loaded' && !forwards.some(({ container }) => container === name));
  if (await becomes(context, isGone)) return context.output.note(`no port is forwarded to ${name}`);
  throw new UserError(`the controller still forwards ports to ${name}; see egresstrator host status`);
}

async function becomes({ config }: Context, isSo: (host: HostAnswer) => boolean): Promise<boolean> {
  const controller = await requireController(config);
  if (controller === undefined)
    throw new UserError(
      `no controller answers at ${config.socket}, and it forwards the ports; start one with --forwards on, or use --write-files`,
    );
  const diagnostics = askController(controller);
  for (let waited = 0; waited < LOAD_LIMIT; waited += PAUSE) {
    const host = await diagnostics.host();
    if (isSo(host)) return true;
    if (host.state === 'off') return false;
    await sleep(PAUSE);
  }
  return false;
}
