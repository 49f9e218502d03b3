/**
 * The routes of the page's files. Any other address that a browser opens shows the page too: the page knows its screens.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Asset, type Assets, encodingFor, INDEX } from './assets.ts';

/** Below these no screen is. */
const NO_SCREEN = /^\/(api|live|session|healthz|assets)(\/|$)/;

export function addAssetRoutes(server: FastifyInstance, assets: Assets): void {
  for (const [path, asset] of assets)
    server.route({ method: ['GET', 'HEAD'], url: path, handler: (...both) => send(asset, ...both) });
  const index = assets.get(INDEX);
  server.setNotFoundHandler((request, reply) => {
    const { method, url } = request;
    if (method !== 'GET' && method !== 'HEAD')
      return reply
        .code(405)
        .headers({ allow: 'GET, HEAD' })
        .send({ error: `${method} does nothing here` });
    const isScreen = /text\/html/.test(request.headers.accept ?? '') && !NO_SCREEN.test(pathOf(url));
    if (index !== undefined && isScreen) return send(index, request, reply);
    return reply.code(404).send({ error: 'there is nothing at this address' });
  });
}

const pathOf = (url: string): string => url.split('?', 1)[0] ?? '';

function send(asset: Asset, { headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const encoding = encodingFor(asset, headers['accept-encoding'] ?? '');
  const etag = `${asset.etag.slice(0, -1)}-${encoding}"`;
  reply.headers({ 'cache-control': asset.cache, vary: 'accept-encoding', etag });
  if (headers['if-none-match'] === etag) return reply.code(304).send();
  if (encoding !== 'identity') reply.header('content-encoding', encoding);
  return reply.type(asset.type).send(asset[encoding]);
}
