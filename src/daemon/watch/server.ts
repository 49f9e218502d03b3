/**
 * The watch socket: what the page needs, and nothing that changes anything. Each caller gets little: few connections
 * and small requests. Until somebody calls, there is only the socket: what answers is made then, and costs 2 MB.
 */
import { createServer, type Server } from 'node:http';
import { messageOf, UserError } from '../../common/errors.ts';
import { type ApiServer, requireNoController } from '../api/server.ts';
import { openRoutes, type Routes, type WatchControls } from './routes.ts';
import { openToGroup, prepareFolder, type SocketPlace } from './socket-place.ts';

/** Milliseconds and bytes. */
const LIMITS = {
  ...{ requestTimeout: 5_000, headersTimeout: 5_000, keepAliveTimeout: 30_000, maxHeaderSize: 16_384 },
  // More often would wake the controller up for nothing.
  connectionsCheckingInterval: 15_000,
} as const;

/** Of a connection on which nothing is asked. */
const IDLE_TIMEOUT = 60_000;
const MOST_CONNECTIONS = 64;

/** Listens at `place`. A socket left behind by a crash is replaced, one that answers is not. */
export async function serveWatch(place: SocketPlace, controls: WatchControls): Promise<ApiServer> {
  await requireNoController(place.path, '--watch-socket');
  let routes: Promise<Routes> | undefined;
  const server = createServer(LIMITS, (request, response) => {
    routes ??= openRoutes(controls);
    routes.then(({ answer }) => answer(request, response)).catch(() => response.destroy());
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.timeout = IDLE_TIMEOUT;
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await (await routes)?.close();
  };
  try {
    await prepareFolder(place);
    await listen(server, place.path);
    await openToGroup(place);
  } catch (error) {
    await close();
    throw new UserError(
      `the socket ${place.path} cannot be used (${messageOf(error)}); choose another by --watch-socket, or another group by --watch-group`,
      { cause: error },
    );
  }
  return { close };
}

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, () => resolve());
  });
