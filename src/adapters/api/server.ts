/**
 * The local API of a running controller, on a unix socket that only its owner may use.
 */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Status } from '../../controller/status.ts';
import { EngineError, messageOf, UserError } from '../../domain/errors.ts';
import { isListening } from './client.ts';
import { ErrorReply, HealthReply, OverrideReply, OverrideRequest, StatusReply } from './schema.ts';

/** What the API needs of the controller. */
export interface Controls {
  status(): Status;
  /** True once every source has answered. */
  ready(): boolean;
  override(request: OverrideRequest): Promise<OverrideReply>;
}

export interface ApiServer {
  close(): Promise<void>;
}

/** Listens at `path`. A socket left behind by a crash is replaced, one that answers is not. */
export async function serveApi(path: string, controls: Controls): Promise<ApiServer> {
  if (await isListening(path)) {
    throw new UserError(
      `another controller answers at ${path}; stop it, or give this one a --socket of its own`,
    );
  }
  const server = buildServer(controls);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await rm(path, { force: true });
    await server.listen({ path });
    await chmod(path, 0o600);
  } catch (error) {
    throw new UserError(
      `the socket ${path} can not be used (${messageOf(error)}); choose another by --socket`,
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
    const status = error instanceof EngineError ? 502 : error instanceof UserError ? 400 : 500;
    return reply.status(status).send({ error: messageOf(error) });
  });
  server.get('/v1/status', { schema: { response: replies(StatusReply) } }, () => controls.status());
  server.post(
    '/v1/overrides',
    { schema: { body: jsonSchema(OverrideRequest), response: replies(OverrideReply) } },
    (request) => controls.override(OverrideRequest.parse(request.body)),
  );
  server.get('/healthz', { schema: { response: replies(HealthReply) } }, () => ({ ok: true }));
  server.get('/readyz', { schema: { response: replies(HealthReply) } }, (_request, reply) => {
    if (controls.ready()) return { ok: true };
    return reply.status(503).send({ ok: false, reason: 'not every source has answered yet' });
  });
  return server;
}

const jsonSchema = (schema: z.ZodType): object => z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });

const replies = (schema: z.ZodType): object => ({
  200: jsonSchema(schema),
  503: jsonSchema(schema),
  '4xx': jsonSchema(ErrorReply),
  500: jsonSchema(ErrorReply),
  502: jsonSchema(ErrorReply),
});
