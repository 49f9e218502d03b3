/**
 * The local API's requests and responses. The server checks and serialises by these schemas, the
 * client parses by them.
 */
import { z } from 'zod';
import { NAMESPACE_STATES } from '../../features/egress/states.ts';
import { HOST_STATES } from '../../features/host/states.ts';
import { INGRESS_STATES } from '../../features/ingress/status.ts';
import { ENTRY_STATES } from '../../features/networks/entry-states.ts';

export const Time = z.number().describe('Milliseconds since the epoch.');

export const Mode = z.enum(['enforce', 'audit']);
export const Dns = z.enum(['resolvers', 'names', 'none']);

export const Problem = z.object({
  severity: z.enum(['error', 'warning']),
  key: z.string().optional(),
  line: z.number().optional(),
  text: z.string().optional(),
  reason: z.string(),
});

export const State = z.enum(NAMESPACE_STATES);

/** The denied packets of a container since it is watched; see `DeniedSummary`. */
export const Denied = z.object({
  packets: z.number(),
  spoofed: z.number(),
  frames: z.number(),
  unlisted: z.number(),
  isFull: z.boolean(),
  fullAt: Time.optional(),
});

export const Namespace = z.object({
  id: z.string(),
  workloads: z.array(z.string()),
  target: z.string(),
  state: State,
  grants: z.array(z.string()),
  mode: Mode,
  dns: Dns,
  hasRawSockets: z.boolean(),
  fingerprint: z.string().optional(),
  verifiedAt: Time.optional(),
  lastError: z.string().optional(),
  loader: z.string().optional(),
  problems: z.array(Problem),
  /** The operator's override, and when it was set. */
  byHand: z.object({ kind: z.enum(['set', 'clear']), since: Time }).optional(),
  denied: Denied.optional(),
  names: z
    .object({
      state: z.enum(['answering', 'waiting', 'unavailable']),
      names: z.number().describe('Names that have addresses now.'),
      addresses: z.number(),
      denied: z.number().describe('Names that were asked in vain in the last hour.'),
    })
    .optional()
    .describe('Absent where its names are not answered in its place.'),
});

/** The rules about who may reach the containers of one namespace. */
export const Ingress = z.object({
  id: z.string(),
  workloads: z.array(z.string()).describe('The containers that name ingress keys.'),
  target: z.string(),
  state: z.enum(INGRESS_STATES),
  keys: z.array(z.string()),
  mode: Mode,
  fingerprint: z.string().optional(),
  verifiedAt: Time.optional(),
  lastError: z.string().optional(),
  problems: z.array(Problem),
});

const Source = z.object({
  name: z.string(),
  known: z.boolean(),
  confirmedAt: Time.optional(),
  error: z.string().optional(),
  outdated: z.boolean().optional(),
});

/** The controller itself. */
const About = z.object({
  version: z.string(),
  node: z.string(),
  loader: z.string(),
  template: z.string(),
  startedAt: Time,
});

export const HostState = z.enum(HOST_STATES);

export const Guard = z.object({
  mode: z.enum(['observe', 'enforce']),
  families: z.array(z.union([z.literal(4), z.literal(6)])),
  between: z.boolean().describe('Containers on another bridge need an opening too.'),
});

/** A rule in another firewall that lets pass what is forwarded. */
export const Passage = z.object({
  tool: z.string(),
  chain: z.string(),
  state: z
    .enum(['kept', 'moved', 'absent'])
    .describe('kept: it is the first rule of the chain; the others are repaired.'),
});

/** The host's rules in a few numbers. */
const HostSummary = z.object({
  state: HostState,
  guard: Guard.optional().describe('Absent where no port is guarded.'),
  openings: z.number(),
  closed: z.number().describe('Published ports of guarded containers that nobody may call.'),
  forwards: z.number(),
  permits: z.number().describe('Who may reach whom between networks.'),
  passages: z.array(Passage).optional().describe('Absent while none are needed.'),
  problems: z.array(Problem),
  fingerprint: z.string().optional(),
  verifiedAt: Time.optional(),
  lastError: z.string().optional(),
});

const Entry = z.object({
  path: z.string().describe('Where it stands in the file, as policies[1]; of routes, the container.'),
  text: z.string().optional().describe('What it says. Absent where that cannot be read.'),
  state: z
    .enum(ENTRY_STATES)
    .describe(
      'waiting: a container that it needs does not run. conflicting: Docker has it otherwise. invalid: it has no effect.',
    ),
  reason: z.string().optional(),
});

/** networks.json, and how far each of its entries is. */
const Networks = z.object({
  path: z.string(),
  readAt: Time.optional().describe('When the file was last read.'),
  error: z.string().optional().describe('Why the present file is not used: the last good one counts.'),
  networks: z.array(Entry),
  attachments: z.array(Entry).describe('Static addresses of containers.'),
  policies: z.array(Entry),
  routes: z.array(Entry),
  failing: z
    .array(z.object({ name: z.string(), reason: z.string(), retryAt: Time.optional() }))
    .describe('What could not be made, and is tried again at that time.'),
});

export const StatusReply = z.object({
  controller: About.optional(),
  namespaces: z.array(Namespace),
  ingress: z.array(Ingress).optional().describe('Absent where no container names ingress keys.'),
  sources: z.array(Source),
  host: HostSummary.optional().describe('Absent where the host has no rules of egresstrator.'),
  networks: Networks.optional().describe('Absent without networks.json.'),
  recordsDenied: z.boolean().optional(),
  unsupported: z.array(z.object({ name: z.string(), problem: Problem })),
  /** Containers that name keys without EGRESSTRATOR_ENABLE=1. */
  notEnabled: z.array(z.object({ name: z.string(), problem: Problem })).optional(),
});

/** An operator's override. `own`: the container's own keys. */
export const OverrideRequest = z.object({
  /** Name or id, or all workloads. */
  container: z.union([z.object({ all: z.literal(true) }), z.object({ name: z.string() })]),
  rules: z.discriminatedUnion('kind', [
    /** `force`: also keys that are not in Consul. */
    z.object({ kind: z.literal('set'), grants: z.array(z.string()), force: z.boolean().optional() }),
    z.object({ kind: z.literal('own') }),
    z.object({ kind: z.literal('clear') }),
  ]),
});
export type OverrideRequest = z.infer<typeof OverrideRequest>;

export const OverrideReply = z.object({
  results: z.array(
    z.object({
      container: z.string(),
      state: State,
      error: z.string().optional(),
      /** The problems of its keys. */
      problems: z.array(Problem),
    }),
  ),
});
export type OverrideReply = z.infer<typeof OverrideReply>;

export const ErrorReply = z.object({ error: z.string() });

export const HealthReply = z.object({
  ok: z.boolean(),
  reason: z.string().optional(),
  unreadable: z.array(z.string()).optional(),
  networksErrors: z.number().optional().describe('Errors of networks.json and of its steps; absent: none.'),
});
