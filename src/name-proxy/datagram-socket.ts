/**
 * What is needed of a UDP socket.
 */
import type { RemoteInfo } from 'node:dgram';

export interface DatagramSender {
  /** Calls back with the error, or with null. */
  send(bytes: Uint8Array, port: number, address: string, callback: (error: Error | null) => void): void;
}

export interface DatagramSocket extends DatagramSender {
  on(event: 'message', listener: (message: Uint8Array, from: RemoteInfo) => void): void;
  /** Bytes that wait to be sent. */
  getSendQueueSize(): number;
}
