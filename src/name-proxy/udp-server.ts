/**
 * Questions over UDP.
 */
import type { RemoteInfo } from 'node:dgram';
import type { DatagramSocket } from './datagram-socket.ts';
import type { QuestionHandler } from './question-handler.ts';

/** Bytes that wait to be sent, after which answers are dropped. */
const MOST_QUEUED = 1 << 20;

/** `isOwn`: what has come from our own sockets is no question. `onOwn` gets that instead. */
export function serveUdp(
  socket: DatagramSocket,
  handle: QuestionHandler,
  isOwn: (from: RemoteInfo) => boolean,
  onOwn: (message: Uint8Array) => void,
): void {
  socket.on('message', (message, from) => {
    if (isOwn(from)) {
      onOwn(message);
      return;
    }
    // Nobody can be there, and Node.js throws an error for it.
    if (from.port === 0) return;
    handle(message, 'udp', (answer) => {
      if (answer === undefined || socket.getSendQueueSize() > MOST_QUEUED) return;
      // The asker may be gone, and a firewall of its own may drop the answer.
      socket.send(answer, from.port, from.address);
    });
  });
}
