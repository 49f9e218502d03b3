/**
 * The routes that answer questions. None of them changes anything. They show rules, so they are served on the unix
 * socket alone.
 */
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { Diagnostics } from '../../diagnostics/diagnostics.ts';
import type { NamespaceStatus } from '../../features/egress/status.ts';
import type { IngressStatus } from '../../features/ingress/status.ts';
import {
  ContainerQuery,
  DeniedQuery,
  DeniedReply,
  DiffReply,
  DiffRequest,
  KeysQuery,
  KeysReply,
  LintQuery,
  LintReply,
  NamespaceReply,
  SourcesReply,
  SuggestQuery,
  SuggestReply,
} from './diagnostics-schema.ts';
import { ExplainQuery, ExplainReply } from './explain-schema.ts';
import {
  DeniedInQuery,
  DeniedInReply,
  ExplainInQuery,
  ExplainInReply,
  HostReply,
  HostRules,
  SuggestInReply,
} from './host-schema.ts';
import { jsonSchema, replies } from './replies.ts';

export interface DiagnosticsControls {
  readonly diagnostics: Diagnostics;
  /** The controller's sources. */
  sources(): SourcesReply;
  /** The namespace of one container. Throws a `UserError` if `container` matches none or several. */
  namespace(container: string): NamespaceAnswer;
}

export interface NamespaceAnswer {
  /** Undefined: it has no egress rules. */
  readonly namespace: NamespaceStatus | undefined;
  /** Undefined: anyone may call. */
  readonly ingress?: IngressStatus | undefined;
  /** How the controller loads rules. */
  readonly loader?: string | undefined;
  readonly recordsDenied?: boolean | undefined;
}

/** The most bytes of a request: a key's text has at most 512 KiB in Consul, and JSON may escape each byte. */
const MOST_BYTES = 4 * 2 ** 20;

/** Runs the work for one answer, possibly later. Rejects if there is too much of it. */
export type Limit = <R>(work: () => Promise<R> | R) => Promise<R>;

export interface RouteOptions {
  readonly limit: Limit;
  /** Answers are made by their schemas. To prepare that takes time and memory; queries are checked in any case. */
  readonly withSchemas: boolean;
}

const AS_USUAL: RouteOptions = { limit: async (work) => work(), withSchemas: true };

/** Those that are asked by GET. */
export function addDiagnosticsRoutes(
  server: FastifyInstance,
  controls: DiagnosticsControls,
  { limit, withSchemas } = AS_USUAL,
): void {
  const { diagnostics } = controls;
  const get = <Q extends z.ZodType, R>(
    path: string,
    query: Q,
    reply: z.ZodType,
    answer: (query: z.output<Q>) => R,
  ) => {
    const schema = withSchemas ? { querystring: jsonSchema(query), response: replies(reply) } : {};
    server.get(path, { schema }, (request) => limit(async () => answer(query.parse(request.query))));
  };
  const getAlone = (path: string, reply: z.ZodType, answer: () => unknown) =>
    server.get(path, { schema: withSchemas ? { response: replies(reply) } : {} }, () =>
      limit(async () => answer()),
    );
  get('/v1/denied', DeniedQuery, DeniedReply, (query) => diagnostics.denied(query));
  get('/v1/suggest', SuggestQuery, SuggestReply, (query) => diagnostics.suggest(query));
  get('/v1/explain', ExplainQuery, ExplainReply, (query) => diagnostics.explain(query));
  get('/v1/lint', LintQuery, LintReply, (query) => diagnostics.lint(query));
  get('/v1/namespace', ContainerQuery, NamespaceReply, ({ container }) => controls.namespace(container));
  get('/v1/denied-in', DeniedInQuery, DeniedInReply, (query) => diagnostics.deniedIn(query));
  get('/v1/suggest-in', SuggestQuery, SuggestInReply, (query) => diagnostics.suggestIn(query));
  get('/v1/explain-in', ExplainInQuery, ExplainInReply, (query) => diagnostics.explainIn(query));
  getAlone('/v1/host', HostReply, () => diagnostics.host());
  getAlone('/v1/host/rules', HostRules, () => diagnostics.hostRules());
  get('/v1/keys', KeysQuery, KeysReply, (query) => diagnostics.keys(query));
  getAlone('/v1/sources', SourcesReply, () => controls.sources());
}

/** The question that needs a body. */
export function addDiffRoute(server: FastifyInstance, { diagnostics }: DiagnosticsControls): void {
  const schema = { body: jsonSchema(DiffRequest), response: replies(DiffReply) };
  server.post('/v1/diff', { schema, bodyLimit: MOST_BYTES }, (request) =>
    diagnostics.diff(DiffRequest.parse(request.body)),
  );
}
