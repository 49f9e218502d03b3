/**
 * The output of commands about hosts with --json.
 */
import { z } from 'zod';
import { DeniedInReply, HostReply } from '../../daemon/api/host-schema.ts';
import { HostStatus } from '../../daemon/host-status.ts';

export const Cluster = z.object({
  hosts: z.array(
    z.object({
      node: z.string(),
      hostStatus: HostStatus.optional().describe('Absent if the status of the host cannot be parsed.'),
    }),
  ),
});

/** Parts of the answer about the host's rules. */
export const Ports = HostReply.pick({
  ...{ state: true, guard: true, openings: true, closed: true, byHand: true, problems: true },
}).extend({ denied: DeniedInReply.shape.calls.describe('Calls that the guard denied in the last hour.') });

export const Forwards = HostReply.pick({ state: true, forwards: true, problems: true });

export const Restored = z.object({
  fingerprint: z.string(),
  isOfThisBoot: z.boolean().describe('False for the rules after a reboot, which open and forward nothing.'),
});

export const Checked = z.object({
  checks: z.array(
    z.object({
      topic: z.string(),
      health: z.enum(['ok', 'warning', 'error']),
      message: z.string(),
      remedy: z.string().optional(),
    }),
  ),
});

const Part = z.enum([
  ...(['gate', 'rules', 'routes', 'helpers', 'cgroup', 'state', 'run', 'image'] as const),
  ...(['keys', 'status', 'registration'] as const),
]);

export const Uninstalled = z.object({
  steps: z.array(
    z.object({
      part: Part,
      what: z.string(),
      state: z.enum(['present', 'removed', 'left']).describe('Without --yes nothing is removed.'),
      reason: z.string().optional().describe('Why it is left.'),
    }),
  ),
});

export const GateChanges = z.object({
  changes: z.array(z.string()).describe('One line each; empty: there was nothing to do.'),
});

export const GateState = z.object({
  installed: z.boolean(),
  current: z.boolean().describe('The files on the host are those of this version.'),
  knownToEngine: z.boolean().optional().describe('Absent: no Engine answers.'),
  isDefault: z.boolean(),
  missingTools: z.array(z.string()),
  libDir: z.string(),
  runDir: z.string(),
  runtime: z.string().optional().describe('The real OCI runtime; absent where no gate is installed.'),
  preparedTexts: z.number().describe('How many texts the controller has prepared.'),
});

/** For an unhealthy controller the exit code is 1 and nothing is printed. */
export const Healthy = z.object({
  ok: z.literal(true),
  unreadable: z
    .array(z.string())
    .optional()
    .describe('Containers that the Engine cannot inspect, if there are any. Their last known state counts.'),
  networksErrors: z
    .number()
    .optional()
    .describe('Errors of networks.json and of what follows from it; absent: none.'),
});
