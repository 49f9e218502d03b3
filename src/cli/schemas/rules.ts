/**
 * What the commands about rules and refusals print with --json.
 */
import { z } from 'zod';
import { Refusal, Summary } from '../../daemon/api/diagnostics-schema.ts';
import { Dns, Mode, Problem, Time } from '../../daemon/api/schema.ts';

export const DeniedLine = Refusal.extend({
  container: z.string(),
  services: z.array(z.string()).describe('Services that are registered there, as rules would name them.'),
  keys: z.array(z.string()).describe('Keys that are not granted and allow it.'),
});

export const DeniedAll = z.object({
  rows: z.array(DeniedLine),
  records: z
    .array(Summary.extend({ container: z.string() }))
    .describe('Packets in all, and whether the destinations are complete.'),
  unread: z.array(z.object({ container: z.string(), error: z.string() })),
  audited: z.array(z.string()).describe('Containers where everything passes.'),
  covers: z.number().optional().describe('Milliseconds of which it tells; absent where nobody knows.'),
  silence: z.string().optional().describe('Why what was refused is not known; absent where it is.'),
  readAt: z.record(z.string(), Time).describe("When each container's kernel was asked."),
});

export const Suggested = z.object({
  recorded: z.boolean().describe('The template keeps what was refused.'),
  suggestions: z.array(
    z.object({
      container: z.string(),
      lines: z.array(
        z.object({
          rule: z.string(),
          destinations: z.number().describe('How many of them it allows.'),
          risky: z.boolean().describe('It names a host that is protected for good reason.'),
        }),
      ),
      keys: z
        .array(z.object({ key: z.string(), destinations: z.number(), line: z.number(), text: z.string() }))
        .describe('Keys that are not granted and allow some of it.'),
      unsayable: z.array(z.string()).describe('What no rule can name.'),
    }),
  ),
  text: z.string().describe('What is printed without --json.'),
});

const Finding = z.object({
  severity: z.enum(['error', 'warning', 'info']),
  code: z.enum([
    ...(['bad-line', 'host-bits', 'host-name', 'protected', 'service', 'broad', 'duplicate'] as const),
    ...(['shadowed', 'empty-key', 'missing-key', 'unused-key', 'not-enabled', 'foreign-rules'] as const),
  ]),
  key: z.string().optional().describe('Absent for what is wrong with a container.'),
  container: z.string().optional(),
  line: z.number().optional(),
  text: z.string().optional(),
  reason: z.string(),
  remedy: z.string(),
});

export const Linted = z.object({
  findings: z.array(Finding),
  unread: z.array(z.string()).describe('Services that could not be looked up.'),
});

const Stretch = z.object({
  rule: z.string(),
  partly: z.boolean().describe('Some of it was, or stays, allowed all the same.'),
});

export const Differing = z.object({
  key: z.string(),
  problems: z.array(Problem).describe('Of the new text.'),
  changes: z.array(
    z.object({ workloads: z.array(z.string()), gained: z.array(Stretch), lost: z.array(Stretch) }),
  ),
  holders: z.array(z.string()).describe('Workloads that hold the key, changed or not.'),
});

export const Keys = z.object({
  keys: z.array(
    z.object({
      key: z.string(),
      exists: z.boolean(),
      rules: z.number(),
      destinations: z.number(),
      heldBy: z.array(z.string()).optional().describe('Workloads of this host; absent: nobody could tell.'),
      problems: z.array(Problem),
    }),
  ),
  unread: z.array(z.string()).describe('Services that could not be looked up.'),
});

export const Rendered = z.object({
  grants: z.array(z.string()),
  mode: Mode,
  dns: Dns,
  container: z.string().optional().describe('Absent with --acl.'),
  fingerprint: z.string(),
  text: z.string().describe('What would be loaded.'),
  problems: z.array(Problem),
});
