/**
 * The schemas of questions about the host's rules, and of their answers.
 */
import { z } from 'zod';
import { Guard, HostState, Passage, Problem, Time } from './schema.ts';

const Transport = z.enum(['tcp', 'udp', 'sctp']);
const From = z
  .union([z.literal('anyone'), z.array(z.string())])
  .describe('Prefixes of the callers, or anyone.');

const port = { protocol: Transport, port: z.number() };
const container = z.string().optional().describe('Absent where none runs at this address.');

const Opening = z.object({ ...port, container, address: z.string(), from: From, origin: z.string() });

const ClosedPort = z.object({
  ...port,
  container: z.string(),
  at: z.string().describe('The address of this host.'),
  containerPort: z.number().describe('The port of the container that it leads to.'),
});

const Forward = z.object({
  ...port,
  at: z.string().describe('any address, one address of this host, or a device.'),
  to: z.string(),
  toPort: z.number(),
  container,
  origin: z.string(),
});

const Permit = z.object({
  from: z.string(),
  to: z.string(),
  protocol: Transport,
  ports: z.string().describe('A port, or a range as 80-90.'),
  origin: z.string(),
});

const ByHand = z.object({
  ...port,
  container: z.string(),
  kind: z.enum(['open', 'close']),
  from: From,
  since: Time,
});

/** What is desired of the host, and what is loaded. */
export const HostReply = z.object({
  state: HostState,
  guard: Guard.optional().describe('Absent where no port is guarded.'),
  bridges: z.array(z.object({ name: z.string(), subnets: z.array(z.string()), guarded: z.boolean() })),
  openings: z.array(Opening).describe('Container ports that callers may reach, in the guarded families.'),
  closed: z.array(ClosedPort).describe('Published ports of guarded containers that nobody may call.'),
  forwards: z.array(Forward),
  permits: z.array(Permit).describe('Who may reach whom between networks.'),
  byHand: z.array(ByHand).describe('Ports that an operator opened or closed.'),
  passages: z.array(Passage).optional().describe('Absent while none are needed.'),
  unread: z.array(z.string()).describe('Why sources of the rules cannot be read now.'),
  problems: z.array(Problem),
  fingerprint: z.string().optional().describe('Of the loaded rules.'),
  verifiedAt: Time.optional(),
  lastError: z.string().optional(),
});

/** The text that is loaded on the host. */
export const HostRules = z.object({ fingerprint: z.string(), text: z.string() });

const Covers = z.number().optional().describe('The covered period in milliseconds; absent if not known.');

/** Undefined: calls to all containers. */
export const DeniedInQuery = z.object({ container: z.string().optional() });

export const DeniedInReply = z.object({
  calls: z.array(
    z.object({
      gate: z
        .literal('ingress')
        .optional()
        .describe("The container's ingress rules denied it. Absent: the ports guard."),
      source: z.string(),
      address: z.string(),
      container: z.string().optional().describe('The container that has the address now.'),
      protocol: z.string(),
      port: z.number().optional(),
      packets: z.number(),
      passed: z.boolean().optional().describe('It was recorded, and passed.'),
      firstSeenAt: Time,
      lastSeenAt: Time,
    }),
  ),
  packets: z.number().describe('All denied packets since the controller watches.'),
  unlisted: z.number().describe('Packets that no call accounts for, because the record was full.'),
  isFull: z.boolean(),
  covers: Covers,
  error: z
    .string()
    .optional()
    .describe('Why the kernel could not be read: then these are known from before.'),
  observed: z.boolean().describe('The guard only records: these calls passed.'),
});

export const SuggestInReply = z.object({
  suggestions: z.array(
    z.object({
      container: z.string(),
      keys: z.array(z.string()).describe('Its ingress keys.'),
      lines: z.array(
        z.object({
          rule: z.string(),
          packets: z.number(),
          services: z.array(z.string()).describe("Services with an instance at the caller's address."),
          caller: z.string().optional().describe('The container of this host that has the address now.'),
          gatewayOf: z
            .string()
            .optional()
            .describe('The network whose gateway it is, which stands for callers whose address is hidden.'),
        }),
      ),
      notExpressible: z.array(z.string()).describe('Callers by a protocol that no rule can name.'),
    }),
  ),
  covers: Covers,
  isFull: z.boolean().describe('A record was full, so callers may be missing.'),
  keyText: z.string().optional().describe('The present text of the key that was asked for.'),
  ingressPath: z.string().describe('The folder of the ingress keys.'),
});

export const ExplainInQuery = z.object({ container: z.string(), source: z.string(), traffic: z.string() });

const Ways = z.array(
  z.object({
    to: z.string().describe('What the caller connects to.'),
    gates: z
      .array(
        z.object({
          gate: z.string(),
          outcome: z.enum(['passes', 'denies', 'records', 'unknown']),
          reason: z.string(),
        }),
      )
      .describe('In the order in which a packet meets them.'),
    passes: z.boolean().describe('No gate that is known denies it.'),
  }),
);

export const ExplainInReply = z.object({
  container: z.string(),
  source: z.string().describe('An address, or a service.'),
  traffic: z.string(),
  ways: Ways.describe('None: no address of the container and no port of this host leads there.'),
  passes: z.boolean().describe('Of a service: all of its callers pass.'),
  callers: z
    .array(z.object({ source: z.string(), node: z.string(), ways: Ways, passes: z.boolean() }))
    .optional()
    .describe('The instances of a service, which have ways of their own.'),
});

/** An operator's word about one port of a container. `own`: as registered. */
export const PortRequest = z.object({
  container: z.string(),
  protocol: Transport,
  port: z.number().int().min(1).max(65_535),
  rule: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('open'), from: From }),
    z.object({ kind: z.literal('close') }),
    z.object({ kind: z.literal('own') }),
  ]),
});
export type PortRequest = z.infer<typeof PortRequest>;

export const PortReply = z.object({
  ...port,
  container: z.string(),
  state: HostState,
  guard: Guard.optional().describe('Absent where no port is guarded.'),
  openings: z.array(Opening).describe('What is open at this port now.'),
});
export type PortReply = z.infer<typeof PortReply>;
