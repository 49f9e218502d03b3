/**
 * The routes of the watch socket: questions, and the stream of the live state. Only GET is answered, and few questions
 * at once.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import { messageOf } from '../../common/errors.ts';
import type { Instance } from '../../inventory/service.ts';
import { addDiagnosticsRoutes, type DiagnosticsControls } from '../api/diagnostics-routes.ts';
import { statusFor } from '../api/server.ts';
import type { StatusControls } from '../api/status-routes.ts';
import { limitQuestions } from './limit.ts';
import type { LiveSource } from './live-source.ts';
import { sendLive } from './live-stream.ts';

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

/** Each page's process has one. */
const MOST_STREAMS = 8;
/** Of a request, which needs no body. */
const MOST_BYTES = 1_024;

export interface Routes {
  answer(request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
}

export async function openRoutes(controls: WatchControls): Promise<Routes> {
  const server = buildServer(controls);
  await server.ready();
  return { answer: (request, response) => server.routing(request, response), close: () => server.close() };
}

function buildServer(controls: WatchControls): FastifyInstance {
  const server: FastifyInstance = Fastify({ logger: false, exposeHeadRoutes: false, bodyLimit: MOST_BYTES });
  server.setErrorHandler((error, _request, reply) =>
    error instanceof z.ZodError
      ? reply.status(400).send({ error: z.prettifyError(error) })
      : reply.status(statusFor(error)).send({ error: messageOf(error) }),
  );
  server.addHook('onRequest', async ({ method }, reply) => {
    reply.header('cache-control', 'no-store');
    if (method !== 'GET')
      return reply.code(405).header('allow', 'GET').send({ error: 'only GET is answered' });
  });
  const limit = limitQuestions();
  server.get('/v1/status', () => limit(() => controls.status()));
  server.get('/v1/services', ({ query }) => limit(() => controls.service(ServiceQuery.parse(query).name)));
  // Without schemas, because preparing them would hold the controller for a tenth of a second when a page comes.
  addDiagnosticsRoutes(server, controls, { limit, withSchemas: false });
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
