/**
 * Collects what rules by name need, for `doctor`. Servers are asked only if a key has such a rule, and for its name.
 */
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { steadyNow } from '../../common/steady-clock.ts';
import type { Config } from '../../config/config.ts';
import { consulServer, upstreamServers } from '../../daemon/name-servers.ts';
import { whyNoNames } from '../../daemon/open-names.ts';
import { openNamespace } from '../../dataplane/process-namespace.ts';
import { nsenterAvailable } from '../../dataplane/select-loader.ts';
import { rcodeName, TYPE } from '../../dns/codes.ts';
import type { Name } from '../../dns/name.ts';
import { loadTemplate } from '../../features/egress/included-templates.ts';
import { NameServer } from '../../name-proxy/name-server.ts';
import { findCgroup2 } from '../../name-proxy/proxy-cgroup.ts';
import { type Endpoint, formatEndpoint } from '../../net/endpoint.ts';
import { parseAcl } from '../../policy/acl.ts';
import { parseAddress } from '../../sources/consul/address.ts';
import type { Engine } from '../../sources/docker/engine.ts';
import { containerFrom } from '../../sources/docker/inspect.ts';
import type { AskedServer, NamesFacts } from './facts.ts';

/** `engine`: fails if none answers. `rules`: the keys' texts; undefined if they are not known. */
export async function collectNames(
  config: Config,
  engine: <T>(ask: (one: Engine) => Promise<T>) => Promise<T>,
  rules: ReadonlyMap<string, string> | undefined,
): Promise<NamesFacts> {
  const lines = [...parseAcl(rules ?? new Map()).values()].flatMap((key) => key.rules);
  const names = lines.flatMap(({ rule }) => (rule.kind === 'name' ? [rule.name] : []));
  const [first] = names;
  const hasServices = lines.some(({ rule }) => rule.kind === 'service');
  const [nsenter, seesContainers, cgroup, servers, consul] = await Promise.all([
    nsenterAvailable(),
    engine(canSee).catch(() => undefined),
    hasCgroup2(),
    first === undefined ? [] : askAll(upstreamServers(config.names, steadyNow)(), first),
    first === undefined || !hasServices ? undefined : askConsul(config),
  ]);
  return {
    ...{ rules: names.length, unavailable: whyNoNames(config) ?? whyNotByTemplate(config) },
    ...{ nsenter, seesContainers, cgroup, servers, consul },
  };
}

function whyNotByTemplate({ template }: Config): string | undefined {
  try {
    return loadTemplate(template).mentions.has('names.classes')
      ? undefined
      : `the template ${template} has no rules by name`;
  } catch {
    // That is for others to say.
    return undefined;
  }
}

/** Containers that are looked at. */
const MOST_TRIED = 5;

/** Whether this process sees the namespaces of containers; undefined if no container tells. */
async function canSee(engine: Engine): Promise<boolean | undefined> {
  const running = (await engine.running()).slice(0, MOST_TRIED);
  const seen = await Promise.all(running.map(({ id }) => isSeen(engine, id).catch(() => undefined)));
  const known = seen.filter((one) => one !== undefined);
  return known.length === 0 ? undefined : known.includes(true);
}

/** Undefined: it has no namespace of its own, or has just ended. */
async function isSeen(engine: Engine, id: string): Promise<boolean | undefined> {
  const { name, pid, startedAt, sandbox } = containerFrom(await engine.inspect(id));
  const opened = openNamespace({ containerId: id, name, pid, startedAt, sandbox });
  if (opened.kind === 'open') opened.file.close();
  return opened.kind === 'host' ? undefined : opened.kind === 'open';
}

async function hasCgroup2(): Promise<boolean> {
  const mount = findCgroup2(await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''));
  if (mount === undefined) return false;
  return access(mount, constants.W_OK).then(
    () => true,
    () => false,
  );
}

const askAll = (servers: readonly Endpoint[], name: Name): Promise<readonly AskedServer[]> =>
  Promise.all(servers.map((server) => ask(server, name)));

async function askConsul({ consul, names }: Config): Promise<AskedServer> {
  const { host } = parseAddress(consul.address, consul.ssl);
  const server = consulServer(names, host);
  if (server !== undefined) return ask(server, CONSUL);
  return { address: `${host}, which is no IP address`, name: CONSUL.join('.'), outcome: undefined };
}

const CONSUL: Name = ['consul', 'service', 'consul'];

/** Milliseconds: as long as the controller waits for a server. */
const LIMIT = 1_500;
const ATTEMPTS = 2;

async function ask(endpoint: Endpoint, name: Name): Promise<AskedServer> {
  const server = new NameServer(endpoint, LIMIT);
  const address = formatEndpoint(endpoint);
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const answer = await server.ask({ name, type: TYPE.A });
      if (answer !== undefined) return { address, name: name.join('.'), outcome: rcodeName(answer.rcode) };
    }
    return { address, name: name.join('.'), outcome: undefined };
  } finally {
    server.close();
  }
}
