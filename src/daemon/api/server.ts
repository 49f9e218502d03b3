/**
 * The local API of a running controller, on a unix socket that only its owner may use.
 */
import { chmod, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { EngineError, messageOf, UserError } from '../../common/errors.ts';
import { isListening, removeLeftSocket } from '../../http/unix-socket.ts';
import { addDiagnosticsRoutes, addDiffRoute, type DiagnosticsControls } from './diagnostics-routes.ts';
import { PortReply, PortRequest } from './host-schema.ts';
import { jsonSchema, replies } from './replies.ts';
import { OverrideReply, OverrideRequest } from './schema.ts';
import { addStatusRoutes, type StatusControls } from './status-routes.ts';

/** What the API needs of the controller. */
export interface Controls extends DiagnosticsControls, StatusControls {
  override(request: OverrideRequest): Promise<OverrideReply>;
  /** Opens or closes a container's port. */
  setPort(request: PortRequest): Promise<PortReply>;
}

export interface ApiServer {
  close(): Promise<void>;
}

/** Throws a `UserError` if another controller answers at `path`, which `flag` gives. */
export async function requireNoController(path: string, flag = '--socket'): Promise<void> {
  if (!(await isListening(path))) return;
  throw new UserError(`another controller answers at ${path}; stop it, or give this one another ${flag}`);
}

/** Listens at `path`. A socket left behind by a crash is replaced, one that answers is not. */
export async function serveApi(path: string, controls: Controls): Promise<ApiServer> {
  await requireNoController(path);
  const server = buildServer(controls);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await removeLeftSocket(path);
    await server.listen({ path });
    await chmod(path, 0o600);
  } catch (error) {
    throw new UserError(
      `the socket ${path} cannot be used (${messageOf(error)}); choose another by --socket`,
      {
        cause: error,
      },
    );
  }
  return { close: () => server.close() };
}

function buildServer(controls: Controls): FastifyInstance {
  const server = Fastify({ logger: false, forceCloseConnections: true });
  server.setErrorHandler((error, _request, reply) => {
    return reply.status(statusFor(error)).send({ error: messageOf(error) });
  });
  addStatusRoutes(server, controls);
  addDiagnosticsRoutes(server, controls);
  addDiffRoute(server, controls);
  server.post(
    '/v1/overrides',
    { schema: { body: jsonSchema(OverrideRequest), response: replies(OverrideReply) } },
    (request) => controls.override(OverrideRequest.parse(request.body)),
  );
  server.post(
    '/v1/ports',
    { schema: { body: jsonSchema(PortRequest), response: replies(PortReply) } },
    (request) => controls.setPort(PortRequest.parse(request.body)),
  );
  return server;
}

/** The framework marks invalid requests with 400. */
export function statusFor(error: unknown): number {
  if (error instanceof EngineError) return 502;
  if (error instanceof UserError) return 400;
  const marked = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof marked === 'number' ? marked : 500;
}
