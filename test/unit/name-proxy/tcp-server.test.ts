import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { framed, splitMessages } from '../../../src/dns/stream.ts';
import type { QuestionHandler } from '../../../src/name-proxy/question-handler.ts';
import { DEFAULT_TCP, type TcpLimits } from '../../../src/name-proxy/tcp-connection.ts';
import { TcpServers } from '../../../src/name-proxy/tcp-server.ts';

const text = (message: string): Uint8Array => framed(Buffer.from(message));

/** Answers `a` with `A`; what `handle` does otherwise is up to the test. */
const upper: QuestionHandler = (message, _, respond) =>
  respond(Buffer.from(Buffer.from(message).toString().toUpperCase()));

async function serve(handle: QuestionHandler = upper, limits: Partial<TcpLimits> = {}) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const servers = new TcpServers([server], handle, { ...DEFAULT_TCP, ...limits });
  onTestFinished(() => {
    servers.close();
    server.close();
  });
  const address = server.address();
  return { servers, port: isAddress(address) ? address.port : 0 };
}

const isAddress = (value: unknown): value is AddressInfo => typeof value === 'object' && value !== null;

async function connect(port: number): Promise<Socket> {
  const socket = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** The answers until there are so many, or until the connection ends. */
async function answers(socket: Socket, count = Number.POSITIVE_INFINITY): Promise<readonly string[]> {
  let arrived = Buffer.alloc(0);
  const messages = () => splitMessages(arrived, 100_000).messages.map((one) => Buffer.from(one).toString());
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    arrived = Buffer.concat([arrived, chunk]);
    if (messages().length >= count) break;
  }
  return messages();
}

it('answers questions that arrive at once, and one that arrives byte by byte', async () => {
  const socket = await connect((await serve()).port);
  socket.write(Buffer.concat(['a', 'b', 'c'].map(text)));
  expect(await answers(socket, 3)).toEqual(['A', 'B', 'C']);
  socket.setNoDelay(true);
  for (const byte of text('slow')) {
    socket.write(Uint8Array.of(byte));
    await new Promise(setImmediate);
  }
  expect(await answers(socket, 1)).toEqual(['SLOW']);
  socket.destroy();
});

it('answers all of more questions than may be open at once, and then ends with the asker', async () => {
  let [open, most] = [0, 0];
  const { port } = await serve((message, transport, respond) => {
    most = Math.max(most, ++open);
    setImmediate(() => {
      open--;
      upper(message, transport, respond);
    });
  });
  const socket = await connect(port);
  const questions = Array.from({ length: 5_000 }, (_, index) => `q${index}`);
  socket.end(Buffer.concat(questions.map(text)));
  expect(await answers(socket)).toEqual(questions.map((one) => one.toUpperCase()));
  expect(most).toBe(16);
});

it('answers at once what can be, in turns', async () => {
  const socket = await connect((await serve()).port);
  const questions = Array.from({ length: 1_000 }, (_, index) => `q${index}`);
  socket.end(Buffer.concat(questions.map(text)));
  expect(await answers(socket)).toHaveLength(1_000);
});

it('waits for an answer after the asker has ended its side', async () => {
  const { port } = await serve((message, transport, respond) => {
    setTimeout(() => upper(message, transport, respond), 50);
  });
  const socket = await connect(port);
  socket.end(text('last'));
  expect(await answers(socket)).toEqual(['LAST']);
});

it('goes on after a question without an answer', async () => {
  const { port } = await serve((message, transport, respond) => {
    if (message[0] === 0x78) respond(undefined);
    else upper(message, transport, respond);
  });
  const socket = await connect(port);
  socket.end(Buffer.concat(['x', 'x', 'a'].map(text)));
  expect(await answers(socket)).toEqual(['A']);
});

it.each([
  ['nothing comes', new Uint8Array(0)],
  ['a question is not whole', text('long').subarray(0, 4)],
])('closes a connection if %s for a while', async (_, bytes) => {
  const { port } = await serve(upper, { idle: 50 });
  const socket = await connect(port);
  socket.write(bytes);
  expect(await answers(socket)).toEqual([]);
});

it('closes a connection with a longer message than any question', async () => {
  const socket = await connect((await serve()).port);
  socket.write(Uint8Array.of(0x10, 0x01, 1));
  expect(await answers(socket)).toEqual([]);
});

it('closes a connection that does not read its answers', async () => {
  const { port } = await serve((_, __, respond) => respond(new Uint8Array(60_000)));
  const socket = await connect(port);
  socket.on('end', () => socket.destroy());
  socket.pause();
  for (let times = 0; times < 1_000 && !socket.destroyed; times++) {
    socket.write(Buffer.concat(Array.from({ length: 10 }, () => text('a'))));
    await new Promise(setImmediate);
  }
  socket.resume();
  if (!socket.closed) await once(socket, 'close');
});

it('drops connections over the limit, and has room again when others end', async () => {
  const { port, servers } = await serve(upper, { connections: 2 });
  const [first, second] = [await connect(port), await connect(port)];
  for (const socket of [first, second]) {
    socket.write(text('a'));
    expect(await answers(socket, 1)).toEqual(['A']);
  }
  expect(await answers(await connect(port))).toEqual([]);
  expect(servers.dropped).toBe(1);
  const closed = once(first, 'close');
  first.end();
  await closed;
  const next = await connect(port);
  next.write(text('b'));
  expect(await answers(next, 1)).toEqual(['B']);
  for (const socket of [second, next]) socket.destroy();
});
