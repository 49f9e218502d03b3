/**
 * Sends questions to a running controller.
 */
import type { Diagnostics } from '../../diagnostics/diagnostics.ts';
import type { ApiClient } from './client.ts';
import { DeniedReply, DiffReply, KeysReply, LintReply, SuggestReply } from './diagnostics-schema.ts';
import { ExplainReply } from './explain-schema.ts';
import { DeniedInReply, ExplainInReply, HostReply, HostRules, SuggestInReply } from './host-schema.ts';

export const askController = (client: ApiClient): Diagnostics => ({
  explain: (question) => client.get(urlOf('/v1/explain', question), ExplainReply),
  denied: (question) => client.get(urlOf('/v1/denied', question), DeniedReply),
  suggest: (question) => client.get(urlOf('/v1/suggest', question), SuggestReply),
  lint: (question) => client.get(urlOf('/v1/lint', question), LintReply),
  diff: (question) => client.post('/v1/diff', question, DiffReply),
  host: () => client.get('/v1/host', HostReply),
  hostRules: () => client.get('/v1/host/rules', HostRules),
  deniedIn: (question) => client.get(urlOf('/v1/denied-in', question), DeniedInReply),
  suggestIn: (question) => client.get(urlOf('/v1/suggest-in', question), SuggestInReply),
  explainIn: (question) => client.get(urlOf('/v1/explain-in', question), ExplainInReply),
  keys: (question) => client.get(urlOf('/v1/keys', question), KeysReply),
});

function urlOf(path: string, question: object): string {
  const named = Object.entries(question).filter(([, value]) => value !== undefined);
  return named.length === 0 ? path : `${path}?${new URLSearchParams(Object.fromEntries(named))}`;
}
