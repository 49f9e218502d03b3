/**
 * `GET /api/…`: questions that are passed on to the controller as they are. Nothing is passed on that is not in this
 * list, and nothing but a GET.
 */
import type { FastifyInstance } from 'fastify';
import { messageOf } from '../common/errors.ts';
import { ask } from './watch-socket.ts';

const QUESTIONS = [
  'status',
  'denied',
  'explain',
  'suggest',
  'lint',
  'namespace',
  'keys',
  'services',
  'denied-in',
  'explain-in',
  'suggest-in',
  'host',
  'host/rules',
  'sources',
] as const;

const LIMITS = { time: 10_000, size: 16 * 2 ** 20 } as const;

/** At once. A browser asks one or two; more would cost the controller time for those who wait. */
const MOST = 8;

export function addQuestionRoutes(server: FastifyInstance, path: string): void {
  let open = 0;
  for (const name of QUESTIONS)
    server.get(`/api/${name}`, async ({ url }, reply) => {
      if (open >= MOST) return reply.code(503).header('retry-after', '1').send({ error: BUSY });
      open += 1;
      try {
        const { status, body } = await ask(path, `/v1/${name}${queryIn(url)}`, LIMITS);
        return await reply.code(status).type('application/json; charset=utf-8').send(body);
      } catch (error) {
        return await reply.code(502).send({ error: messageOf(error) });
      } finally {
        open -= 1;
      }
    });
}

/** The path itself can be written in many ways (`/%61pi/status`, `http://host/api/status`), so it is not passed on. */
const queryIn = (url: string): string => /\?[^#]*/.exec(url)?.[0] ?? '';

const BUSY = `${MOST} questions are being answered, which is the most at once; ask again`;
