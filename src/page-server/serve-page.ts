/**
 * The page's process: reads its files, listens, prints how to get in, and ends all of it again.
 */
import { randomBytes } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { messageOf, UserError } from '../common/errors.ts';
import { steadyNow } from '../common/steady-clock.ts';
import type { Place } from '../config/option-reader.ts';
import type { PageConfig } from '../config/page-config.ts';
import { connectionError, removeLeftSocket } from '../http/unix-socket.ts';
import { type AccessPlan, accessPlan, tlsFiles } from './access-plan.ts';
import { readAssets } from './assets.ts';
import { type AttemptLimits, Attempts } from './attempts.ts';
import { Live } from './live.ts';
import { LinkLogin, type Login, TokenLogin } from './login.ts';
import { readTls, readToken } from './secret-files.ts';
import { buildPageServer } from './server.ts';
import { type Access, cookieFor } from './session-check.ts';
import { Sessions } from './sessions.ts';
import { reasonOf } from './watch-socket.ts';

export interface PageOptions {
  readonly config: PageConfig;
  /** The folder with the page. */
  readonly assets: string;
  readonly version: string;
  /** Milliseconds for which the controller is still read after the last browser. */
  readonly linger?: number;
  /** Milliseconds after which it is said that no controller is there. A controller may start at the same time. */
  readonly checkAfter?: number;
  /** Of wrong tokens. */
  readonly attempts?: AttemptLimits;
  /** Prints a line that people act on. */
  print(line: string): void;
  /** Prints a line about a problem, or its end. */
  report(line: string): void;
}

const HOUR = 3_600_000;
const SESSIONS = { most: 128, idle: 12 * HOUR, whole: 7 * 24 * HOUR } as const;
const ATTEMPTS = { burst: 10, interval: 6_000, most: 1_000 } as const;
const STREAMS = { all: 96, perSession: 24, stall: 60_000 } as const;
/** How long a link that nobody has used works. */
const LINK_LIFE = 12 * HOUR;

const CHECK_AFTER = 10_000;

/** A reload of the page does not open the controller's stream anew. */
const LINGER = 5_000;

const secret = (): string => randomBytes(32).toString('base64url');

/** Registers in `resources` what must end. */
export async function servePage(options: PageOptions, resources: AsyncDisposableStack): Promise<void> {
  const { config, version, print, report, linger = LINGER, attempts = ATTEMPTS } = options;
  const plan = accessPlan(config);
  const files = tlsFiles(config);
  const tls = files === undefined ? undefined : await readTls(files);
  const assets = readAssets(options.assets);
  const sessions = new Sessions({ ...SESSIONS, secret, now: steadyNow });
  const login = await loginFor(plan, (token) =>
    print(`${addressOf(config, tls !== undefined)}/#token=${token}`),
  );
  const live = new Live({
    ...{ path: config.watchSocket, version, report, linger },
    limits: login === undefined ? { ...STREAMS, perSession: STREAMS.all } : STREAMS,
    isSession: (id) => login === undefined || sessions.use(id),
  });
  resources.defer(() => live.close());
  const server = buildPageServer({
    ...{ assets, live, tls, watchSocket: config.watchSocket, attempts: new Attempts(attempts, steadyNow) },
    access: login && accessOf(config.listen, login, sessions, tls !== undefined),
    hosts: hostsOf(config),
  });
  await listen(server, config.listen);
  resources.defer(() => server.close());
  announce(config, login, tls !== undefined, print, resources);
  const check = setTimeout(
    () => void reportAbsence(config.watchSocket, report),
    options.checkAfter ?? CHECK_AFTER,
  );
  resources.defer(() => clearTimeout(check));
}

/** Whoever starts the page sees at once what is wrong, not only whoever opens it. */
async function reportAbsence(path: string, report: (line: string) => void): Promise<void> {
  const error = await connectionError(path);
  if (error !== undefined) report(`${reasonOf(error, path)}; waiting for it`);
}

async function loginFor(plan: AccessPlan, print: (token: string) => void): Promise<Login | undefined> {
  if (plan.kind === 'proxy') return undefined;
  return plan.kind === 'token'
    ? new TokenLogin(await readToken(plan.file))
    : new LinkLogin({ secret, print });
}

const accessOf = (listen: Place, login: Login, sessions: Sessions, isSecure: boolean): Access => ({
  ...{ login, sessions },
  cookie: cookieFor(typeof listen === 'string' ? 0 : listen.port, isSecure),
});

const hostsOf = ({ listen, hosts }: PageConfig): readonly string[] =>
  typeof listen === 'string' ? hosts : [listen.host, ...hosts];

function announce(
  config: PageConfig,
  login: Login | undefined,
  isSecure: boolean,
  print: (line: string) => void,
  resources: AsyncDisposableStack,
): void {
  if (login instanceof LinkLogin) {
    login.print();
    const timer = setInterval(() => login.renew(), LINK_LIFE);
    resources.defer(() => clearInterval(timer));
  } else
    print(`${addressOf(config, isSecure)} (${login?.hint ?? 'the proxy before it authenticates people'})`);
}

/** As a browser opens it. */
function addressOf({ listen, hosts, isPublishedOnLoopback }: PageConfig, isSecure: boolean): string {
  if (typeof listen === 'string') return `unix:${listen}`;
  const { host, port } = listen;
  const shown = isPublishedOnLoopback ? '127.0.0.1' : isAny(host) ? (hosts[0] ?? host) : host;
  return `${isSecure ? 'https' : 'http'}://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}

const isAny = (host: string): boolean => host === '0.0.0.0' || host === '::';

async function listen(server: FastifyInstance, place: Place): Promise<void> {
  try {
    if (typeof place !== 'string') await server.listen(place);
    else {
      await removeLeftSocket(place);
      await server.listen({ path: place });
      await chmod(place, 0o660);
    }
  } catch (error) {
    const where = typeof place === 'string' ? place : `${place.host}:${place.port}`;
    throw new UserError(
      `the page cannot be served at ${where} (${messageOf(error)}); choose another by --page-listen`,
      { cause: error },
    );
  }
}
