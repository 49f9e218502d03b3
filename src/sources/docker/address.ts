/**
 * The address of the Engine: a socket's path, or `DOCKER_HOST` in the docker command's format.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError, messageOf } from '../../common/errors.ts';

const defaultSocket = '/var/run/docker.sock';

export interface EngineOptions {
  /** A unix socket's path; wins over `host`. */
  readonly socketPath?: string | undefined;
  /** As in `DOCKER_HOST`: `unix:///path`, `tcp://host:port`, `http://…`, `https://…`. */
  readonly host?: string | undefined;
  /** As in `DOCKER_TLS_VERIFY`: anything but the empty string asks for TLS over `tcp://`. */
  readonly tlsVerify?: string | undefined;
  /** As in `DOCKER_CERT_PATH`: the folder of ca.pem, cert.pem and key.pem. */
  readonly certPath?: string | undefined;
}

export type EngineAddress =
  | { readonly kind: 'socket'; readonly text: string; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly text: string;
      readonly host: string;
      readonly port: number;
      readonly tls: Certificates | undefined;
    };

export interface Certificates {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** The options that the docker command reads from the environment. */
export const engineOptionsFrom = (env: Readonly<Record<string, string | undefined>>): EngineOptions => ({
  host: env.DOCKER_HOST,
  tlsVerify: env.DOCKER_TLS_VERIFY,
  certPath: env.DOCKER_CERT_PATH,
});

export function engineAddress(options: EngineOptions): EngineAddress {
  if (options.socketPath) return socket(options.socketPath);
  if (!options.host) return socket(defaultSocket);
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.*)$/i.exec(options.host) ?? [];
  if (scheme === 'unix') return socket(rest === '' ? defaultSocket : rest);
  if (['tcp', 'http', 'https'].includes(scheme)) return tcp(scheme, rest, options);
  throw new EngineError(
    `DOCKER_HOST is ${options.host}: expected unix:///path/to/docker.sock or tcp://host:port.`,
  );
}

const socket = (path: string): EngineAddress => ({ kind: 'socket', text: `unix://${path}`, path });

function tcp(scheme: string, rest: string, options: EngineOptions): EngineAddress {
  const url = URL.parse(`tcp://${rest}`);
  if (url === null || url.hostname === '') {
    throw new EngineError(`DOCKER_HOST is ${options.host}: expected tcp://host:port.`);
  }
  const secure = scheme === 'https' || Boolean(options.tlsVerify);
  const port = Number(url.port || (secure ? 2376 : 2375));
  return {
    kind: 'tcp',
    text: `tcp://${url.hostname}:${port}`,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port,
    tls: secure ? certificates(options) : undefined,
  };
}

function certificates({ certPath }: EngineOptions): Certificates {
  if (!certPath) return { ca: undefined, cert: undefined, key: undefined };
  const read = (name: string) => readFileSync(join(certPath, name));
  try {
    return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
  } catch (error) {
    throw new EngineError(
      `DOCKER_CERT_PATH is ${certPath}, where ca.pem, cert.pem and key.pem are expected: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}
