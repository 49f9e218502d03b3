/**
 * The read-only part of the API on an address: status, health and metrics. Nothing here changes state, shows rules,
 * or costs the controller much.
 *
 * There is no authentication, so each caller gets little: few connections, a short time, a small request, and an
 * answer that browsers hide from other sites.
 */
import Fastify, { type FastifyInstance } from 'fastify';
import { messageOf, UserError } from '../../common/errors.ts';
import { statusForHost } from '../../http/host-names.ts';
import { DATA_HEADERS } from '../../http/security-headers.ts';
import { publicStatus } from './public-status.ts';
import { addStatusRoutes, type StatusControls } from './status-routes.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Milliseconds and bytes. */
const LIMITS = {
  bodyLimit: 1_024,
  requestTimeout: 5_000,
  connectionTimeout: 10_000,
  keepAliveTimeout: 5_000,
  maxRequestsPerSocket: 1_000,
  http: { maxHeaderSize: 8_192, headersTimeout: 5_000, connectionsCheckingInterval: 1_000 },
} as const;

const MOST_CONNECTIONS = 100;

/** `names`: DNS names that are accepted besides addresses and localhost. */
export async function serveWatchers(
  { host, port }: ListenAddress,
  controls: StatusControls,
  names: readonly string[] = [],
): Promise<{ close(): Promise<void> }> {
  const server = buildServer(controls, [host, ...names]);
  try {
    await server.listen({ host, port });
  } catch (error) {
    throw new UserError(`${host}:${port} cannot be used (${messageOf(error)}); choose another by --listen`, {
      cause: error,
    });
  }
  return { close: () => server.close() };
}

function buildServer(controls: StatusControls, names: readonly string[]): FastifyInstance {
  const server: FastifyInstance = Fastify({ logger: false, forceCloseConnections: true, ...LIMITS });
  server.server.maxConnections = MOST_CONNECTIONS;
  server.addHook('onRequest', async ({ raw }, reply) => {
    reply.headers(DATA_HEADERS);
    const status = statusForHost(raw.rawHeaders, raw.httpVersion, names);
    if (status !== 200) return reply.code(status).send({ error: REJECTIONS[status] });
  });
  addStatusRoutes(server, { ...controls, status: () => publicStatus(controls.status()) });
  return server;
}

const REJECTIONS = {
  400: 'expected one Host header with a name or an address',
  421: 'this name is not allowed; use an address, or add it to --allow-host',
} as const;
