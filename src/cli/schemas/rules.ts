/**
 * The output of commands about rules with --json, if it differs from the API's answer.
 */
import { z } from 'zod';
import { ContainerSuggestion, Differences } from '../../daemon/api/diagnostics-schema.ts';
import { SuggestInReply } from '../../daemon/api/host-schema.ts';
import { Dns, Mode, Problem } from '../../daemon/api/schema.ts';

export const SuggestedIn = SuggestInReply.extend({
  text: z.string().describe('What is printed without --json.'),
});

export const Suggested = z.object({
  recorded: z.boolean().describe('The template keeps what was denied.'),
  suggestions: z.array(ContainerSuggestion),
  text: z.string().describe('What is printed without --json.'),
});

export const Differing = Differences.extend({ key: z.string() });

export const Rendered = z.object({
  grants: z.array(z.string()),
  mode: Mode,
  dns: Dns,
  container: z.string().optional().describe('Absent with --acl.'),
  fingerprint: z.string(),
  text: z.string().describe('What would be loaded.'),
  problems: z.array(Problem),
});
