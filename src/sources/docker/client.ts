/**
 * Creates the dockerode client for an address.
 */
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { inspect } from 'node:util';
import './dockerode-stubs.ts';
import Dockerode from 'dockerode';
import { EngineError, messageOf } from '../../common/errors.ts';
import type { EngineAddress } from './address.ts';

/** Connections are not kept alive: after a restart of the Engine they would be closed. */
export function agentFor(address: EngineAddress): Agent {
  const agent = address.kind === 'tcp' && address.tls ? new SecureAgent() : new Agent();
  // For each request the library formats a debug message with all options, even if DEBUG is not set. Formatting an
  // agent with its sockets and buffers took most of the controller's processor time.
  return Object.assign(agent, { [inspect.custom]: () => 'an agent' });
}

/**
 * Every option is set, even to undefined: the library reads missing ones from the environment, and a host that it
 * finds there takes precedence over a socket path.
 */
export function client(address: EngineAddress, agent: Agent): Dockerode {
  const options = { ...place(address), username: undefined, agent };
  try {
    return new Dockerode(options);
  } catch (error) {
    // The library reads DOCKER_HOST and DOCKER_CERT_PATH even if all options are given.
    throw new EngineError(`The settings of the Docker Engine cannot be used: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function place(address: EngineAddress) {
  if (address.kind === 'socket') {
    return { socketPath: address.path, host: undefined, port: undefined, protocol: 'http' as const };
  }
  const { host, port, tls } = address;
  const protocol = tls ? ('https' as const) : ('http' as const);
  const { ca, cert, key } = tls ?? { ca: undefined, cert: undefined, key: undefined };
  return { socketPath: undefined, host, port, protocol, pathPrefix: '/', ca, cert, key };
}
