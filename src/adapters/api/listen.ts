/**
 * The read-only part of the API on an address: state, health and metrics, for those who watch a host
 * from outside. Nothing that changes anything, shows rules, or makes the controller work hard.
 */
import Fastify, { type FastifyInstance } from 'fastify';
import { messageOf, UserError } from '../../domain/errors.ts';
import { addWatchRoutes, type WatchControls } from './watch-routes.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export async function serveWatchers(
  { host, port }: ListenAddress,
  controls: WatchControls,
): Promise<{ close(): Promise<void> }> {
  const server: FastifyInstance = Fastify({ logger: false, forceCloseConnections: true });
  addWatchRoutes(server, controls);
  try {
    await server.listen({ host, port });
  } catch (error) {
    throw new UserError(
      `${host}:${port} can not be listened at (${messageOf(error)}); choose another by --listen`,
      { cause: error },
    );
  }
  return { close: () => server.close() };
}
