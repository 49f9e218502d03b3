/**
 * Makes the client library's object for an address.
 */
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { inspect } from 'node:util';
import './dockerode-stubs.ts';
import Dockerode from 'dockerode';
import { EngineError, messageOf } from '../../common/errors.ts';
import type { EngineAddress } from './address.ts';

/** No connection is kept: it may be one that the Engine closed when it was restarted. */
export function agentFor(address: EngineAddress): Agent {
  const agent = address.kind === 'tcp' && address.tls ? new SecureAgent() : new Agent();
  // For each request the library prints all that it is made of, to nowhere unless DEBUG is set: of an agent
  // with its sockets and their buffers that took most of the controller's processor time.
  return Object.assign(agent, { [inspect.custom]: () => 'an agent' });
}

/**
 * The library is told everything, also what is undefined: what it is not told it takes from the
 * environment, and a host found there wins over a socket's path.
 */
export function client(address: EngineAddress, agent: Agent): Dockerode {
  const options = { ...place(address), username: undefined, agent };
  try {
    return new Dockerode(options);
  } catch (error) {
    // It reads DOCKER_HOST and DOCKER_CERT_PATH even where it need not.
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
