/**
 * Collects the facts for `doctor`. Nothing here fails: a missing fact has a reason. Nothing is changed.
 */
import { access, readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { version } from '../../common/assets.ts';
import { EngineError, messageOf } from '../../common/errors.ts';
import { bootId } from '../../common/steady-clock.ts';
import type { Config } from '../../config/config.ts';
import { ApiClient } from '../../daemon/api/client.ts';
import { StatusReply } from '../../daemon/api/schema.ts';
import { isHostLeft } from '../../daemon/state/host-files.ts';
import { openConsul } from '../../daemon/wiring.ts';
import { runProgram } from '../../dataplane/run-program.ts';
import type { GateSettings } from '../../gate/layout.ts';
import { gateStatus } from '../../gate/status.ts';
import { isListening } from '../../http/unix-socket.ts';
import { readPermissions } from '../../sources/consul/permissions.ts';
import type { Engine } from '../../sources/docker/engine.ts';
import { helperImage } from '../../sources/docker/image.ts';
import { collectNames } from './collect-names.ts';
import { collectNetworks } from './collect-networks.ts';
import type { Facts, Firewalls, Found } from './facts.ts';

export interface Sources {
  readonly config: Config;
  /** Throws for an invalid address. */
  readonly docker: () => Engine;
  readonly gate: () => GateSettings;
}

export async function collect({ config, docker, gate }: Sources): Promise<Facts> {
  const rules = found(() => readRules(config));
  const [
    nft,
    tried,
    userNamespaces,
    engine,
    image,
    names,
    permissions,
    controller,
    gateFound,
    firewalls,
    tracked,
    networks,
  ] = await Promise.all([
    found(() => printed('nft', '--version')),
    found(() => printed('unshare', '--net', 'nft', 'add', 'table', 'inet', 'try').then(() => true as const)),
    readNumber('/proc/sys/user/max_user_namespaces'),
    found(() => withEngine(docker, (one) => one.info())),
    found(() => withEngine(docker, (one) => findImage(one, config))),
    rules.then((one) => collectNames(config, (ask) => withEngine(docker, ask), known(one))),
    found(() => readPermissions(config.consul)),
    askController(config.socket),
    found(async () => gateStatus(gate())),
    findFirewalls(),
    found(() => printed('conntrack', '--version')),
    collectNetworks(config),
  ]);
  return {
    ...{
      version: version(),
      platform: process.platform,
      release: release(),
      loader: config.loader,
      template: config.template,
    },
    ...{ isRoot: process.getuid?.() === 0, nft, tried, userNamespaces, engine, helperImage: image },
    host: config.host && {
      hasGuard: config.host.guard !== undefined,
      hasForwards: config.host.forwards !== 'off',
    },
    isHostLeft: config.stateDir !== undefined && (await isHostLeft(config.stateDir, bootId())),
    ...{ conntrack: 'value' in tracked, networks, names },
    ...{
      keys: sizeOf(await rules),
      permissions,
      controller,
      socket: config.socket,
      gate: gateFound,
      firewalls,
    },
  };
}

async function found<T>(ask: () => Promise<T>): Promise<Found<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

/** The first line of what a program prints. */
async function printed(file: string, ...args: readonly string[]): Promise<string> {
  const ended = await runProgram({ file, args, limit: 10_000, mostOutput: 1_000_000 });
  if (ended.exitCode === 0) return ended.stdout.split('\n')[0] ?? '';
  if (ended.exitCode === undefined) throw new Error(`${file} is missing or does not end`);
  throw new Error(ended.stderr.trim().split('\n').at(-1) || `${file} ended with ${ended.exitCode}`);
}

async function withEngine<T>(open: () => Engine, ask: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = open();
  return ask(engine).finally(() => engine.close());
}

/** The image of --image is not pulled here. */
async function findImage(engine: Engine, { docker }: Config): Promise<string> {
  const { image: named } = docker;
  if (named === undefined) return helperImage(engine, { version: version() })();
  if ((await engine.image(named)) !== undefined) return named;
  throw new EngineError(`The Docker Engine has no image ${named}, and would pull it at the first load.`);
}

async function readRules(config: Config): Promise<ReadonlyMap<string, string>> {
  const consul = openConsul(config);
  return consul.readRules().finally(() => consul.close());
}

const known = <T>(found: Found<T>): T | undefined => ('value' in found ? found.value : undefined);

const sizeOf = (found: Found<ReadonlyMap<string, string>>): Found<number> =>
  'value' in found ? { value: found.value.size } : found;

async function askController(socket: string): Promise<Found<string> | undefined> {
  if (!(await isListening(socket))) return undefined;
  return found(async () => {
    const { controller } = await new ApiClient(socket).get('/v1/status', StatusReply, 10_000);
    return controller?.version ?? 'unknown';
  });
}

async function findFirewalls(): Promise<Firewalls> {
  const [v4, v6, nftTables, firewalld, ufw] = await Promise.all([
    readLines('/proc/net/ip_tables_names'),
    readLines('/proc/net/ip6_tables_names'),
    found(listTables),
    isActive('/run/firewalld'),
    readLines('/etc/ufw/ufw.conf').then((lines) => lines.includes('ENABLED=yes')),
  ]);
  return { legacyTables: [...new Set([...v4, ...v6])], nftTables, firewalld, ufw };
}

async function listTables(): Promise<readonly string[]> {
  const ended = await runProgram({
    file: 'nft',
    args: ['list', 'tables'],
    limit: 10_000,
    mostOutput: 1_000_000,
  });
  if (ended.exitCode !== 0) throw new Error(ended.stderr.trim().split('\n').at(-1));
  return ended.stdout.split('\n').flatMap((line) => /^table (.+)$/.exec(line)?.[1] ?? []);
}

const readText = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

const readLines = async (path: string): Promise<readonly string[]> =>
  (await readText(path)).split('\n').filter((line) => line !== '');

async function readNumber(path: string): Promise<number | undefined> {
  const text = (await readText(path)).trim();
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** firewalld keeps this folder while it runs. */
const isActive = (folder: string): Promise<boolean> =>
  access(folder).then(
    () => true,
    () => false,
  );
