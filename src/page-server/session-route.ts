/**
 * `POST /session`: a token for a cookie. It is the only request here that is not a question, and it never reaches the
 * controller.
 */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Attempts } from './attempts.ts';
import { type Access, cookieText } from './session-check.ts';

const Body = z.strictObject({ token: z.string().min(1).max(512) });

export function addSessionRoute(server: FastifyInstance, access: Access, attempts: Attempts): void {
  server.post('/session', (request, reply) => {
    const wait = attempts.wait(request.ip);
    if (wait > 0) {
      const seconds = Math.ceil(wait / 1000);
      const error = `too many wrong tokens; try again in ${seconds} s`;
      return reply.code(429).header('retry-after', String(seconds)).send({ error });
    }
    const body = Body.safeParse(request.body);
    if (!body.success) return reply.code(400).send({ error: 'expected { "token": "…" }' });
    if (!access.login.accepts(body.data.token)) {
      attempts.failed(request.ip);
      return reply.code(401).send({ error: `this token is wrong, used or too old: ${access.login.hint}` });
    }
    const cookie = cookieText(access.cookie, access.sessions.begin());
    return reply.header('set-cookie', cookie).send({ ok: true });
  });
}
