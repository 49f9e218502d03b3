/**
 * The question and the answer of `explain`.
 */
import { z } from 'zod';
import { DENIAL_CAUSES } from '../../features/names/name-report.ts';
import { State, Time } from './schema.ts';

export const ExplainQuery = z.object({
  container: z.string(),
  target: z.string(),
  traffic: z.string().optional(),
});

const line = {
  key: z.string(),
  line: z.number(),
  text: z.string().describe('The line as written.'),
  rule: z.string().describe('The line as read.'),
};

const Reason = z
  .object({
    ...line,
    node: z.string().optional().describe('The node of the instance, where the line names a service.'),
    prefix: z.string(),
    protocol: z.enum(['tcp', 'udp', 'icmp']),
    ranges: z
      .array(z.object({ first: z.number(), last: z.number() }))
      .describe('Ports, or types where the protocol is icmp.'),
  })
  .describe('A rule, and the addresses and ports that it allows.');

const inVain = {
  ...{ cause: z.enum(DENIAL_CAUSES), reason: z.string().optional() },
  ...{ count: z.number(), lastSeenAt: Time },
};

const Asked = z
  .object(inVain)
  .optional()
  .describe('If no address is granted: why the container asked for the name in vain in the last hour.');

const Hint = z.discriminatedUnion('kind', [
  z
    .object({ kind: z.literal('no-dns') })
    .describe('Name resolution was switched off by EGRESSTRATOR_DNS=none.'),
  z
    .object({ kind: z.literal('names-only') })
    .describe('Its names are answered by egresstrator, so it needs no resolver.'),
  z
    .object({ kind: z.literal('no-names'), reason: z.string() })
    .describe('Rules by name grant nothing to this container, and why.'),
  z
    .object({
      kind: z.literal('asked'),
      ...inVain,
    })
    .describe('It has asked for the name, and was not answered.'),
  z
    .object({ kind: z.literal('other-ports'), ...line })
    .describe('A granted line names it, with other ports.'),
  z
    .object({ kind: z.literal('grant-name'), ...line, rules: z.number() })
    .describe('A key that is not granted allows the name; `rules` is the number of rules in that key.'),
  z
    .object({ kind: z.literal('protected'), reason: Reason, rule: z.string() })
    .describe('A granted line is too broad to grant this protected host; the rule would name it.'),
  z
    .object({ kind: z.literal('grant'), reason: Reason, rules: z.number(), broad: z.boolean() })
    .describe('A key that is not granted allows it; `rules` is the number of rules in that key.'),
  z.object({ kind: z.literal('unknown-key'), key: z.string() }).describe('A granted key does not exist.'),
  z
    .object({ kind: z.literal('no-instance'), ...line })
    .describe('A granted line names a service of which nothing is registered, or not with that tag.'),
  z
    .object({ kind: z.literal('unread-service'), ...line })
    .describe('A granted line names a service that could not be read.'),
  z
    .object({ kind: z.literal('partial-match'), reason: Reason })
    .describe('A granted line names the host, and other traffic.'),
  z.object({ kind: z.literal('write'), rule: z.string() }).describe('No key allows it yet: this line would.'),
]);

const Granted = z
  .array(z.object({ name: z.string(), address: z.string(), ports: z.string(), until: Time }))
  .describe('Addresses that names lead to, and until when they are granted.');

const outcome = {
  destination: z.string(),
  allowed: z.boolean(),
  passes: z.boolean().describe('Packets get through: allowed, or only recorded in audit mode.'),
  leadsTo: z
    .object({
      container: z.string(),
      to: z.string(),
      protocol: z.enum(['tcp', 'udp', 'sctp']),
      port: z.number(),
      origin: z.string(),
      device: z.string().optional().describe('Only what comes in on this device of the container.'),
    })
    .optional()
    .describe('Where networks.json leads this port of a container.'),
};

const Explanation = z.discriminatedUnion('because', [
  z.object({ ...outcome, because: z.enum(['loopback', 'resolver', 'open']) }),
  z.object({ ...outcome, because: z.enum(['rules', 'closed']), reasons: z.array(Reason) }),
  z.object({
    ...outcome,
    because: z.literal('names'),
    lines: z.array(z.object(line)),
    granted: Granted,
    asked: Asked,
  }),
  z.object({ ...outcome, because: z.literal('granted'), granted: Granted }),
  z.object({ ...outcome, because: z.literal('nothing'), hints: z.array(Hint) }),
]);

const asked = {
  container: z.string(),
  grants: z.array(z.string()).describe('The keys that it asks for.'),
  keys: z.array(z.string()).describe('The granted keys that exist in Consul.'),
  state: State.optional().describe('Absent without a controller.'),
};

/** What `explain --json` prints. */
export const Explained = z.union([
  z.object({ ...asked, explanations: z.array(Explanation) }),
  z
    .object({ ...asked, host: z.string(), reasons: z.array(Reason), granted: Granted.optional() })
    .describe('Of an address alone: the lines that allow anything there.'),
  z
    .object({
      ...{ ...asked, name: z.string(), lines: z.array(z.object(line)), granted: Granted, asked: Asked },
      noNames: z.string().optional().describe('Why these lines grant nothing; absent if they do.'),
    })
    .describe('Of a name alone: the lines about it.'),
]);

export const ExplainReply = z.object({ denylist: z.boolean(), explained: Explained });
