/**
 * `POST /session`: a token for a cookie. It is the only request here that is not a question, and it never reaches the
 * controller.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Attempts } from './attempts.ts';
import { type Access, cookieText } from './session-check.ts';

const Body = z.strictObject({ token: z.string().min(1).max(512) });

export function addSessionRoute(server: FastifyInstance, access: Access, attempts: Attempts): void {
  server.post('/session', (request, reply) => {
    const body = Body.safeParse(request.body);
    if (!body.success) return reply.code(400).send({ error: 'expected { "token": "…" }' });
    const { login, sessions, cookie } = access;
    const wait = attempts.wait(request.ip);
    const isRight = (wait === 0 || !login.isGuessable) && login.accepts(body.data.token);
    if (isRight) return reply.header('set-cookie', cookieText(cookie, sessions.begin())).send({ ok: true });
    if (wait > 0) return sendWait(reply, Math.ceil(wait / 1000));
    attempts.failed(request.ip);
    return reply.code(401).send({ error: `this token is wrong, used or too old: ${login.hint}` });
  });
}

const sendWait = (reply: FastifyReply, seconds: number): FastifyReply =>
  reply
    .code(429)
    .header('retry-after', `${seconds}`)
    .send({ error: `too many wrong tokens; try again in ${seconds} s` });
