/**
 * The routes for monitoring: state, health, metrics.
 */
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { Status } from '../status.ts';
import { replies } from './replies.ts';
import { HealthReply, StatusReply } from './schema.ts';

/** The part of the controller that monitoring needs. */
export interface StatusControls {
  status(): Status;
  /** True once the rules and the containers were read, and no service is waited for. */
  ready(): boolean;
  /** Containers that the Engine cannot inspect: a problem of theirs, which makes nobody else wait. */
  unreadable(): readonly string[];
  /** Errors of networks.json: what is loaded stays. */
  networksErrors(): number;
  /** In the text format of Prometheus. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}

export function addStatusRoutes(server: FastifyInstance, controls: StatusControls): void {
  server.get('/v1/status', { schema: { response: replies(StatusReply) } }, () => controls.status());
  server.get('/healthz', { schema: { response: replies(HealthReply) } }, () => healthy(controls));
  server.get('/readyz', { schema: { response: replies(HealthReply) } }, (_request, reply) => {
    if (controls.ready()) return healthy(controls);
    return reply.status(503).send({ ok: false, reason: 'the rules or the containers were not read yet' });
  });
  server.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await controls.metrics();
    return reply.type(contentType).send(text);
  });
}

function healthy(controls: StatusControls): z.infer<typeof HealthReply> {
  const unreadable = [...controls.unreadable()];
  const networksErrors = controls.networksErrors();
  return {
    ok: true,
    ...(unreadable.length > 0 && { unreadable }),
    ...(networksErrors > 0 && { networksErrors }),
  };
}
