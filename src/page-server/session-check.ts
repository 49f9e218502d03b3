/**
 * Which requests need a login, and the cookie that shows it.
 *
 * Cookies of a host go to all of its ports, so the name has the port in it, and two pages do not log each other out.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Login } from './login.ts';
import type { Sessions } from './sessions.ts';

export interface Access {
  readonly login: Login;
  readonly sessions: Sessions;
  readonly cookie: Cookie;
}

interface Cookie {
  readonly name: string;
  readonly isSecure: boolean;
}

/** `__Host-`: browsers take it only with `Secure`, from this host itself, for all paths. */
export const cookieFor = (port: number, isSecure: boolean): Cookie => ({
  name: `${isSecure ? '__Host-' : ''}egresstrator-${port}`,
  isSecure,
});

/** Without `Max-Age` it ends with the browser; it ends here before. */
export const cookieText = ({ name, isSecure }: Cookie, secret: string): string =>
  `${name}=${secret}; Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;

const NEEDS_LOGIN = /^\/(live|api)(\/|\?|$)/;

/** What was found for a request, as its address has many forms: `/%6cive` and `http://host/live` lead to `/live`. */
export const routeOf = ({ routeOptions, url }: FastifyRequest): string => routeOptions.url ?? url;

/** Where a proxy authenticates, all that it passes on is of one session. */
export const OF_PROXY = 'proxy';

const sessions = new WeakMap<FastifyRequest, string>();

/** The session of a request that has passed the check. */
export const sessionOf = (request: FastifyRequest): string => sessions.get(request) ?? OF_PROXY;

/** `access`: undefined where a proxy authenticates. */
export function addSessionCheck(server: FastifyInstance, access: Access | undefined): void {
  if (access === undefined) return;
  server.addHook('onRequest', async (request, reply) => {
    if (!NEEDS_LOGIN.test(routeOf(request))) return;
    const session = sessionIn(request.headers.cookie ?? '', access);
    if (session === undefined) return reply.code(401).send({ error: `not logged in: ${access.login.hint}` });
    sessions.set(request, session);
  });
}

/** Other servers on this host can set a cookie of the same name, which may come first: it must not log people out. */
function sessionIn(header: string, { cookie, sessions }: Access): string | undefined {
  const start = `${cookie.name}=`;
  for (const pair of header.split(';').map((one) => one.trim())) {
    const found = pair.startsWith(start) ? sessions.find(pair.slice(start.length)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
