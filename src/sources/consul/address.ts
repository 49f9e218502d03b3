/**
 * Parses the address of Consul's HTTP API as Consul's own tools do: `host:port`, with or without a scheme, or a unix
 * socket.
 */
import { isIPv6 } from 'node:net';
import { ConsulError } from '../../common/errors.ts';
import { named } from './setting-names.ts';

export interface Endpoint {
  /** For messages. */
  readonly label: string;
  readonly secure: boolean;
  /** Name or IP address, IPv6 without brackets; `localhost` for a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly socketPath: string | undefined;
}

const DEFAULT_PORT = 8500;

export function parseAddress(address: string, ssl: boolean): Endpoint {
  const [, given, rest = ''] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(address.trim()) ?? [];
  const scheme = given?.toLowerCase();
  if (scheme === 'unix') return unixSocket(rest, ssl);
  if (scheme === 'http' && ssl)
    throw wrong(`it begins with http:// while ${named.ssl} asks for TLS: drop one of the two`);
  if (scheme === undefined || scheme === 'http') return hostAndPort(rest, ssl);
  if (scheme === 'https') return hostAndPort(rest, true);
  throw wrong(`${given}:// is not supported: use http://, https:// or unix://`);
}

function unixSocket(path: string, ssl: boolean): Endpoint {
  if (!path.startsWith('/')) throw wrong('a unix socket needs its full path, as in unix:///run/consul.sock');
  return { label: `unix://${path}`, secure: ssl, host: 'localhost', port: DEFAULT_PORT, socketPath: path };
}

function hostAndPort(text: string, secure: boolean): Endpoint {
  // The message does not quote the address, because the text before an @ may be a password.
  if (text.includes('@'))
    throw wrong(`it must hold no user name or password; a token goes into ${named.token}`);
  if (isIPv6(text)) throw wrong(`write an IPv6 address in brackets, as in [${text}]:${DEFAULT_PORT}`);
  const [, bracketed, name, digits = DEFAULT_PORT] =
    /^(?:\[([^\]]+)\]|([a-z0-9_.-]+))(?::(\d{1,5}))?\/?$/i.exec(text) ?? [];
  const host = bracketed ?? name;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed)))
    throw wrong(`${JSON.stringify(text)} is not host:port, as in 127.0.0.1:${DEFAULT_PORT}`);
  const shown = `${bracketed === undefined ? host : `[${host}]`}:${port}`;
  return { label: secure ? `https://${shown}` : shown, secure, host, port, socketPath: undefined };
}

const wrong = (reason: string): ConsulError =>
  new ConsulError(`The address of Consul, ${named.address}, is wrong: ${reason}.`, { permanent: true });
