/**
 * The HTTP server of the page. Each request passes the same checks in this order: the Host header, the site that made
 * the browser send it, the login. Whatever the answer is, it has the security headers.
 */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { messageOf } from '../common/errors.ts';
import { isNavigation, isOwnSite } from '../http/fetch-site.ts';
import { statusForHost } from '../http/host-names.ts';
import { PAGE_HEADERS } from '../http/security-headers.ts';
import { addAssetRoutes } from './asset-routes.ts';
import type { Assets } from './assets.ts';
import type { Attempts } from './attempts.ts';
import type { Live } from './live.ts';
import { addLiveRoute } from './live-route.ts';
import { addQuestionRoutes } from './question-routes.ts';
import { type Access, addSessionCheck, routeOf } from './session-check.ts';
import { addSessionRoute } from './session-route.ts';

export interface PageServerOptions {
  readonly assets: Assets;
  readonly live: Live;
  readonly watchSocket: string;
  /** Undefined: a proxy authenticates. */
  readonly access: Access | undefined;
  readonly attempts: Attempts;
  /** Host names besides addresses and localhost. */
  readonly hosts: readonly string[];
  /** PEM. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

/** Milliseconds and bytes. `connectionTimeout` is without a byte; a stream has some each 15 s (live-clients.ts). */
const LIMITS = {
  connectionTimeout: 120_000,
  bodyLimit: 4_096,
  requestTimeout: 10_000,
  keepAliveTimeout: 10_000,
  maxRequestsPerSocket: 10_000,
  http: { maxHeaderSize: 16_384, headersTimeout: 10_000, connectionsCheckingInterval: 1_000 },
} as const;

const MOST_CONNECTIONS = 256;

export function buildPageServer(options: PageServerOptions): FastifyInstance {
  const { access, live, assets, watchSocket, attempts } = options;
  const server = bareServer(options);
  server.server.maxConnections = MOST_CONNECTIONS;
  server.setErrorHandler((error, _request, reply) =>
    reply.code(statusOf(error)).send({ error: messageOf(error) }),
  );
  // A form of another site can send text, but not JSON.
  server.removeContentTypeParser('text/plain');
  addChecks(server, options.hosts);
  addSessionCheck(server, access);
  if (access !== undefined) addSessionRoute(server, access, attempts);
  addLiveRoute(server, live);
  addQuestionRoutes(server, watchSocket);
  server.get('/healthz', () => ({ ok: true }));
  addAssetRoutes(server, assets);
  return server;
}

function bareServer({ tls }: PageServerOptions): FastifyInstance {
  const options = {
    ...{ logger: false, forceCloseConnections: true, exposeHeadRoutes: false, ...LIMITS },
    frameworkErrors: rejectUrl,
  } as const;
  if (tls === undefined) return Fastify(options);
  return Fastify({ ...options, https: { ...tls, ...LIMITS.http, minVersion: 'TLSv1.2' } });
}

/** An address that cannot be read passes no hook. */
function rejectUrl(error: Error, _request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(PAGE_HEADERS).code(400).send({ error: error.message });
}

function addChecks(server: FastifyInstance, hosts: readonly string[]): void {
  server.addHook('onRequest', async (request, reply) => {
    const { raw } = request;
    reply.headers(PAGE_HEADERS);
    const status = statusForHost(raw.rawHeaders, raw.httpVersion, hosts);
    if (status !== 200) return reply.code(status).send({ error: HOST_ERRORS[status] });
    if (isOwnSite(request) || (isNavigation(request) && !IS_PRIVATE.test(routeOf(request)))) return;
    return reply
      .code(403)
      .send({ error: 'a browser sent this for another site, and only the page itself may' });
  });
}

const IS_PRIVATE = /^\/(live|api|session)(\/|\?|$)/;

const HOST_ERRORS = {
  400: 'expected one Host header with a name or an address',
  421: 'this name is not allowed; use an address, or add it to --page-host',
} as const;

/** The framework marks invalid requests. */
function statusOf(error: unknown): number {
  const marked = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof marked === 'number' ? marked : 500;
}
