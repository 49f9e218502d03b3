/**
 * Parses the Engine's inspect JSON into our `Container`. Pure.
 *
 * The format was checked on Engine 20.10 and 28.5. `HostConfig.NetworkMode` tells how a container was created, not how
 * it is attached now: a container with `--network none` may get a network later, from Docker or from others. For a
 * joined container it has the full id, however the user named it.
 */
import { z } from 'zod';
import type { Container, NetworkMode } from '../../inventory/container.ts';
import type { Attachment, Link, PortBinding } from '../../inventory/network.ts';
import { formatPrefix, type Prefix, parseAddress, prefixOf } from '../../net/address.ts';
import { read } from './answers.ts';
import { bypassesOf, holdsCapability, hostConfigSchema, mountsSchema } from './bypass.ts';
import type { Platform } from './engine.ts';
import { isOurs, PROJECT_LABEL } from './labels.ts';
import { ourSettings } from './own-settings.ts';
import { serviceSettingsFrom } from './service-settings.ts';

const strings = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);

const network = z.object({
  ...{ NetworkID: z.string().nullish(), EndpointID: z.string().nullish() },
  ...{ IPAddress: z.string().nullish(), GlobalIPv6Address: z.string().nullish() },
  ...{ Aliases: strings, DNSNames: strings, Links: strings },
  ...{ Gateway: z.string().nullish(), IPv6Gateway: z.string().nullish(), GwPriority: z.number().nullish() },
});

const binding = z.object({ HostIp: z.string().nullish(), HostPort: z.string().nullish() });
type Binding = z.infer<typeof binding>;

const schema = z.object({
  Id: z.string().min(1),
  Name: z.string(),
  Image: z.string(),
  State: z.object({ Running: z.boolean(), Pid: z.number(), StartedAt: z.string() }),
  HostConfig: hostConfigSchema.extend({
    Dns: strings,
    PortBindings: z.record(z.string(), z.array(binding).nullish()).nullish(),
  }),
  Config: z.object({
    ...{ Env: strings, Labels: z.record(z.string(), z.string()).nullish(), Image: z.string().nullish() },
    ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
  }),
  ImageManifestDescriptor: z
    .object({ digest: z.string(), platform: z.record(z.string(), z.unknown()).nullish() })
    .nullish(),
  ResolvConfPath: z.string().nullish(),
  Mounts: mountsSchema,
  NetworkSettings: z
    .object({
      Networks: z.record(z.string(), network.nullish()).nullish(),
      Ports: z.record(z.string(), z.array(binding).nullish()).nullish(),
      SandboxKey: z.string().nullish(),
    })
    .nullish(),
});

type Inspected = z.infer<typeof schema>;

/**
 * `socket`: the Engine's socket path, if it has one. `withServices`: as the inspection was asked. Throws an `EngineAnswerError` for anything but inspect JSON.
 */
export function containerFrom(json: unknown, socket?: string, withServices = false): Container {
  const inspected = readInspected(json);
  const networks = networksOf(inspected);
  const bypasses = isHelper(inspected) ? [] : bypassesOf(inspected, socket);
  return {
    id: inspected.Id,
    name: inspected.Name.replace(/^\//, ''),
    // In a crash loop the Engine reports "running" between two starts, while there is no process.
    running: inspected.State.Running && inspected.State.Pid > 0,
    pid: inspected.State.Pid,
    startedAt: inspected.State.StartedAt,
    network: networkMode(inspected),
    sandbox: inspected.NetworkSettings?.SandboxKey || undefined,
    attachments: networks.map(({ id, endpoint }) => `${id}:${endpoint}`),
    networks,
    ports: portsOf(inspected),
    ...projectOf(inspected),
    ...(withServices && { services: servicesOf(inspected) }),
    canBypassRules: bypasses.length > 0,
    bypasses,
    hasRawSockets: holdsCapability(inspected.HostConfig, 'NET_RAW', true),
    imageId: inspected.Image,
    dnsConfig: { servers: inspected.HostConfig.Dns, resolvConf: inspected.ResolvConfPath || undefined },
    ...ourSettings({ environment: inspected.Config.Env, labels: inspected.Config.Labels ?? {} }),
  };
}

/**
 * In containerd's image store one id may stand for several images, one for each platform. This is the one of the
 * container.
 */
export function manifestOf(json: unknown): { digest: string; platform: Platform } | undefined {
  const { ImageManifestDescriptor: found } = readInspected(json);
  return found ? { digest: found.digest, platform: found.platform ?? {} } : undefined;
}

const readInspected = (json: unknown): Inspected => read(schema, json, 'inspect a container');

/** The network "none" is listed like others, but the container is not attached to it. */
function networksOf({ NetworkSettings }: Inspected): readonly Attachment[] {
  const entries = Object.entries(NetworkSettings?.Networks ?? {});
  const attached = entries.flatMap(([name, entry]) => {
    const { NetworkID: id, EndpointID: endpoint, IPAddress, GlobalIPv6Address, GwPriority } = entry ?? {};
    if (name === 'none' || !id || !endpoint) return [];
    const [ipv4, ipv6] = [parseAddress(IPAddress ?? ''), parseAddress(GlobalIPv6Address ?? '')];
    const priority = GwPriority ? { gatewayPriority: GwPriority } : {};
    const lacking = entry?.Gateway || entry?.IPv6Gateway ? {} : { lacksGateway: true };
    const aliases = aliasesOf(entry ?? {});
    const links = linksOf(entry ?? {});
    const named = { ...(aliases.length > 0 && { aliases }), ...(links.length > 0 && { links }) };
    return [{ id, name, endpoint, ipv4, ipv6, ...priority, ...lacking, ...named }];
  });
  return attached.toSorted(by(({ id, endpoint }) => `${id}:${endpoint}`));
}

/** Aliases of an endpoint that are kept, and links. */
const MOST_ALIASES = 64;

/** Engines from 25 on have all names of the container in a list of its own. */
const aliasesOf = ({ Aliases = [], DNSNames = [] }: Partial<z.infer<typeof network>>): readonly string[] =>
  [...new Set([...Aliases, ...DNSNames])].filter((name) => name.length <= 253).slice(0, MOST_ALIASES);

/** Two names. */
const LONGEST_LINK = 2 * 253 + 1;

/** `container:name`, or the name of the container alone. */
const linksOf = ({ Links = [] }: Partial<z.infer<typeof network>>): readonly Link[] =>
  Links.filter((text) => text.length <= LONGEST_LINK)
    .slice(0, MOST_ALIASES)
    .map((text) => {
      const [to = '', name = to] = text.split(':', 2);
      return { to, name };
    });

/** Anybody may write the label: what no project is named like is left out. */
const PROJECT = /^[a-z0-9][a-z0-9_-]{0,127}$/;

function projectOf({ Config }: Inspected): Pick<Container, 'project'> {
  const project = Config.Labels?.[PROJECT_LABEL];
  return project !== undefined && PROJECT.test(project) ? { project } : {};
}

const servicesOf = ({ Config }: Inspected) =>
  serviceSettingsFrom({
    environment: Config.Env,
    labels: Config.Labels ?? {},
    exposedPorts: Object.keys(Config.ExposedPorts ?? {}),
    image: Config.Image ?? '',
  });

/** Ports that an image only exposes have no binding. */
function portsOf({ NetworkSettings, HostConfig }: Inspected): readonly PortBinding[] {
  const bound = Object.entries(NetworkSettings?.Ports ?? {}).flatMap(([port, bindings]) => {
    const named = new Set(HostConfig.PortBindings?.[port]?.map(({ HostPort }) => HostPort));
    return (bindings ?? []).flatMap((one) => portBinding(port, one, named.has(one.HostPort)) ?? []);
  });
  return bound.toSorted(
    by((one) => `${one.containerPort}/${one.protocol} ${formatPrefix(one.host)}:${one.hostPort}`),
  );
}

const PORT = /^(\d+)\/(tcp|udp|sctp)$/;

/** Undefined for what binds no port. Older Engines name no address for all of IPv4. */
function portBinding(port: string, { HostIp, HostPort }: Binding, isNamed: boolean): PortBinding | undefined {
  const [, number, name] = PORT.exec(port) ?? [];
  const protocol = TRANSPORTS.find((one) => one === name);
  const host = parseAddress(HostIp || '0.0.0.0');
  if (protocol === undefined || host === undefined || !HostPort) return undefined;
  const place = { host: listening(host), hostPort: Number(HostPort) };
  return { protocol, containerPort: Number(number), ...place, ...(!isNamed && { isAssigned: true }) };
}

const TRANSPORTS = ['tcp', 'udp', 'sctp'] as const;

/** `0.0.0.0` and `::` stand for all addresses. */
const listening = (host: Prefix): Prefix => (host.address === 0n ? prefixOf(host.family, 0n, 0) : host);

const by =
  <T>(key: (one: T) => string) =>
  (one: T, other: T): number =>
    key(one) < key(other) ? -1 : 1;

function networkMode({ HostConfig }: Inspected): NetworkMode {
  const mode = HostConfig.NetworkMode ?? '';
  if (mode === 'host') return { kind: 'host' };
  if (mode.startsWith('container:')) return { kind: 'container', owner: mode.slice('container:'.length) };
  return { kind: 'own' };
}

/** Helpers change rules on our behalf, so they do not make a namespace unenforceable. */
const isHelper = ({ Name, Config, HostConfig }: Inspected): boolean =>
  isOurs({ names: [Name], labels: Config.Labels ?? {} }) &&
  HostConfig.NetworkMode?.startsWith('container:') === true;
