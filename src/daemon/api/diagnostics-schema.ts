/**
 * The schemas of questions and answers. The output of commands with --json is defined here too if it is the answer.
 */
import { z } from 'zod';
import { FINDING_CODES } from '../../diagnostics/finding.ts';
import { DENIAL_CAUSES } from '../../features/names/name-report.ts';
import { Denied, Ingress as IngressRules, Namespace, Problem, Time } from './schema.ts';

/** A name, an id, or the beginning of an id; undefined: all. */
export const DeniedQuery = z.object({ container: z.string().optional() });

/** `key`: the key whose whole new text is requested. */
export const SuggestQuery = DeniedQuery.extend({ key: z.string().optional() });

/** Undefined: all keys. */
const Ingress = z.literal('ingress').optional().describe('Ingress keys in place of ACL keys.');

export const LintQuery = z.object({ key: z.string().optional(), direction: Ingress });

export const KeysQuery = z.object({ direction: Ingress });

/** `text`: the key's new one. */
export const DiffRequest = z.object({ key: z.string(), text: z.string(), direction: Ingress });

/** One container. */
export const ContainerQuery = z.object({ container: z.string() });

/** One container's namespace, and settings of the host. */
export const NamespaceReply = z.object({
  namespace: Namespace.optional().describe('Absent: it has no egress rules.'),
  ingress: IngressRules.optional().describe('Absent: anyone may call.'),
  loader: z.string().optional(),
  recordsDenied: z.boolean().optional(),
});

/** What `status <container>` prints: its egress rules, with those about its callers beside them, or these alone. */
export const ContainerStatus = z.union([
  Namespace.extend({ ingress: IngressRules.optional() }),
  z.object({ ingress: IngressRules }),
]);

/** The addresses of the controller's sources, as configured. */
export const SourcesReply = z.object({
  ...{ consul: z.string(), kvPath: z.string(), ingressPath: z.string(), docker: z.string() },
});
export type SourcesReply = z.infer<typeof SourcesReply>;

/** The totals, and the destinations of unlisted packets. */
const Summary = Denied.extend({
  unlistedAt: z.array(z.object({ place: z.string(), packets: z.number() })),
});

/** One denied destination; `port` is the type where the protocol is icmp. */
const DeniedLine = z.object({
  address: z.string(),
  protocol: z.string(),
  port: z.number().optional(),
  packets: z.number(),
  firstSeenAt: Time,
  lastSeenAt: Time,
  container: z.string(),
  services: z.array(z.string()).describe('Services that are registered there, as rules would name them.'),
  keys: z.array(z.string()).describe('Keys that are not granted and allow it.'),
});

const DeniedNameLine = z.object({
  container: z.string(),
  name: z.string(),
  cause: z.enum(DENIAL_CAUSES),
  reason: z.string().optional(),
  types: z.array(z.string()).describe('The types that were asked.'),
  count: z.number(),
  firstSeenAt: Time,
  lastSeenAt: Time,
  keys: z.array(z.string()).describe('Keys that are not granted and have a rule about it.'),
});

/** One line of `denied --follow`. */
export const DeniedOne = z.union([DeniedLine, DeniedNameLine]);

const Unread = z.array(z.object({ container: z.string(), error: z.string() }));

export const DeniedReply = z.object({
  rows: z.array(DeniedLine),
  names: z
    .array(DeniedNameLine)
    .optional()
    .describe('Names that were asked and not answered; absent if there are none.'),
  records: z
    .array(Summary.extend({ container: z.string() }))
    .describe('Packets in all, and whether the destinations are complete.'),
  unread: Unread,
  audited: z.array(z.string()).describe('Containers in audit mode.'),
  covers: z.number().optional().describe('The covered period in milliseconds; absent if not known.'),
  unavailableReason: z
    .string()
    .optional()
    .describe('Why denied destinations are not known; absent if they are.'),
  readAt: z.record(z.string(), Time).describe("When each container's kernel was asked."),
});

export const ContainerSuggestion = z.object({
  container: z.string(),
  grants: z.array(z.string()).describe('The keys that it asks for.'),
  existingGrants: z.array(z.string()).describe('The granted keys that exist in Consul.'),
  denied: z.number().describe('Denied destinations that a rule could name.'),
  lines: z.array(
    z.object({
      rule: z.string(),
      destinations: z.number().describe('How many of them it allows.'),
      risky: z.boolean().describe('It names a protected host.'),
      asked: z
        .number()
        .optional()
        .describe('Of a rule by name: how often the name was asked. Its port is assumed.'),
    }),
  ),
  keys: z
    .array(
      z.object({
        key: z.string(),
        destinations: z.number(),
        line: z.number(),
        text: z.string().describe('The line as written.'),
        rule: z.string().describe('The line as read.'),
        rules: z.number().describe('How many rules it holds.'),
        broad: z.boolean().describe('The line allows far more than its author can have intended.'),
      }),
    )
    .describe('Keys that are not granted and allow some of it; under a denylist, those that close it.'),
  notExpressible: z.array(z.string()).describe('Destinations that no rule can express.'),
});

export const SuggestReply = z.object({
  suggestions: z.array(ContainerSuggestion),
  unavailableReason: z.string().optional(),
  watched: z.number(),
  covers: z.number().optional(),
  unread: Unread,
  incomplete: z.array(z.object({ container: z.string(), packets: z.number(), unlisted: z.number() })),
  denylist: z.boolean(),
  keyText: z.string().optional(),
  kvPath: z.string(),
});

const Finding = z.object({
  severity: z.enum(['error', 'warning', 'info']),
  code: z.enum(FINDING_CODES),
  key: z.string().optional().describe('Absent for what is wrong with a container.'),
  direction: z.literal('ingress').optional().describe('The key is an ingress key. Absent: an ACL key.'),
  container: z.string().optional(),
  line: z.number().optional(),
  text: z.string().optional(),
  reason: z.string(),
  remedy: z.string(),
});

const UnreadServices = z.array(z.string()).describe('Services that could not be looked up.');

export const LintReply = z.object({ findings: z.array(Finding), unread: UnreadServices });

const ChangedRule = z.object({
  rule: z.string(),
  partly: z.boolean().describe('Some of it was, or stays, allowed all the same.'),
});

/** The effect of a new text of a key. */
export const Differences = z.object({
  problems: z.array(Problem).describe('The problems in the new text.'),
  changes: z.array(
    z.object({ workloads: z.array(z.string()), gained: z.array(ChangedRule), lost: z.array(ChangedRule) }),
  ),
  holders: z.array(z.string()).describe('Workloads that hold the key, changed or not.'),
});

export const DiffReply = Differences.extend({ denylist: z.boolean(), unread: UnreadServices });

export const KeysReply = z.object({
  keys: z.array(
    z.object({
      key: z.string(),
      exists: z.boolean(),
      rules: z.number(),
      destinations: z.number(),
      names: z.number().optional().describe('Rules by name; absent: none.'),
      heldBy: z.array(z.string()).optional().describe('Workloads of this host; absent if not known.'),
      problems: z.array(Problem),
    }),
  ),
  unread: UnreadServices,
});
