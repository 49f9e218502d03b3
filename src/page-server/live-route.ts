/**
 * `GET /live`: the stream for a browser.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Live } from './live.ts';
import type { Sink } from './live-clients.ts';
import { sessionOf } from './session-check.ts';

/** Milliseconds that a browser waits before it connects again. */
const RETRY = 2_000;

export function addLiveRoute(server: FastifyInstance, live: Live): void {
  server.get('/live', async (request, reply) => {
    const reason = live.fullReason(sessionOf(request));
    if (reason !== undefined) return reply.code(429).header('retry-after', '5').send({ error: reason });
    openStream(request, reply, live);
    return reply;
  });
}

function openStream(request: FastifyRequest, reply: FastifyReply, live: Live): void {
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...STREAM_HEADERS }))
    if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200);
  raw.write(`retry: ${RETRY}\n\n`);
  const id = request.headers['last-event-id'];
  const remove = live.add(sessionOf(request), sinkOf(raw), typeof id === 'string' ? id : undefined);
  raw.once('close', remove);
}

/** A proxy must pass on each event at once. */
const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
} as const;

const sinkOf = (raw: ServerResponse): Sink => ({
  write: (data) => raw.destroyed || raw.write(data),
  onDrain: (listener) => raw.on('drain', listener),
  // A browser that reads nothing would not see the end of the answer either.
  end: () => raw.destroy(),
});
