/**
 * The output of commands about networks.json with --json.
 */
import { z } from 'zod';

const FileProblem = z.object({
  severity: z.enum(['error', 'warning']).describe('An entry with an error has no effect.'),
  line: z.number().optional(),
  path: z.string().optional().describe('Where it is, as policies[1].from; absent: the whole file.'),
  reason: z.string(),
});

export type FileProblem = Readonly<z.infer<typeof FileProblem>>;

export const NetworksChecked = z.object({
  file: z.string().describe('Its path; "-" for standard input.'),
  networks: z.number().describe('Entries of networks without an error.'),
  ips: z.number().describe('Entries of ips without an error.'),
  permits: z.number().describe('What policies permit, a pair of addresses or prefixes each.'),
  forwards: z.number().describe('Ports that lead elsewhere, on this host and in containers.'),
  problems: z.array(FileProblem),
});

export type NetworksChecked = Readonly<z.infer<typeof NetworksChecked>>;

const Statement = z.object({
  kind: z.enum(['network', 'address', 'permit', 'forward']),
  text: z.string(),
  path: z.string().describe('Where it stands in its file, as policies[1].'),
});

export const NetworksDiffering = z.object({
  added: z.array(Statement).describe('What the other file says, and the present one does not.'),
  removed: z.array(Statement),
});

export const NetworksSteps = z.object({
  file: z.string().describe('Its path; "-" for standard input.'),
  steps: z
    .array(
      z.object({
        action: z.enum(['make', 'remove']),
        kind: z.enum(['network', 'address', 'forwarding', 'permit', 'forward', 'route']),
        text: z.string(),
        path: z.string().optional().describe('Where it stands in the file, as policies[1].'),
      }),
    )
    .describe('What would be done now, in this order.'),
  problems: z.array(FileProblem),
});

export type NetworksSteps = Readonly<z.infer<typeof NetworksSteps>>;
