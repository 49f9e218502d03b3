/**
 * The socket that sends grants. It is connected to the proxy's own port, so that nothing is looked up for a datagram.
 */
import type { Socket } from 'node:dgram';
import { PROXY_ADDRESSES } from '../policy/name-seal.ts';

export interface GrantSocket {
  /** Where its datagrams come from. */
  readonly port: number;
  /** Calls back with the error, or with null. */
  send(bytes: Uint8Array, callback: (error: Error | null) => void): void;
}

/** `port`: of the proxy. */
export function connectGrants(socket: Socket, port: number): Promise<GrantSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<GrantSocket>();
  socket.once('error', reject);
  socket.connect(port, PROXY_ADDRESSES[4], () => {
    socket.off('error', reject);
    const send: GrantSocket['send'] = (bytes, callback) => withoutTraces(() => socket.send(bytes, callback));
    resolve({ port: socket.address().port, send });
  });
  return promise;
}

/** Each grant ends in an error, and to note where it was made takes longer than to send the grant. */
const withoutTraces = (work: () => void): void => {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
};
