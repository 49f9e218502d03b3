/**
 * The watch socket: what the page needs, and nothing that changes anything. Only GET is answered, and each caller gets
 * little: few connections, small requests, few questions at once.
 */
import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { messageOf, UserError } from '../../common/errors.ts';
import type { Instance } from '../../inventory/service.ts';
import { addDiagnosticsRoutes, type DiagnosticsControls } from '../api/diagnostics-routes.ts';
import { jsonSchema, replies } from '../api/replies.ts';
import { type ApiServer, requireNoController, statusFor } from '../api/server.ts';
import { addStatusRoute, type StatusControls } from '../api/status-routes.ts';
import { limitQuestions } from './limit.ts';
import type { LiveSource } from './live-source.ts';
import { sendLive } from './live-stream.ts';
import { openToGroup, prepareFolder, type SocketPlace } from './socket-place.ts';

/** What the watch socket needs of the controller. It cannot change anything. */
export interface WatchControls extends DiagnosticsControls, Pick<StatusControls, 'status'> {
  /** The instances of a service that perhaps no key names yet. Throws a `UserError` for a name that is none. */
  service(name: string): Promise<ServiceAnswer>;
  readonly live: LiveSource;
}

export interface ServiceAnswer {
  readonly instances: readonly Instance[];
  /** Why it could not be read. */
  readonly unread?: string | undefined;
}

/** Milliseconds and bytes. A list of containers has no place in a request. */
const LIMITS = {
  bodyLimit: 1_024,
  requestTimeout: 5_000,
  connectionTimeout: 60_000,
  keepAliveTimeout: 30_000,
  http: { maxHeaderSize: 16_384, headersTimeout: 5_000, connectionsCheckingInterval: 1_000 },
} as const;

const MOST_CONNECTIONS = 64;
/** Each page's process has one. */
const MOST_STREAMS = 8;

/** Listens at `place`. A socket left behind by a crash is replaced, one that answers is not. */
export async function serveWatch(place: SocketPlace, controls: WatchControls): Promise<ApiServer> {
  await requireNoController(place.path);
  const server = buildServer(controls);
  try {
    await prepareFolder(place);
    await server.listen({ path: place.path });
    await openToGroup(place);
  } catch (error) {
    await server.close();
    throw new UserError(
      `the socket ${place.path} cannot be used (${messageOf(error)}); choose another by --watch-socket`,
      { cause: error },
    );
  }
  return { close: () => server.close() };
}

function buildServer(controls: WatchControls): FastifyInstance {
  const server: FastifyInstance = Fastify({
    ...{ logger: false, forceCloseConnections: true, exposeHeadRoutes: false },
    ...LIMITS,
  });
  server.server.maxConnections = MOST_CONNECTIONS;
  server.setErrorHandler((error, _request, reply) =>
    reply.status(statusFor(error)).send({ error: messageOf(error) }),
  );
  server.addHook('onRequest', async ({ method }, reply) => {
    reply.header('cache-control', 'no-store');
    if (method !== 'GET')
      return reply.code(405).header('allow', 'GET').send({ error: 'only GET is answered' });
  });
  const limit = limitQuestions();
  addStatusRoute(server, controls, limit);
  addDiagnosticsRoutes(server, controls, limit);
  const schema = { querystring: jsonSchema(ServiceQuery), response: replies(ServiceReply) };
  server.get('/v1/services', { schema }, ({ query }) =>
    limit(() => controls.service(ServiceQuery.parse(query).name)),
  );
  addLiveRoute(server, controls.live);
  return server;
}

function addLiveRoute(server: FastifyInstance, live: LiveSource): void {
  let streams = 0;
  server.get('/v1/live', async (_request, reply) => {
    if (streams >= MOST_STREAMS) return reply.code(503).send({ error: 'too many streams at once' });
    streams += 1;
    reply.hijack();
    await sendLive(reply.raw, live).finally(() => {
      streams -= 1;
    });
  });
}

const ServiceQuery = z.object({ name: z.string() });

const ServiceReply = z.object({
  instances: z.array(
    z.object({
      ...{ address: z.string(), port: z.number(), tags: z.array(z.string()), node: z.string() },
    }),
  ),
  unread: z.string().optional().describe('Why it could not be read.'),
});
