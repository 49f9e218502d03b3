/**
 * From the Engine's inspect JSON to our `Container`. Pure: JSON in, value out.
 *
 * Shapes were read from Engine 20.10 and 28.5. `HostConfig.NetworkMode` says how a container was created,
 * not how it is attached now: one created with `--network none` may be connected to a network later.
 */
import { z } from 'zod';
import type { Container, NetworkMode } from '../../domain/container.ts';
import { read } from './answers.ts';
import { isOurs } from './labels.ts';
import { ownWords } from './own-words.ts';

const strings = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);

const network = z.object({ NetworkID: z.string().nullish(), EndpointID: z.string().nullish() });

const schema = z.object({
  Id: z.string().min(1),
  Name: z.string(),
  Image: z.string(),
  State: z.object({ Running: z.boolean(), Pid: z.number(), StartedAt: z.string() }),
  HostConfig: z.object({
    NetworkMode: z.string().nullish(),
    Privileged: z.boolean().nullish(),
    CapAdd: strings,
    CapDrop: strings,
    Dns: strings,
  }),
  Config: z.object({ Env: strings, Labels: z.record(z.string(), z.string()).nullish() }),
  ResolvConfPath: z.string().nullish(),
  Mounts: z
    .array(z.object({ Source: z.string().nullish(), Destination: z.string().nullish() }))
    .nullish()
    .transform((list) => list ?? []),
  NetworkSettings: z.object({ Networks: z.record(z.string(), network.nullish()).nullish() }).nullish(),
});

type Inspected = z.infer<typeof schema>;

/** Throws an `EngineError` for an answer that is no inspect JSON. */
export function containerFrom(json: unknown): Container {
  const seen = readInspected(json);
  const attached = attachments(seen);
  return {
    id: seen.Id,
    name: seen.Name.replace(/^\//, ''),
    // Between two tries of a crash loop the Engine says "running" of a container that has no process.
    running: seen.State.Running && seen.State.Pid > 0,
    pid: seen.State.Pid,
    startedAt: seen.State.StartedAt,
    network: networkMode(seen, attached),
    attachments: attached,
    canUndoRules: canUndoRules(seen) && !isHelper(seen),
    hasRawSockets: holds(seen.HostConfig, 'NET_RAW', true),
    imageId: seen.Image,
    dnsConfig: { servers: seen.HostConfig.Dns, resolvConf: seen.ResolvConfPath || undefined },
    ...ownWords({ environment: seen.Config.Env, labels: seen.Config.Labels ?? {} }),
  };
}

const readInspected = (json: unknown): Inspected => read(schema, json, 'inspect a container');

/** The network called "none" is an entry like any other, but attaches to nothing. */
function attachments({ NetworkSettings }: Inspected): readonly string[] {
  const entries = Object.entries(NetworkSettings?.Networks ?? {});
  return entries
    .filter(([name, entry]) => name !== 'none' && Boolean(entry?.NetworkID) && Boolean(entry?.EndpointID))
    .map(([, entry]) => `${entry?.NetworkID}:${entry?.EndpointID}`)
    .sort();
}

function networkMode({ HostConfig }: Inspected, attached: readonly string[]): NetworkMode {
  const mode = HostConfig.NetworkMode ?? '';
  if (mode === 'host') return { kind: 'host' };
  if (mode.startsWith('container:')) return { kind: 'container', owner: mode.slice('container:'.length) };
  return { kind: mode === 'none' && attached.length === 0 ? 'none' : 'own' };
}

/** What makes root inside as good as root on the host, where rules are no bar. */
const MIGHTY = ['NET_ADMIN', 'SYS_ADMIN', 'SYS_MODULE'];

const canUndoRules = ({ HostConfig, Mounts }: Inspected): boolean =>
  MIGHTY.some((name) => holds(HostConfig, name, false)) ||
  Mounts.some(({ Source, Destination }) => isEngineSocket(Source) || isEngineSocket(Destination));

/** Helpers change rules because we say so: what they are in can undo no more than before. */
const isHelper = ({ Name, Config, HostConfig }: Inspected): boolean =>
  isOurs({ names: [Name], labels: Config.Labels ?? {} }) &&
  HostConfig.NetworkMode?.startsWith('container:') === true;

const isEngineSocket = (path: string | null | undefined): boolean =>
  /\/(docker|containerd|podman)\.sock$/.test(path ?? '');

/** Dropping wins over `ALL` and over the default, but not over a capability that is added by its name. */
function holds(
  { Privileged, CapAdd, CapDrop }: Inspected['HostConfig'],
  name: string,
  byDefault: boolean,
): boolean {
  if (Privileged) return true;
  const added = new Set(CapAdd.map(capability));
  const dropped = new Set(CapDrop.map(capability));
  if (added.has(name)) return true;
  if (dropped.has(name)) return false;
  return added.has('ALL') || (byDefault && !dropped.has('ALL'));
}

const capability = (name: string): string => name.toUpperCase().replace(/^CAP_/, '');
