/**
 * What is needed of a UDP socket.
 */
import type { RemoteInfo } from 'node:dgram';

export interface DatagramSocket {
  /** Calls back with the error, or with null. Without a callback, errors are ignored. */
  send(bytes: Uint8Array, port: number, address: string, callback?: (error: Error | null) => void): void;
  on(event: 'message', listener: (message: Uint8Array, from: RemoteInfo) => void): void;
  /** Bytes that wait to be sent. */
  getSendQueueSize(): number;
}
