/** Servers of DNS for tests, on loopback: each does with a question what the test says. */

import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import packet from 'dns-packet';
import { onTestFinished } from 'vitest';
import { framed } from '../../../src/dns/stream.ts';
import type { Endpoint } from '../../../src/net/endpoint.ts';

export interface Asked {
  readonly id: number;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly from: RemoteInfo;
  /** Sends an answer over UDP. */
  readonly answer: (bytes: Uint8Array) => void;
}

export interface TestServer {
  readonly endpoint: Endpoint;
  /** Questions over UDP, in their order. */
  readonly asked: Asked[];
}

/** Bytes of an answer with these addresses. */
export const answerBytes = (
  { id, name }: Pick<Asked, 'id' | 'name'>,
  addresses: readonly string[],
  flags = 0,
): Uint8Array =>
  packet.encode({
    ...{ type: 'response', id, flags: packet.RECURSION_AVAILABLE | flags },
    questions: [{ type: 'A', name }],
    answers: addresses.map((data) => ({ type: 'A', name, ttl: 60, data })),
  });

/** The server is closed at the end of the test. */
export async function serveNames(
  onQuestion: (asked: Asked) => void,
  tcp?: readonly string[],
): Promise<TestServer> {
  const server = await startNameServer(onQuestion, tcp);
  onTestFinished(() => server.close());
  return server;
}

/** `tcp`: the addresses of an answer over TCP. */
export async function startNameServer(
  onQuestion: (asked: Asked) => void,
  tcp?: readonly string[],
): Promise<TestServer & { close(): void }> {
  const socket = createSocket('udp4');
  const asked: Asked[] = [];
  socket.on('message', (bytes, from) => {
    const { id = 0, questions = [] } = packet.decode(bytes);
    const answer = (answered: Uint8Array) => socket.send(answered, from.port, from.address);
    const one = { id, name: questions[0]?.name ?? '', bytes, from, answer };
    asked.push(one);
    onQuestion(one);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  const server = tcp && (await serveTcp(port, tcp));
  return {
    ...{ endpoint: { address: '127.0.0.1', port }, asked },
    close: () => {
      socket.close();
      server?.close();
    },
  };
}

async function serveTcp(port: number, addresses: readonly string[]): Promise<Server> {
  const server = createServer((connection) => {
    connection.on('error', () => undefined);
    connection.once('data', (bytes) => {
      const { id = 0, questions = [] } = packet.decode(bytes.subarray(2));
      connection.end(framed(answerBytes({ id, name: questions[0]?.name ?? '' }, addresses)));
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
