/**
 * Finds the running controller, and checks whether it uses the Consul and the Engine that are named on the command
 * line: a controller of another Consul or Engine must not answer instead.
 */
import { UserError } from '../common/errors.ts';
import type { Config } from '../config/config.ts';
import { ApiClient } from '../daemon/api/client.ts';
import { SourcesReply } from '../daemon/api/diagnostics-schema.ts';
import { isListening } from '../http/unix-socket.ts';

export interface RunningController {
  readonly client: ApiClient;
  /** The difference between its sources and the named ones, if any. */
  readonly difference: string | undefined;
}

/** Undefined if none answers at the socket. */
export async function findController(config: Config): Promise<RunningController | undefined> {
  if (!(await isListening(config.socket))) return undefined;
  const client = new ApiClient(config.socket);
  if (!isAnythingNamed(config)) return { client, difference: undefined };
  return { client, difference: differenceOf(await client.get('/v1/sources', SourcesReply), config) };
}

/** For commands that change something: throws a `UserError` if the controller uses other sources. */
export async function requireController(config: Config): Promise<ApiClient | undefined> {
  const found = await findController(config);
  if (found?.difference === undefined) return found?.client;
  throw new UserError(
    `the controller at ${config.socket} ${found.difference}; name the --socket of another controller, or leave that option out`,
  );
}

export const isAnythingNamed = ({ named }: Config): boolean => Object.values(named).includes(true);

function differenceOf(works: SourcesReply, { consul, docker, named }: Config): string | undefined {
  if (named.consul && bare(works.consul) !== bare(consul.address))
    return `reads Consul at ${works.consul}, not at ${consul.address}`;
  if (named.kvPath && bare(works.kvPath) !== bare(consul.kvPath))
    return `reads the keys below ${works.kvPath}, not below ${consul.kvPath}`;
  if (named.ingressPath && bare(works.ingressPath) !== bare(consul.ingressPath))
    return `reads the ingress keys below ${works.ingressPath}, not below ${consul.ingressPath}`;
  if (named.docker && bare(works.docker) !== bare(docker.host))
    return `works with the Engine at ${works.docker}, not at ${docker.host}`;
  return undefined;
}

/** Removes the scheme and slashes: `http://127.0.0.1:8500/` becomes `127.0.0.1:8500`. */
const bare = (address: string): string =>
  address.replace(/^(?:https?|unix|tcp):\/\//, '').replace(/^\/+|\/+$/g, '');
