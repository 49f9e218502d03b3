/** A UDP socket that notes what is sent, and ends each sending as the test says. */
import type { RemoteInfo } from 'node:dgram';
import { EventEmitter } from 'node:events';
import type { GrantSocket } from '../../../src/name-proxy/grant-socket.ts';
import { PROXY_ADDRESSES } from '../../../src/policy/name-seal.ts';

export interface Sent {
  readonly bytes: Uint8Array;
  readonly port: number;
  readonly address: string;
}

export class FakeSocket extends EventEmitter {
  readonly sent: Sent[] = [];
  /** The error code of each sending; undefined: none. */
  outcome: (sent: Sent) => string | undefined = () => undefined;
  isClosed = false;

  readonly send = (
    bytes: Uint8Array,
    port: number,
    address: string,
    callback: (error: Error | null) => void = () => undefined,
  ): void => {
    const sent = { bytes, port, address };
    this.sent.push(sent);
    const code = this.outcome(sent);
    setImmediate(() => callback(code === undefined ? null : Object.assign(new Error(code), { code })));
  };

  /** A socket that sends to the proxy at this port, noted here. */
  grantsTo(port: number): GrantSocket {
    const send: GrantSocket['send'] = (bytes, callback) =>
      this.send(bytes, port, PROXY_ADDRESSES[4], callback);
    return { port: port + 1, send };
  }

  getSendQueueSize(): number {
    return 0;
  }

  close(): void {
    this.isClosed = true;
  }

  receive(bytes: Uint8Array, address: string, port: number): void {
    const from: RemoteInfo = { address, port, family: 'IPv4', size: bytes.length };
    this.emit('message', Buffer.from(bytes), from);
  }
}
