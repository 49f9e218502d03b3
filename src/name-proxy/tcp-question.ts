/**
 * Asks a server over TCP, for answers that are too long for UDP.
 */
import { createConnection } from 'node:net';
import { framed, splitMessages } from '../dns/stream.ts';
import type { Endpoint } from '../net/endpoint.ts';

/** The first message that comes back; undefined after so many milliseconds, or if the connection fails. */
export function askOverTcp(
  { address, port }: Endpoint,
  question: Uint8Array,
  limit: number,
): Promise<Uint8Array | undefined> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
  const socket = createConnection({ host: address, port });
  const chunks: Uint8Array[] = [];
  let length = 0;
  let needed = 2;
  const timer = setTimeout(() => socket.destroy(), limit);
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length < needed) return;
    const arrived = Buffer.concat(chunks.splice(0));
    chunks.push(arrived);
    needed = 2 + arrived.readUInt16BE(0);
    const [message] = splitMessages(arrived, 1).messages;
    if (message === undefined) return;
    resolve(message);
    socket.destroy();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    clearTimeout(timer);
    resolve(undefined);
  });
  socket.write(framed(question));
  return promise;
}
